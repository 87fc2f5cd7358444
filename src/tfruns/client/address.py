"""The address of the API: what a token is bound to."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from tfruns.errors import InvalidInput

_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Address:
    """A scheme, a host and a port: an origin. Two origins share a token only if all three are equal."""

    scheme: str
    host: str
    port: int

    @property
    def hostname(self) -> str:
        """Host and port as Terraform writes a service's hostname: the port only where it is not the usual one."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == _DEFAULT_PORTS[self.scheme] else f"{name}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.hostname}"

    @property
    def is_loopback(self) -> bool:
        """Whether what is sent there never leaves this machine."""
        if self.host == "localhost" or self.host.endswith(".localhost"):
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str, *, what: str = "The address") -> Address:
    """Read an address such as `https://app.terraform.io` or `tfe.example.com:8443`; a path is ignored.

    Raises:
        InvalidInput: it is neither http nor https, or has no host, or a port that cannot be.
    """
    text = text.strip()
    try:
        parts = urlsplit(text if "://" in text else f"https://{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _not_an_address(what) from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise _not_an_address(what)
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(
            f"{what} holds a user name or password.", solution="Leave it out: the API knows only tokens."
        )
    return Address(parts.scheme, normalize_host(host), port or _DEFAULT_PORTS[parts.scheme])


def _not_an_address(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what} is not one of a Terraform service.",
        solution="Give it as https://HOST or https://HOST:PORT, such as https://app.terraform.io.",
    )


def normalize_host(host: str) -> str:
    """A host's name in the form in which two spellings of it are equal: lower case, international names in ASCII."""
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()

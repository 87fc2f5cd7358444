"""The address of the API: what a token is bound to."""

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

from tfruns.errors import InvalidInput

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+(?:%[a-z0-9]+)?")  # a name, or an address of IPv4 or IPv6
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Address:
    """A scheme, a host and a port: an origin. Two origins share a token only if all three are equal."""

    scheme: str
    host: str
    port: int

    @property
    def hostname(self) -> str:
        """Host and port as Terraform writes a service's hostname: the port only where it is not that of HTTPS.

        A token for this name is one for HTTPS: plain HTTP has a port in its name, and so needs a token of its own.
        """
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if (self.scheme, self.port) == ("https", 443) else f"{name}:{self.port}"

    def __str__(self) -> str:
        shown = self.hostname.removesuffix(":80") if self.scheme == "http" else self.hostname
        return f"{self.scheme}://{shown}"

    @property
    def is_loopback(self) -> bool:
        """Whether it is an address of this machine: a literal one, or `localhost`.

        Other names below `.localhost` go to a name server, which may answer with any address.
        """
        if self.host == "localhost":
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
    if parts.scheme not in _DEFAULT_PORTS or not host or port == 0:
        raise _not_an_address(what)
    if parts.username is not None or parts.password is not None:
        raise InvalidInput(
            f"{what} holds a user name or password.", solution="Leave it out: the API knows only tokens."
        )
    host = normalize_host(host)
    if not _HOST.fullmatch(host):
        raise _not_an_address(what)
    return Address(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme])


def _not_an_address(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what} is not one of a Terraform service.",
        solution="Give it as https://HOST or https://HOST:PORT, such as https://app.terraform.io.",
    )


def normalize_host(host: str) -> str:
    """A host's name in the form in which two spellings of it are equal: lower case, international names in ASCII."""
    host = host.lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host

"""The address of an API. A token is bound to one address."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

from tfruns.errors import InvalidInput
from tfruns.loopback import is_loopback

_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+(?:%[a-z0-9]+)?")  # a name, IPv4 or IPv6 address
_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Address:
    """An origin: scheme, host and port. Two addresses share a token only if all three are equal."""

    scheme: str
    host: str
    port: int

    @property
    def hostname(self) -> str:
        """Host and port as Terraform writes a service's hostname: without the port for HTTPS on 443.

        Plain HTTP always has a port in its hostname, so it never uses the token of the HTTPS service.
        """
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if (self.scheme, self.port) == ("https", 443) else f"{name}:{self.port}"

    def __str__(self) -> str:
        shown = self.hostname.removesuffix(":80") if self.scheme == "http" else self.hostname
        return f"{self.scheme}://{shown}"

    @property
    def is_loopback(self) -> bool:
        """Whether requests stay on this machine."""
        return is_loopback(self.host)


def parse_address(text: str, *, what: str = "The address") -> Address:
    """Parse an address such as `https://app.terraform.io` or `tfe.example.com:8443`. A path is ignored.

    Raises:
        InvalidInput: the scheme is not http or https, the host is missing, or the port is out of range.
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
            f"{what} contains a user name or password.", solution="Remove it: the API accepts only tokens."
        )
    host = normalize_host(host)
    if not _HOST.fullmatch(host):
        raise _not_an_address(what)
    return Address(parts.scheme, host, port or _DEFAULT_PORTS[parts.scheme])


def _not_an_address(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what} is not the address of a Terraform service.",
        solution="Use https://HOST or https://HOST:PORT, such as https://app.terraform.io.",
    )


def normalize_host(host: str) -> str:
    """The canonical form of a host name: lower case, international names in ASCII (IDNA)."""
    host = host.lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host

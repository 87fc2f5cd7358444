"""What a client is set up with: the address, the token, the organization, and how to reach them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tfruns.client.address import Address, parse_address
from tfruns.client.credentials import CredentialSearch, find_token
from tfruns.errors import InvalidInput

DEFAULT_ADDRESS = "https://app.terraform.io"
_TRUE = {"1", "true", "yes", "on"}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a client.

    Attributes:
        address: the API's origin.
        credentials: the token for it, or why there is none.
        organization: the one that bare workspace names belong to (`TF_CLOUD_ORGANIZATION`).
        ca_file: a bundle of private certificate authorities, in addition to the machine's own (`TFE_CA_FILE`).
        is_http_allowed: plain HTTP may be used beyond this machine (`TFRUNS_ALLOW_HTTP`).
    """

    address: Address
    credentials: CredentialSearch
    organization: str | None = None
    ca_file: Path | None = None
    is_http_allowed: bool = False


def load_settings(
    address: str | None = None,
    token: str | None = None,
    *,
    organization: str | None = None,
    ca_file: str | Path | None = None,
    environ: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> Settings:
    """Settings from arguments, and from the environment where an argument is missing.

    Raises:
        InvalidInput: an address that cannot be, or plain HTTP to another machine.
    """
    chosen = parse_address(address) if address else _environment_address(environ)
    is_http_allowed = environ.get("TFRUNS_ALLOW_HTTP", "").lower() in _TRUE
    if chosen.scheme == "http" and not chosen.is_loopback and not is_http_allowed:
        raise InvalidInput(
            f"{chosen} would carry the API token over the network in the clear.",
            solution="Use https; or set TFRUNS_ALLOW_HTTP=1 where the network itself is trusted.",
        )
    ca = ca_file or environ.get("TFE_CA_FILE") or None
    return Settings(
        address=chosen,
        credentials=find_token(
            chosen,
            explicit=token,
            environment_address=_address_of_environment_token(environ),
            environ=environ,
            home=home,
        ),
        organization=organization or environ.get("TF_CLOUD_ORGANIZATION") or None,
        ca_file=Path(ca) if ca else None,
        is_http_allowed=is_http_allowed,
    )


def _environment_address(environ: Mapping[str, str]) -> Address:
    for name in ("TFE_ADDRESS", "TFC_ADDRESS"):
        if environ.get(name, "").strip():
            return parse_address(environ[name], what=name)
    return parse_address(DEFAULT_ADDRESS)


def _address_of_environment_token(environ: Mapping[str, str]) -> Address | None:
    """The address that `TFE_TOKEN` is for; None where the environment names one that cannot be."""
    try:
        return _environment_address(environ)
    except InvalidInput:
        return None

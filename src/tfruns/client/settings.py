"""The client's settings: address, token, organization, certificates."""

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
        credentials: the token, or why none was found.
        organization: the organization of calls and workspace names without one (`TF_CLOUD_ORGANIZATION`, as in
            Terraform, or `TFE_ORGANIZATION`, as in the provider `tfe`).
        ca_file: a bundle of private certificate authorities, in addition to the machine's (`TFE_CA_FILE`).
        is_http_allowed: whether plain HTTP to other machines is allowed (`TFRUNS_ALLOW_HTTP`).
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
    """Settings from the arguments; omitted ones come from the environment.

    Raises:
        InvalidInput: the address is invalid, or is plain HTTP to another machine.
    """
    chosen = parse_address(address) if address else _environment_address(environ)
    is_http_allowed = environ.get("TFRUNS_ALLOW_HTTP", "").lower() in _TRUE
    if chosen.scheme == "http" and not chosen.is_loopback and not is_http_allowed:
        raise InvalidInput(
            f"{chosen} would send the API token unencrypted over the network.",
            solution="Use https, or set TFRUNS_ALLOW_HTTP=1 in a trusted network.",
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
        organization=organization or _environment_organization(environ),
        ca_file=Path(ca) if ca else None,
        is_http_allowed=is_http_allowed,
    )


def _environment_organization(environ: Mapping[str, str]) -> str | None:
    names = (environ.get(name, "").strip() for name in ("TF_CLOUD_ORGANIZATION", "TFE_ORGANIZATION"))
    return next(filter(None, names), None)


def _environment_address(environ: Mapping[str, str]) -> Address:
    for name in ("TFE_ADDRESS", "TFC_ADDRESS"):
        if environ.get(name, "").strip():
            return parse_address(environ[name], what=name)
    return parse_address(DEFAULT_ADDRESS)


def _address_of_environment_token(environ: Mapping[str, str]) -> Address | None:
    """The address that `TFE_TOKEN` belongs to; None if the environment's address is invalid."""
    try:
        return _environment_address(environ)
    except InvalidInput:
        return None

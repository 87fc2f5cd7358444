"""The search for the API token.

The first of these sources that has a token for the host is used:

1. an explicit argument;
2. `TFE_TOKEN` (or `TFC_TOKEN`), for the host of `TFE_ADDRESS` (or `TFC_ADDRESS`) and no other;
3. `TF_TOKEN_<host>`, with Terraform's escapes: `_` for `.`, `__` for `-`;
4. a `credentials` block of the Terraform CLI configuration (`TF_CLI_CONFIG_FILE`, else `~/.terraformrc`);
5. `credentials.tfrc.json`, as `terraform login` writes it.

Source: Terraform, "CLI Configuration File", "Credentials".
"""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tfruns.client.address import Address, normalize_host
from tfruns.errors import InvalidInput
from tfruns.hcl.cli_settings import read_cli_settings
from tfruns.hcl.lexer import HclSyntaxError
from tfruns.home import user_path
from tfruns.masking.redaction import remember_secret

_ENVIRONMENT_PREFIX = "TF_TOKEN_"
_ARGUMENT = "the argument"
_LOGIN_FILE = "credentials.tfrc.json"
_ON_WINDOWS = sys.platform == "win32"


@dataclass(frozen=True, slots=True)
class Token:
    """An API token and its source. `repr` never shows its text."""

    text: str = field(repr=False)
    source: str

    def __post_init__(self) -> None:
        if not self.text.isascii() or not self.text.isprintable() or " " in self.text:
            raise InvalidInput(
                f"The API token from {self.source} is invalid: it contains spaces, line breaks or control characters.",
                solution="Set it again, without quotes and line breaks.",
            )
        remember_secret(self.text)

    @property
    def replacement(self) -> str | None:
        """How a user replaces it where it is configured; None if the caller gave it."""
        if self.source == _ARGUMENT:
            return None
        if self.source.endswith(_LOGIN_FILE):
            return "Run `tfruns login` with a new token, and restart tfruns."
        return f"Put a new token into {self.source} (it has precedence over `tfruns login`), and restart tfruns."


@dataclass(frozen=True, slots=True)
class CredentialSearch:
    """The result of a search: the token, or the sources that could not be read."""

    token: Token | None
    problems: tuple[str, ...] = ()


def find_token(
    address: Address,
    *,
    explicit: str | None = None,
    environment_address: Address | None,
    environ: Mapping[str, str] = os.environ,
    home: Path | None = None,
) -> CredentialSearch:
    """Find the token for an address.

    Args:
        address: the API's address.
        explicit: a token given by the caller.
        environment_address: the address that `TFE_TOKEN` belongs to; None if it is invalid.
        environ: the environment variables.
        home: the home directory; by default the user's.
    """
    if explicit is not None and explicit.strip():
        return CredentialSearch(Token(explicit.strip(), _ARGUMENT))
    problems: list[str] = []
    for source, text in _candidates(address, environment_address, environ, home, problems):
        if text.strip():
            return CredentialSearch(Token(text.strip(), source))
    return CredentialSearch(None, tuple(problems))


def _candidates(
    address: Address,
    environment_address: Address | None,
    environ: Mapping[str, str],
    home: Path | None,
    problems: list[str],
) -> Iterator[tuple[str, str]]:
    if address == environment_address:
        for name in ("TFE_TOKEN", "TFC_TOKEN"):
            yield name, environ.get(name, "")
    for name, text in environ.items():
        if name.startswith(_ENVIRONMENT_PREFIX) and _host_of_variable(name) == address.hostname:
            yield name, text
    for path in _configuration_files(environ, home, problems):
        blocks = _credentials_blocks(path, problems)
        yield str(path), next((text for host, text in blocks if normalize_hostname(host) == address.hostname), "")


def _host_of_variable(name: str) -> str:
    """`TF_TOKEN_my__tfe_example_com` -> `my-tfe.example.com`. Dots and hyphens in the name stay."""
    return normalize_hostname(name.removeprefix(_ENVIRONMENT_PREFIX).replace("__", "-").replace("_", "."))


def normalize_hostname(hostname: str) -> str:
    """The canonical form of a host with an optional port."""
    host, _, port = hostname.partition(":")
    return normalize_host(host) + (f":{port}" if port and port != "443" else "")


def _configuration_files(environ: Mapping[str, str], home: Path | None, problems: list[str]) -> Iterator[Path]:
    chosen = environ.get("TF_CLI_CONFIG_FILE")
    if chosen:
        yield Path(chosen)
    try:
        base = _base(environ, home)
    except InvalidInput as error:
        problems.append(error.message)
        return
    if not chosen:
        yield base / ("terraform.rc" if _ON_WINDOWS else ".terraformrc")
    yield credentials_file(environ, home)


def credentials_file(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> Path:
    """The file in which `terraform login` stores tokens, regardless of `TF_CLI_CONFIG_FILE`.

    Raises:
        InvalidInput: the user has no home directory.
    """
    directory = "terraform.d" if _ON_WINDOWS else ".terraform.d"
    return _base(environ, home) / directory / _LOGIN_FILE


def _base(environ: Mapping[str, str], home: Path | None) -> Path:
    if _ON_WINDOWS and environ.get("APPDATA"):
        return Path(environ["APPDATA"])
    home = home or user_path(Path.home, instead="set TFE_TOKEN")
    return home / "AppData" / "Roaming" if _ON_WINDOWS else home


def _credentials_blocks(path: Path, problems: list[str]) -> Iterator[tuple[str, str]]:
    """The hosts and tokens of a configuration file. A missing file has none, as in Terraform."""
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return
    except (OSError, UnicodeError) as error:
        problems.append(f"{path} could not be read ({type(error).__name__})")
        return
    try:
        settings = read_cli_settings(text)
    except HclSyntaxError:
        problems.append(f"{path} is not a valid Terraform CLI configuration")
        return
    for keys, value in settings:
        if len(keys) == 3 and (keys[0], keys[2]) == ("credentials", "token"):
            yield keys[1], value

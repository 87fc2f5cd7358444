"""`tfruns login`."""

import getpass
import re
import sys
import webbrowser
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.connection import login_address
from tfruns.cli.options import OUTPUT_DEFAULTS, OutputOptions
from tfruns.cli.output import print_document
from tfruns.cli.session import run_and_exit
from tfruns.cli.terminal import can_ask, say
from tfruns.cli.token_kind import kind_of_token
from tfruns.client.address import Address, parse_address
from tfruns.client.client import Client
from tfruns.client.credentials import credentials_file
from tfruns.client.credentials_store import store_token
from tfruns.client.settings import load_settings
from tfruns.errors import InvalidInput, Unauthorized
from tfruns.masking.redaction import remember_secret
from tfruns.wire.activity import User

HOST = "Host (default: TFE_ADDRESS, or app.terraform.io)"
_STDIN = "Read the token from standard input"
_BROWSER = "Open the tokens page in a browser"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{8,}")  # RFC 6750, "b64token"
_MAX_LENGTH = 10_000  # characters


def login(
    host: Annotated[str | None, Parameter(help=HOST)] = None,
    /,
    *,
    token_stdin: Annotated[bool, Parameter(help=_STDIN)] = False,
    browser: Annotated[bool, Parameter(help=_BROWSER)] = False,
    output: OutputOptions = OUTPUT_DEFAULTS,
) -> None:
    """Store an API token, as `terraform login` does.

    The token is verified with the API, and stored in credentials.tfrc.json, which Terraform also reads. A token is
    never an argument, because other users of the machine could see it. For the running local backend of your data
    directory, the command stores the token of the backend without asking.

    For example:
        tfruns login
        tfruns login tfe.example.com --browser
        tfruns login --token-stdin < token.txt
        tfruns login http://127.0.0.1:8088
    """

    with output.active():
        address = login_address(host)
        local = _local_token(address) if not token_stdin else None
        page = f"{address}/app/settings/tokens?source=terraform-login"
        # Outside of an event loop, in which Ctrl-C would not abort the question.
        token = local or (_read() if token_stdin else _ask(page, address, is_opened=browser))

    async def work() -> None:
        async with Client(str(address), token) as client:
            try:
                user = await client.account.read()
            except Unauthorized as error:
                error.solution = f"Nothing was stored. Create a new token at {page}."
                raise
        path = credentials_file()
        store_token(path, address.hostname, token)
        _report(user, str(address), str(path), is_json=output.json)
        found = load_settings(str(address)).credentials.token
        if found is not None and found.source != str(path):
            say(f"Note: the token from {found.source} takes precedence over it.", "yellow")

    run_and_exit(work, output)


def _report(user: User, address: str, path: str, *, is_json: bool) -> None:
    kind = kind_of_token(user)
    if is_json:
        print_document({"address": address, "user": user.username, "kind": kind, "file": path})
    else:
        say(f"Logged in to {address} as {user.username} ({kind} token). The token is stored in {path}.")


def _local_token(address: Address) -> str | None:
    """The token of the local backend at an address; None if the user's data directory has no server there."""
    if not address.is_loopback:
        return None
    try:
        from tfruns.local.control import read_status  # noqa: PLC0415
        from tfruns.local.data_dir import DataDirectory  # noqa: PLC0415
    except ImportError:  # without the extra `local`
        return None
    directory = DataDirectory()
    url = read_status(directory).url if directory.path.exists() else None
    return directory.token() if url is not None and parse_address(url) == address else None


def _ask(page: str, address: Address, *, is_opened: bool) -> str:
    in_file = "The token of a local backend is in the file `token` of its data directory."
    if not can_ask():
        raise InvalidInput(
            "The token cannot be entered: there is no terminal.",
            cause=in_file if address.is_loopback else None,
            solution="Use --token-stdin, and write the token to standard input.",
        )
    say(in_file if address.is_loopback else f"Create a token at {page}")
    if is_opened:
        webbrowser.open(page)
    try:
        return _checked(getpass.getpass("Token (not shown): "))
    except EOFError:
        return _checked("")


def _read() -> str:
    return _checked(sys.stdin.read(_MAX_LENGTH + 1))


def _checked(text: str) -> str:
    """The token in a text.

    Raises:
        InvalidInput: the text is not a token.
    """
    token = text.strip()
    if not token:
        raise InvalidInput("The token is empty. Nothing was stored.", solution="Enter the token, and nothing else.")
    remember_secret(token)
    if len(token) > _MAX_LENGTH or not _TOKEN.fullmatch(token):
        raise InvalidInput(
            "The token is malformed. Nothing was stored.",
            cause="A token consists of at least eight letters, digits and . _ ~ + / = -",
            solution="Copy it again, without quotes, line breaks or a variable name.",
        )
    return token

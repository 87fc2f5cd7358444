"""`tfruns login`."""

import getpass
import re
import sys
import webbrowser
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.connection import login_address
from tfruns.cli.session import finish
from tfruns.cli.terminal import can_ask, errors_said, print_json, say
from tfruns.cli.token_kind import kind_of_token
from tfruns.client.client import Client
from tfruns.client.credentials import credentials_file
from tfruns.client.credentials_store import store_token
from tfruns.client.settings import load_settings
from tfruns.errors import InvalidInput, Unauthorized
from tfruns.masking.redaction import remember_secret
from tfruns.wire.activity import User

_HOST = "The host; by default that of TFE_ADDRESS, or app.terraform.io"
_STDIN = "Read the token from standard input instead of asking for it"
_BROWSER = "Open the page on which tokens are made, in a browser"
_JSON = "Print the result as JSON"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{8,}")  # RFC 6750, "b64token"
_LONGEST = 10_000  # characters


def login(
    host: Annotated[str | None, Parameter(help=_HOST)] = None,
    /,
    *,
    token_stdin: Annotated[bool, Parameter(help=_STDIN)] = False,
    browser: Annotated[bool, Parameter(help=_BROWSER)] = False,
    json: Annotated[bool, Parameter(help=_JSON)] = False,
) -> None:
    """Store an API token, as `terraform login` does, after asking the API whose it is.

    Terraform and tfruns both find it in credentials.tfrc.json. The token is never an argument: others could see it.

    For example:
        tfruns login
        tfruns login tfe.example.com --browser
        tfruns login --token-stdin < token.txt
    """

    with errors_said(is_json=json):
        address = login_address(host)
        page = f"{address}/app/settings/tokens?source=terraform-login"
        # Not in an event loop, where Ctrl-C would not end the question.
        token = _read() if token_stdin else _ask(page, is_opened=browser)

    async def work() -> None:
        async with Client(str(address), token) as client:
            try:
                user = await client.account.read()
            except Unauthorized as error:
                error.solution = f"Nothing was stored. Make a new token at {page}."
                raise
        path = credentials_file()
        store_token(path, address.hostname, token)
        _report(user, str(address), str(path), is_json=json)
        found = load_settings(str(address)).credentials.token
        if found is not None and found.source != str(path):
            say(f"Note: the token from {found.source} comes before it.", "yellow")

    finish(work, is_json=json)


def _report(user: User, address: str, path: str, *, is_json: bool) -> None:
    kind = kind_of_token(user)
    if is_json:
        print_json({"address": address, "user": user.username, "kind": kind, "file": path})
    else:
        say(f"Logged in to {address} as {user.username} (a token of the kind {kind}). Stored in {path}.")


def _ask(page: str, *, is_opened: bool) -> str:
    if not can_ask():
        raise InvalidInput(
            "There is no terminal to ask for the token at.",
            solution="Say --token-stdin, and give it on standard input.",
        )
    say(f"Make a token at {page}")
    if is_opened:
        webbrowser.open(page)
    try:
        return _checked(getpass.getpass("Token (it is not shown): "))
    except EOFError:
        return _checked("")


def _read() -> str:
    return _checked(sys.stdin.read(_LONGEST + 1))


def _checked(text: str) -> str:
    """The token, if it can be one.

    Raises:
        InvalidInput: it cannot.
    """
    token = text.strip()
    if not token:
        raise InvalidInput("No token was given. Nothing was stored.", solution="Give it, and nothing else.")
    remember_secret(token)
    if len(token) > _LONGEST or not _TOKEN.fullmatch(token):
        raise InvalidInput(
            "That is not a token. Nothing was stored.",
            cause="A token is one word of letters, digits and . _ ~ + / = - alone.",
            solution="Copy it again, without quotes, line breaks or what stands before it.",
        )
    return token

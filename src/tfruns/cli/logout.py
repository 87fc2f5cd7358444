"""`tfruns logout`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.connection import login_address
from tfruns.cli.login import HOST
from tfruns.cli.options import OUTPUT_DEFAULTS, OutputOptions
from tfruns.cli.output import print_document
from tfruns.cli.session import run_and_exit
from tfruns.cli.terminal import say
from tfruns.client.credentials import credentials_file
from tfruns.client.credentials_store import remove_token
from tfruns.client.settings import load_settings


def logout(
    host: Annotated[str | None, Parameter(help=HOST)] = None,
    /,
    *,
    output: OutputOptions = OUTPUT_DEFAULTS,
) -> None:
    """Remove a stored API token, as `terraform logout` does.

    The token itself stays valid until it is deleted on the tokens page.

    For example:
        tfruns logout
        tfruns logout tfe.example.com
    """

    async def work() -> None:
        address = login_address(host)
        path = credentials_file()
        is_removed = remove_token(path, address.hostname)
        if output.json:
            print_document({"address": str(address), "removed": is_removed, "file": str(path)})
        elif is_removed:
            say(f"Removed the token for {address} from {path}. It stays valid until it is deleted on the tokens page.")
        else:
            say(f"No token for {address} is stored in {path}.")
        left = load_settings(str(address)).credentials.token
        if left is not None:
            say(f"Note: the token from {left.source} is still used.", "yellow")

    run_and_exit(work, output)

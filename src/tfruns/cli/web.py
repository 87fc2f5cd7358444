"""`--web`: the page of a run or workspace in a browser."""

import webbrowser
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.session import Session
from tfruns.cli.terminal import print_line, say
from tfruns.errors import InvalidInput

Web = Annotated[bool, Parameter(name=["--web"], help="Open the page in a browser instead")]


def open_page(session: Session, url: str | None) -> None:
    """Open a page in a browser. Without a browser, print its address.

    Raises:
        InvalidInput: there is no page.
    """
    if url is None or session.gate.client.settings.address.is_loopback:
        raise InvalidInput("The local backend has no page for it.", solution="Omit --web.")
    say(f"Opening {url} in a browser.")
    if not webbrowser.open(url):
        say("No browser could be started. The address is:")
        print_line(url)

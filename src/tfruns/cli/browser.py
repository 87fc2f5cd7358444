"""Opens a page in a browser; also for `--web`."""

import sys
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.session import Session
from tfruns.cli.terminal import print_line, say
from tfruns.errors import NotFound, TfrunsError

Web = Annotated[bool, Parameter(name=["--web"], help="Open the page in a browser instead")]


async def open_page(session: Session, url: str | None) -> None:
    """Open the page of a run or workspace in a browser. If no browser can be started, print its URL.

    The pages of the local backend are opened with a link that begins a session.

    Raises:
        NotFound: the address is unknown.
    """
    if url is None:
        raise NotFound("The page cannot be opened: the API does not name the workspace and its organization.")
    await show_link(await _with_session(session, url), url)


async def show_link(link: str, page: str) -> None:
    """Open a link in a browser. If no browser can be started, print the link.

    Args:
        link: the link.
        page: the address that is shown, without the code in the link.
    """
    import webbrowser  # noqa: PLC0415  # only for commands that open a page

    from anyio import to_thread  # noqa: PLC0415

    say(f"Opening {page} in a browser.")
    # In a thread, because some browsers are waited for, and this process may serve the page.
    if not await to_thread.run_sync(webbrowser.open, link, abandon_on_cancel=True):
        say("No browser could be started. Open this link:")
        print_link(link)


def print_link(link: str) -> None:
    """Print a link immediately, because this process may continue to serve its page."""
    print_line(link)
    sys.stdout.flush()


async def _with_session(session: Session, url: str) -> str:
    """A link to a page of the local backend, with a code that begins a session. Other addresses are unchanged."""
    settings = session.gate.client.settings
    token = settings.credentials.token
    if token is None or not settings.address.is_loopback:
        return url
    from anyio import to_thread  # noqa: PLC0415

    from tfruns.web.links import request_link  # noqa: PLC0415  # only for the local backend

    address = str(settings.address)
    try:
        return await to_thread.run_sync(request_link, address, token.text, url.removeprefix(address), settings.ca_file)
    except TfrunsError:
        return url  # another server, or another address of this one: its page asks to sign in

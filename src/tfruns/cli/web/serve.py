"""`tfruns web`."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from cyclopts.types import Port

from tfruns.cli.browser import print_link, show_link
from tfruns.cli.mcp import MODE, ORGANIZATIONS, WORKSPACES
from tfruns.cli.options import DATA_DIR, IDLE_EXIT, LOCAL, PROFILE, CommonOptions
from tfruns.cli.passkeys import PASSKEY, own_passkeys
from tfruns.cli.terminal import exit_on_error, say
from tfruns.cli.web.pages import PAGE, path_of
from tfruns.errors import InvalidInput

if TYPE_CHECKING:
    from tfruns.cli.profiles import Profile
    from tfruns.policy import Policy
    from tfruns.web.passkeys import Passkeys

_PORT = "Listen on this port (default: any free port)"
_NO_BROWSER = "Print the link instead of opening a browser"


def serve(
    page: Annotated[str | None, Parameter(help=PAGE)] = None,
    /,
    *,
    no_browser: Annotated[bool, Parameter(name="--no-browser", help=_NO_BROWSER)] = False,
    port: Annotated[Port | None, Parameter(help=_PORT)] = None,
    passkey: Annotated[bool, Parameter(help=PASSKEY)] = False,
    mode: Annotated[Literal["read", "plan", "apply"] | None, Parameter(help=MODE)] = None,
    organizations: Annotated[str | None, Parameter(help=ORGANIZATIONS)] = None,
    workspaces: Annotated[str | None, Parameter(help=WORKSPACES)] = None,
    profile: Annotated[str | None, Parameter(help=PROFILE)] = None,
    local: Annotated[bool, Parameter(help=LOCAL)] = False,
    data_dir: Annotated[Path | None, Parameter(help=DATA_DIR)] = None,
    idle_exit: Annotated[str | None, Parameter(help=IDLE_EXIT)] = None,
) -> None:
    """Review runs and act on them in a browser.

    Opens the overview, or the page of a run or workspace. The link starts a 12-hour session. It works once, within 10
    minutes; `tfruns web link` prints another one.

    For HCP Terraform and Terraform Enterprise, the pages are served on this machine until Ctrl-C, with your API token.
    --mode, --organizations and --workspaces limit what the pages show and permit, as for `tfruns mcp`. The local
    backend serves its own pages: the command only opens them. With --passkey, destructive decisions require a passkey
    (extra `passkey`); for the local backend, use `tfruns server --passkey`.

    For example:
        tfruns web
        tfruns web run-CZcmD7eagjhyX0vN
        tfruns web --local
        tfruns web acme/network --mode read --no-browser
    """
    from tfruns.cli.connection import is_local_selected  # noqa: PLC0415
    from tfruns.cli.profiles import active_profile  # noqa: PLC0415
    from tfruns.cli.session import run_and_exit  # noqa: PLC0415

    options = CommonOptions(profile=profile, local=local, data_dir=data_dir, idle_exit=idle_exit)
    with exit_on_error(is_json=False):
        selected = active_profile(profile)
        is_local = local or is_local_selected(selected)
        options.check(is_local=is_local)
        served = {
            "--port": port,
            "--passkey": passkey or None,
            "--mode": mode,
            "--organizations": organizations,
            "--workspaces": workspaces,
        }
        policy = _policy(mode, organizations, workspaces)
        if is_local:
            _forbid(served)
        passkeys = own_passkeys() if passkey else None
    if is_local:
        run_and_exit(lambda: _open_local(options, selected, page, is_opened=not no_browser), options)
    with suppress(KeyboardInterrupt):  # Ctrl-C is how it is stopped
        run_and_exit(lambda: _serve(selected, policy, port or 0, passkeys, page, is_opened=not no_browser), options)


def _policy(mode: str | None, organizations: str | None, workspaces: str | None) -> "Policy":
    """The permissions of the visitors.

    Raises:
        InvalidInput: the scope is invalid.
    """
    from tfruns.policy import Mode, Policy  # noqa: PLC0415
    from tfruns.scope import parse_scope  # noqa: PLC0415

    return Policy(Mode(mode or Mode.APPLY), scope=parse_scope(organizations, workspaces))


def _forbid(served: Mapping[str, object]) -> None:
    """Refuse the options of a server of its own for the local backend.

    Raises:
        InvalidInput: one of them is given.
    """
    for name, value in served.items():
        if value is not None:
            raise InvalidInput(
                f"{name} does not apply to the local backend.",
                cause="The local backend serves its own pages, to users with its token.",
                solution=f"Omit {name}.",
            )


async def _show(link: str, page: str, *, is_opened: bool) -> None:
    if is_opened:
        await show_link(link, page)
    else:
        print_link(link)


async def _open_local(options: CommonOptions, profile: "Profile", page: str | None, *, is_opened: bool) -> None:
    """Open the pages of the local backend, and start it if it is not running."""
    from tfruns.cli.progress_line import ProgressLine  # noqa: PLC0415
    from tfruns.mcp.connection import LocalConnection  # noqa: PLC0415
    from tfruns.web.links import request_link  # noqa: PLC0415

    connection = LocalConnection(options.data_dir or profile.data_path, options.idle_exit)
    try:
        with ProgressLine().shown("Starting the local backend"):
            settings = (await connection.client()).settings
        address, token = str(settings.address), settings.credentials.token
        link = request_link(address, token.text if token else "", path_of(page, [address]), settings.ca_file)
        await _show(link, f"{address}/app", is_opened=is_opened)
    finally:
        await connection.aclose()


async def _serve(
    profile: "Profile",
    policy: "Policy",
    port: int,
    passkeys: "Passkeys | None",
    page: str | None,
    *,
    is_opened: bool,
) -> None:
    """Serve the pages of a remote API until the command is stopped."""
    from tfruns.cli.connection import directory_connection  # noqa: PLC0415
    from tfruns.log_output import log_to_standard_error  # noqa: PLC0415
    from tfruns.web.loopback import LoopbackPages  # noqa: PLC0415

    log_to_standard_error()
    connection = directory_connection(profile)
    pages = LoopbackPages(connection.client, policy, command="tfruns web", port=port, passkeys=passkeys)
    try:
        address = (await connection.client()).settings.address
        link = await pages.link(path_of(page, [str(address)]))
        server = await pages.started()
        say(f"Serving pages for {address.hostname} at {server.url}/app. Press Ctrl-C to stop.")
        await _show(link, f"{server.url}/app", is_opened=is_opened)
        await server.wait()
    finally:
        await pages.aclose()
        await connection.aclose()

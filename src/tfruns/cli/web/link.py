"""`tfruns web link`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import Port

from tfruns.cli.options import DATA_DIR, PROFILE
from tfruns.cli.terminal import exit_on_error, print_line
from tfruns.cli.web.pages import PAGE, address_of_url, path_of
from tfruns.errors import ConnectionFailed, InvalidInput
from tfruns.web.links import request_link
from tfruns.web.running import RunningPages, running_pages

_LOCAL = "Use the local backend, which must be running"
_PORT = "Use the pages on this port"


def link(
    page: Annotated[str | None, Parameter(help=PAGE)] = None,
    /,
    *,
    port: Annotated[Port | None, Parameter(help=_PORT)] = None,
    profile: Annotated[str | None, Parameter(help=PROFILE)] = None,
    local: Annotated[bool, Parameter(help=_LOCAL)] = False,
    data_dir: Annotated[Path | None, Parameter(help=DATA_DIR)] = None,
) -> None:
    """Print a single-use link to the pages.

    The link starts a session in a browser. It works once, within 10 minutes. The pages must already be running: in the
    local backend, with --local or --data-dir, or else in a `tfruns web` or `tfruns mcp` process of the same user. If
    there are several, select one with --port or a URL.

    For example:
        tfruns web link
        tfruns web link --local run-CZcmD7eagjhyX0vN
        tfruns web link --port 40123
    """
    with exit_on_error(is_json=False):
        if port is not None and (local or data_dir is not None):
            raise InvalidInput(
                "--port and --local cannot be used together.",
                cause="--port selects the pages of `tfruns web` and `tfruns mcp`.",
                solution="Omit one of them.",
            )
        running = _on_port(port) if port is not None else _of_url(page)
        if running is not None:
            print_line(_link_of(running, page))
        else:
            print_line(_selected_link(page, profile, data_dir, is_local=local or data_dir is not None))


def _link_of(running: RunningPages, page: str | None) -> str:
    return request_link(running.url, running.secret, path_of(page, [running.api, running.url]))


def _on_port(port: int) -> RunningPages:
    for running in running_pages():
        if running.url.endswith(f":{port}"):
            return running
    raise ConnectionFailed(
        f"No pages of this user are served on port {port}.",
        cause="`tfruns web` or `tfruns mcp` has exited.",
        solution="Open them again with `tfruns web`.",
    )


def _of_url(page: str | None) -> RunningPages | None:
    """The running server of a URL; None if this is not the URL of one."""
    address = address_of_url(page)
    return next((running for running in running_pages() if running.url == address), None) if address else None


def _selected_link(page: str | None, profile: str | None, data_dir: Path | None, *, is_local: bool) -> str:
    """A link to the pages of the API that the options, the profile or the environment select."""
    from tfruns.cli.connection import directory_address, is_local_selected  # noqa: PLC0415
    from tfruns.cli.profiles import active_profile  # noqa: PLC0415

    selected = active_profile(profile)
    if is_local or is_local_selected(selected):
        return _local_link(data_dir or selected.data_path, page)
    api = str(directory_address(selected))
    others = running_pages()
    found = [running for running in others if running.api == api]
    if not found:
        raise ConnectionFailed(
            f"No pages for {api} are open.",
            cause="Neither `tfruns web` nor `tfruns mcp` serves them for this user.",
            solution=" ".join(
                ["Open them with `tfruns web`; for the local backend, add --local."]
                + [f"For the open pages of {other.api}, add --port {other.url.rpartition(':')[2]}." for other in others]
            ),
        )
    return _link_of(next((running for running in found if running.command == "tfruns web"), found[0]), page)


def _local_link(data_dir: Path | None, page: str | None) -> str:
    """A link to the pages of a data directory's server."""
    from tfruns.cli.server.data_directory import data_directory  # noqa: PLC0415
    from tfruns.local.cannot_start import CannotStart  # noqa: PLC0415

    directory = data_directory(data_dir)
    try:
        owner = directory.owner() if directory.is_owned() else None
        token = directory.token()
    except (CannotStart, OSError) as error:
        raise ConnectionFailed("The data directory cannot be read.", cause=str(error)) from None
    if owner is None or token is None:
        raise ConnectionFailed(
            f"No server is running on {directory.path}.",
            cause="It is not the data directory of a server, or the server has exited.",
            solution="Open the pages with `tfruns web --local`, which starts it, or specify another --data-dir.",
        )
    certificate = directory.certificate if directory.certificate.exists() else None
    return request_link(owner.url, token, path_of(page, [owner.url]), certificate)

"""`tfruns mcp`."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from tfruns.cli.options import IDLE_EXIT, check_local

_MODE = "What it may do: read only; plan, where nothing can be applied; or all."
_CONFIRM = (
    "Before what cannot be undone: ask the person where the client can, else leave it to the client unless something "
    "is lost (auto); want a person's yes or a review (review); always a person's yes (always); ask no one (never)."
)
_TOOLSETS = "Groups of tools to offer: runs, review, workspaces, configuration, policy. All by default."
_ORGANIZATIONS = "The only organizations that may be touched, with commas between; * and ? are wildcards."
_WORKSPACES = "The only workspaces: organization/name (with wildcards) or ws-…, with commas between."
_LOCAL = "Manage runs on this machine: attach to the local backend, or start it (see `tfruns server`)."
_DATA_DIR = "With --local: the local backend's data directory."
_ALLOW_DIR = "A directory from which, and from below which, configurations may be uploaded. Repeatable."


def mcp(
    *,
    mode: Annotated[Literal["read", "plan", "apply"], Parameter(help=_MODE)] = "apply",
    confirm: Annotated[Literal["auto", "review", "always", "never"], Parameter(help=_CONFIRM)] = "auto",
    toolsets: Annotated[str | None, Parameter(help=_TOOLSETS)] = None,
    organizations: Annotated[str | None, Parameter(help=_ORGANIZATIONS)] = None,
    workspaces: Annotated[str | None, Parameter(help=_WORKSPACES)] = None,
    local: Annotated[bool, Parameter(help=_LOCAL)] = False,
    data_dir: Annotated[Path | None, Parameter(help=_DATA_DIR)] = None,
    idle_exit: Annotated[str | None, Parameter(help=IDLE_EXIT)] = None,
    allow_dir: Annotated[tuple[Path, ...], Parameter(help=_ALLOW_DIR)] = (),
) -> None:
    """Serve the run tools to an assistant: an MCP server on standard input and output.

    The API token is taken from TFE_TOKEN (for the host in TFE_ADDRESS),
    from TF_TOKEN_<host>, from the Terraform CLI configuration, or from what
    `terraform login` stored.

    For example:
        tfruns mcp --mode read
        tfruns mcp --mode plan --workspaces 'acme/dev-*' --allow-dir .
        tfruns mcp --local
    """
    from tfruns.configuration.allowed_directories import resolve_allowed  # noqa: PLC0415
    from tfruns.errors import InvalidInput  # noqa: PLC0415
    from tfruns.mcp.connection import LocalConnection, RemoteConnection  # noqa: PLC0415
    from tfruns.mcp.stdio import serve  # noqa: PLC0415
    from tfruns.policy import Confirm, Mode, Policy, parse_toolsets  # noqa: PLC0415
    from tfruns.scope import parse_scope  # noqa: PLC0415

    try:
        offered, scope = parse_toolsets(toolsets), parse_scope(organizations, workspaces)
        allowed_directories = resolve_allowed(allow_dir)
        check_local(is_local=local, data_dir=data_dir, idle_exit=idle_exit)
    except InvalidInput as error:
        sys.exit(str(error))
    policy = Policy(Mode(mode), Confirm(confirm), offered, scope)
    connection = LocalConnection(data_dir, idle_exit) if local else RemoteConnection()
    serve(policy, connection, allowed_directories)

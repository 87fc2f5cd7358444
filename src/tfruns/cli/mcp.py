"""`tfruns mcp`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from tfruns.cli.options import DATA_DIR, IDLE_EXIT, LOCAL, PROFILE, check_local
from tfruns.cli.passkeys import PASSKEY, own_passkeys

if TYPE_CHECKING:
    from tfruns.policy import Confirm
    from tfruns.web.passkeys import Passkeys

MODE = "Allow only reading, also planning, or also applying"
_CONFIRM = "Select when a person has to confirm (default: auto)"
_TOOLSETS = "Offer only these groups of tools"
ORGANIZATIONS = "Allow access only to these organizations"
WORKSPACES = "Allow access only to these workspaces"
_ALLOW_DIR = "Allow uploads from this directory. Repeatable"


def mcp(
    *,
    mode: Annotated[Literal["read", "plan", "apply"], Parameter(help=MODE)] = "apply",
    confirm: Annotated[Literal["auto", "review", "always", "page", "never"] | None, Parameter(help=_CONFIRM)] = None,
    toolsets: Annotated[str | None, Parameter(help=_TOOLSETS)] = None,
    organizations: Annotated[str | None, Parameter(help=ORGANIZATIONS)] = None,
    workspaces: Annotated[str | None, Parameter(help=WORKSPACES)] = None,
    profile: Annotated[str | None, Parameter(help=PROFILE)] = None,
    passkey: Annotated[bool, Parameter(help=PASSKEY)] = False,
    local: Annotated[bool, Parameter(help=LOCAL)] = False,
    data_dir: Annotated[Path | None, Parameter(help=DATA_DIR)] = None,
    idle_exit: Annotated[str | None, Parameter(help=IDLE_EXIT)] = None,
    allow_dir: Annotated[tuple[Path, ...], Parameter(help=_ALLOW_DIR)] = (),
) -> None:
    """Serve the run tools to an assistant over MCP (stdio).

    Modes: read changes nothing; plan creates runs, but applies nothing; apply allows everything.

    --confirm selects which confirmation a call requires (never: none):

        {the table of consent}

    Page: a person decides on a web page, which this process serves on 127.0.0.1. The client opens it, or its link is in
    the refusal. Person: a person confirms in the client or on the page. Review: the fingerprint from review_run, or a
    person. Code: the code from the refusal, a fingerprint, or a person. Client: the client's own approval is enough.
    With auto, a person is asked first if the client can ask; if it closes the question without an answer, a fingerprint
    or a code is required.

    With --passkey, destructive decisions on the page require a passkey (extra `passkey`). --passkey requires --confirm
    page, because other confirmations do not use it.

    Lists are comma-separated. The toolsets are runs, review, workspaces, configuration, policy and administration; by
    default, all but administration are offered. Organizations and workspaces may contain the wildcards * and ?. A
    workspace is organization/name or an id (ws-…).

    The API token is TFE_TOKEN (for the host in TFE_ADDRESS), TF_TOKEN_<host>, a token in the Terraform CLI
    configuration, or the one that `tfruns login` or `terraform login` stored.

    For example:
        tfruns mcp --mode read
        tfruns mcp --mode plan --workspaces 'acme/dev-*' --allow-dir .
        tfruns mcp --local
    """
    from tfruns.cli.connection import connection_outside_of_directories, is_local_selected  # noqa: PLC0415
    from tfruns.cli.profiles import active_profile  # noqa: PLC0415
    from tfruns.configuration.allowed_directories import resolve_allowed  # noqa: PLC0415
    from tfruns.errors import InvalidInput  # noqa: PLC0415
    from tfruns.mcp.connection import Connection, LocalConnection  # noqa: PLC0415
    from tfruns.mcp.stdio import serve  # noqa: PLC0415
    from tfruns.policy import Confirm, Mode, Policy, parse_toolsets  # noqa: PLC0415
    from tfruns.scope import parse_scope  # noqa: PLC0415
    from tfruns.web.loopback import LoopbackPages  # noqa: PLC0415

    try:
        offered, scope = parse_toolsets(toolsets), parse_scope(organizations, workspaces)
        allowed_directories = resolve_allowed(allow_dir)
        selected = active_profile(profile)
        is_local = local or is_local_selected(selected)
        confirms = Confirm(confirm or selected.named("confirm") or Confirm.AUTO)
        passkeys = _passkeys(confirms) if passkey else None
        check_local(is_local=is_local, data_dir=data_dir, idle_exit=idle_exit)
    except InvalidInput as error:
        from tfruns.cli.exit_codes import ExitCode  # noqa: PLC0415
        from tfruns.cli.terminal import fail  # noqa: PLC0415

        fail(error, is_json=False, code=ExitCode.USAGE)
    policy = Policy(Mode(mode), confirms, offered, scope)
    if is_local:
        connection: Connection = LocalConnection(data_dir or selected.data_path, idle_exit)
    else:
        connection = connection_outside_of_directories(selected)
    pages = LoopbackPages(connection.client, policy, command="tfruns mcp", passkeys=passkeys)
    serve(policy, connection, allowed_directories, pages)


def _passkeys(confirm: "Confirm") -> "Passkeys":
    """The passkeys of this user.

    Raises:
        InvalidInput: a call can be confirmed without the page, or the extra is not installed.
    """
    from tfruns.errors import InvalidInput  # noqa: PLC0415

    if confirm != "page":
        raise InvalidInput(
            "--passkey requires --confirm page.",
            cause="Other confirmations do not need a passkey.",
            solution="Add --confirm page, or omit --passkey.",
        )
    return own_passkeys()

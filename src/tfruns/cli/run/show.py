"""`tfruns run show`."""

from datetime import UTC, datetime

from tfruns.cli.options import DEFAULTS, Options, Organization, Run, Workspace
from tfruns.cli.run.timeline import drawn, steps
from tfruns.cli.session import Session, command
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import Styled, in_commands, print_line
from tfruns.lifecycle import is_final
from tfruns.tool import View

_DRAWN = ("operation", "message", "workspace_name", "created_by", "configuration_version_id", "has_changes", "url")


def show(
    run: Run = None,
    /,
    *,
    workspace: Workspace = None,
    organization: Organization = None,
    options: Options = DEFAULTS,
) -> None:
    """Show a run: where it stands, how it came there, what may be done, and what follows.

    For example:
        tfruns run show run-CZcmD7eagjhyX0vN
        tfruns run show --workspace network
    """

    async def work(session: Session) -> None:
        run_id = await resolve_run(session, run, workspace, organization)
        session.show(await session.call("get_run_details", run_id=run_id), _print)

    command(work, options)


def _print(view: View) -> None:
    actions = view["allowed_actions"]
    print_fields(
        {
            "run": view["id"],
            "status": status_text(view["status"], needs_attention="apply" in actions),
            **{name: view.get(name) for name in _DRAWN},
            "may": ", ".join(actions) or None,
        }
    )
    print_line()
    moments = {name.removesuffix("_at"): moment for name, moment in view.get("status_timestamps", {}).items()}
    for line in drawn(steps(moments, None if is_final(view["status"]) else datetime.now(UTC))):
        print_line(line)
    print_line(Styled(f"  next: {in_commands(view['next'])}", "dim"))

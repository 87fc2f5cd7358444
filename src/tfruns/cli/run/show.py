"""`tfruns run show`."""

from datetime import UTC, datetime

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Run, Workspace
from tfruns.cli.run.timeline import steps, timeline_lines
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import Styled, in_commands, print_line
from tfruns.lifecycle import is_final
from tfruns.tool import View

_FIELDS = ("operation", "message", "workspace_name", "created_by", "configuration_version_id", "has_changes", "url")


def show(
    run: Run = None,
    /,
    *,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Show a run: status, timeline and allowed actions.

    For example:
        tfruns run show run-CZcmD7eagjhyX0vN
        tfruns run show --workspace network
    """

    async def work(session: Session) -> None:
        run_id = await resolve_run(session, run, workspace, organization)
        session.show(await session.call("get_run_details", run_id=run_id), _print)

    run_command(work, options)


def _print(view: View) -> None:
    actions = view["allowed_actions"]
    print_fields(
        {
            "run": view["id"],
            "status": status_text(view["status"], needs_attention="apply" in actions),
            **{name: view.get(name) for name in _FIELDS},
            "allowed": ", ".join(actions) or None,
        }
    )
    print_line()
    moments = {name.removesuffix("_at"): moment for name, moment in view.get("status_timestamps", {}).items()}
    for line in timeline_lines(steps(moments, None if is_final(view["status"]) else datetime.now(UTC))):
        print_line(line)
    print_line(Styled(f"  next: {in_commands(view['next'])}", "dim"))

"""`tfruns run status`."""

from functools import partial
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.live import WatchOption, show_or_watch
from tfruns.cli.options import DEFAULTS, CommonOptions, Organization
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import Column, print_table, status_text
from tfruns.cli.targets import resolve_organization
from tfruns.cli.terminal import say
from tfruns.cli.watch import counts_line
from tfruns.views.explained import ExplainedRun, ExplainedRuns

_FAILED = "Show failed runs, and the first error of each"
_SINCE = "Created, or failed, since: 90m, 24h, 7d, 2026-11-27"
_NAMES = "Show only these workspaces; may contain * and ?"
_COLUMNS = (
    Column("run", is_key=True),
    Column("workspace"),
    Column("status", is_key=True),
    Column("since"),
    Column("waits for"),
    Column("why", shrinks=True),
)


def status(
    *,
    failed: Annotated[bool, Parameter(help=_FAILED)] = False,
    since: Annotated[str | None, Parameter(help=_SINCE)] = None,
    workspace_names: Annotated[
        str | None, Parameter(name=["--workspace-names", "--workspace", "-w"], help=_NAMES)
    ] = None,
    watch: WatchOption = False,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Show what each open run of an organization waits for.

    Runs that wait for a person come first and are marked with "!". With --failed, shows the runs that failed in the
    last 24 hours, or since --since.

    For example:
        tfruns run status
        tfruns run status --workspace 'prod-*'
        tfruns run status --failed --since 7d
    """

    async def work(session: Session) -> None:
        owner = await resolve_organization(session, organization)

        async def read() -> ExplainedRuns:
            return await session.call(
                "explain_runs",
                ExplainedRuns,
                which="failed" if failed else "open",
                organization=owner,
                filter_workspace_names=workspace_names,
                since=since,
            )

        await show_or_watch(session, read, partial(_print, is_failed=failed), is_watched=watch)

    run_command(work, options)


def _print(view: ExplainedRuns, *, is_failed: bool) -> None:
    rows = [
        (
            run.id,
            run.workspace_name or run.workspace_id,
            status_text(run.status, needs_attention=bool(run.needs_person)),
            run.since,
            run.waits_for,
            _why(run),
        )
        for run in view.runs
    ]
    print_table(_COLUMNS, rows)
    if not rows:
        say("No run failed." if is_failed else "No run is open.")
    if view.omitted:
        say(f"And {view.omitted} more.")
    if view.note:
        say(view.note)


def _why(run: ExplainedRun) -> str:
    return f"{counts_line(run.plan, has_changes=True)}. {run.why}" if run.plan else run.why

"""`tfruns run show`."""

from datetime import UTC, datetime
from functools import partial

from tfruns.cli.browser import Web, open_page
from tfruns.cli.live import WatchOption, show_or_watch
from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Run, Workspace
from tfruns.cli.run.timeline import steps, timeline_lines
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import Styled, print_line
from tfruns.lifecycle import is_final
from tfruns.views.runs import RunView

_FIELDS = ("operation", "message", "workspace_name", "created_by", "configuration_version_id", "has_changes", "url")


def show(
    run: Run = None,
    /,
    *,
    web: Web = False,
    watch: WatchOption = False,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Show a run: status, timeline and allowed actions.

    For example:
        tfruns run show run-CZcmD7eagjhyX0vN
        tfruns run show --workspace network --watch
        tfruns run show run-CZcmD7eagjhyX0vN --jq .status
    """

    async def work(session: Session) -> None:
        run_id = await resolve_run(session, run, workspace, organization)

        async def read() -> RunView:
            return await session.call("get_run_details", RunView, run_id=run_id)

        if web:
            await open_page(session, (await read()).url)
            return
        await show_or_watch(
            session, read, partial(_print, session), is_watched=watch, is_last=lambda view: is_final(view.status)
        )

    run_command(work, options)


_YES_NO = {True: "yes", False: "no", None: None}


def _print(session: Session, view: RunView) -> None:
    actions = view.allowed_actions
    print_fields(
        {
            "run": view.id,
            "status": status_text(view.status, needs_attention="apply" in actions),
            **{name: getattr(view, name) or None for name in _FIELDS if name != "has_changes"},
            "has_changes": _YES_NO[view.has_changes],
            "allowed": ", ".join(actions) or None,
        }
    )
    print_line()
    moments = {name.removesuffix("_at"): moment for name, moment in (view.status_timestamps or {}).items()}
    for line in timeline_lines(steps(moments, None if is_final(view.status) else datetime.now(UTC))):
        print_line(line)
    print_line(Styled(f"  next: {session.next_text(view.follows, view.next_actions)}", "dim"))

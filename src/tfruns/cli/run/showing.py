"""`tfruns run show`."""

from datetime import datetime
from typing import Any

from rich.text import Text

from tfruns.cli.calling import Session, command
from tfruns.cli.options import DEFAULTS, Options, Organization, Run, Workspace
from tfruns.cli.places import run_of
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.terminal import out
from tfruns.tools.registry import View

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
        run_id = await run_of(session, run, workspace, organization)
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
            "next": view.get("next"),
        }
    )
    out().print()
    for line in timeline(view.get("status_timestamps", {})):
        out().print(line)


def timeline(timestamps: dict[str, Any]) -> list[Text]:
    """The statuses that a run had, in order, with when, and how long each took."""
    reached = sorted((datetime.fromisoformat(moment), name.removesuffix("_at")) for name, moment in timestamps.items())
    lines = []
    for index, (moment, name) in enumerate(reached):
        is_last = index + 1 == len(reached)
        took = "" if is_last else f"  {(reached[index + 1][0] - moment).total_seconds():.0f} s"
        mark = "o" if is_last else "|"
        lines.append(Text(f"{mark} {moment:%H:%M:%S}  {name}{took}", style="bold" if is_last else "dim"))
    return lines

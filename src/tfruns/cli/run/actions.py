"""What the commands that act on one run have in common."""

from typing import Literal

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.run.bulk import bulk
from tfruns.cli.run.filters import Filters
from tfruns.cli.session import Session, Work
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import in_commands
from tfruns.tool import View


def discarding_or_canceling(
    name: Literal["discard", "cancel"],
    run: str | None,
    comment: str,
    filters: Filters,
    workspace: str | None,
    organization: str | None,
    *,
    is_all: bool,
    is_dry: bool,
) -> Work:
    """The work of `discard` and `cancel`: on one run, which nothing is asked about, or on all that filters select."""

    async def work(session: Session) -> ExitCode | None:
        if is_all:
            filters.refuse_with_run(run)
            return await bulk(session, name, filters, workspace, organization, comment=comment, is_dry=is_dry)
        filters.refuse_without_all(dry_run=is_dry)
        run_id = await resolve_run(session, run, workspace, organization)
        agreed = session.with_agreement()  # whoever types the command has agreed to it
        session.show(await agreed.call(f"{name}_run", run_id=run_id, comment=comment), print_accepted)
        return None

    return work


def print_accepted(view: View) -> None:
    """Print the answer to an action: where the run stands now. Accepted is all that is known of the action itself."""
    displaced = view.get("displaced")
    print_fields(
        {
            "run": view["id"],
            "accepted": "yes",
            "status": status_text(view["status"]),
            "displaced": ", ".join(f"{run['id']} ({run['status']})" for run in displaced) if displaced else None,
            "may": ", ".join(view.get("allowed_actions", ())) or None,
            "next": in_commands(view["next"]),
            "note": view.get("note"),
        }
    )

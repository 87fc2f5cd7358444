"""Shared parts of the commands that act on a run."""

from typing import Literal

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.run.bulk import act_on_all
from tfruns.cli.run.filters import Filters
from tfruns.cli.session import Session, Work
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import in_commands
from tfruns.tool import View


def discard_or_cancel(
    name: Literal["discard", "cancel"],
    run: str | None,
    comment: str,
    filters: Filters,
    workspace: str | None,
    organization: str | None,
    *,
    is_all: bool,
    is_dry_run: bool,
) -> Work:
    """The work of `discard` and `cancel`: on one run, without a question, or on all runs that the filters select."""

    async def work(session: Session) -> ExitCode | None:
        if is_all:
            filters.refuse_with_run(run)
            return await act_on_all(
                session, name, filters, workspace, organization, comment=comment, is_dry_run=is_dry_run
            )
        filters.refuse_without_all(is_dry_run=is_dry_run)
        run_id = await resolve_run(session, run, workspace, organization)
        confirmed = session.with_consent()  # typing the command is the consent
        session.show(await confirmed.call(f"{name}_run", run_id=run_id, comment=comment), print_accepted)
        return None

    return work


def print_accepted(view: View) -> None:
    """Print the result of an action, which was accepted, and the current status of the run."""
    displaced = view.get("displaced")
    print_fields(
        {
            "run": view["id"],
            "accepted": "yes",
            "status": status_text(view["status"]),
            "displaced": ", ".join(f"{run['id']} ({run['status']})" for run in displaced) if displaced else None,
            "allowed": ", ".join(view.get("allowed_actions", ())) or None,
            "next": in_commands(view["next"]),
            "note": view.get("note"),
        }
    )

"""Shared parts of the commands that act on a run."""

from functools import partial
from typing import Literal

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.run.bulk import TOOLS, act_on_all
from tfruns.cli.run.filters import Filters
from tfruns.cli.session import Session, Work
from tfruns.cli.tables import print_fields, status_text
from tfruns.cli.targets import resolve_run
from tfruns.views.runs import ActionView


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
        show_accepted(session, await confirmed.call(TOOLS[name].name, ActionView, run_id=run_id, comment=comment))
        return None

    return work


def show_accepted(session: Session, view: ActionView) -> None:
    """Print the result of an action, which was accepted, and the current state of the run."""
    session.show(view, partial(_print, session))


def _print(session: Session, view: ActionView) -> None:
    print_fields(
        {
            "run": view.id,
            "accepted": "yes",
            "status": status_text(view.status),
            "displaced": ", ".join(f"{run.id} ({run.status})" for run in view.displaced or ()) or None,
            "unfinished": ", ".join(view.unfinished) or None,
            "allowed": ", ".join(view.allowed_actions or ()) or None,
            "next": session.next_text(view.follows, view.next_actions),
            "note": view.note or None,
        }
    )

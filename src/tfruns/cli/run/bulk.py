"""One action on many runs: show the runs and the effects, ask once, then act on one run after the other."""

import asyncio
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.person import ask
from tfruns.cli.plans import is_dangerous, named, why_of
from tfruns.cli.run.filters import Filters
from tfruns.cli.session import Session, not_done
from tfruns.cli.tables import Column, print_table, status_text
from tfruns.cli.terminal import say
from tfruns.cli.watch import terminated_as_interrupted
from tfruns.errors import Declined, InvalidInput, OutcomeUnknown, TfrunsError
from tfruns.gate.person import Answer
from tfruns.lifecycle import RULES
from tfruns.policy import Confirm
from tfruns.tool import Tool
from tfruns.tools.apply_run import apply_run
from tfruns.tools.cancel_run import cancel_run
from tfruns.tools.discard_run import discard_run
from tfruns.views.base import View, kept
from tfruns.views.review import PlanReviewView, ReviewRow, ReviewView
from tfruns.views.runs import ActionView, RunPage, RunView
from tfruns.vocabulary import RunAction
from tfruns.wording import counted

All = Annotated[bool, Parameter(name="--all", help="Act on all runs selected by the filters")]
DryRun = Annotated[bool, Parameter(help="With --all: show the runs and effects, send nothing")]

Name = Literal["apply", "discard", "cancel"]

TOOLS: Mapping[Name, Tool] = {"apply": apply_run, "discard": discard_run, "cancel": cancel_run}
_COLUMNS = (
    Column("run", is_key=True),
    Column("workspace"),
    Column("status", is_key=True),
    Column("outcome", is_key=True),
    Column("plan", wraps=True),
    Column("dangers", wraps=True),
    Column("why", wraps=True),
)
_PAGE_SIZE = 100
_MAX_RUNS = 500
_REVIEW_PAGE_SIZE = 50
_FAILED = frozenset({"failed", "unknown"})
_MAX_DANGERS = 10  # dangerous rows of a plan that are shown


@dataclass(frozen=True, slots=True)
class BulkRow(View):
    """A run of a bulk action, for programs."""

    id: str
    workspace_name: str | None
    status: str
    message: str
    plan: str
    dangers: tuple[str, ...]
    fingerprint: str
    outcome: str
    why: str
    error: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class BulkView(View):
    """The result of a bulk action."""

    ROWS = "runs"

    action: str
    dry_run: bool
    runs: tuple[BulkRow, ...] = kept()


@dataclass(slots=True)
class SelectedRun:
    """A selected run and the outcome of the action.

    Attributes:
        run: a result of `get_run_details`.
        review: a result of `review_run`; only for an apply.
        outcome: would, skipped, accepted, failed, unknown (the request was sent, and the response was lost) or
            not sent (the command was interrupted before).
        dangers: the dangerous changes of the plan.
        why: the reason for the outcome; empty if the action was accepted.
        error: the error if it failed, for programs.
        status: the status after the action.
    """

    run: RunView
    review: ReviewView | None = None
    dangers: tuple[ReviewRow, ...] = ()
    outcome: str = "would"
    why: str = ""
    error: dict[str, Any] | None = None
    status: str = ""

    def row(self) -> BulkRow:
        """The row of the JSON result."""
        return BulkRow(
            id=self.run.id,
            workspace_name=self.run.workspace_name,
            status=self.status or self.run.status,
            message=self.run.message,
            plan=self.plan,
            dangers=tuple(row.address for row in self.dangers),
            fingerprint=self.fingerprint or "",
            outcome=self.outcome,
            why=self.why,
            error=self.error,
        )

    @property
    def plan(self) -> str:
        return self.review.plan if self.review else ""

    @property
    def fingerprint(self) -> str | None:
        return self.review.fingerprint or None if isinstance(self.review, PlanReviewView) else None


async def act_on_all(
    session: Session,
    name: Name,
    filters: Filters,
    workspace: str | None,
    organization: str | None,
    *,
    comment: str,
    is_dry_run: bool,
) -> ExitCode:
    """Send an action for every run that the filters select and that allows it.

    Raises:
        InvalidInput: too many runs match, or a filter is empty.
        ConfirmationNeeded: there is no terminal to ask at, and no --yes.
        Declined: the person did not confirm; nothing was sent.
        TfrunsError: the runs cannot be listed.
    """
    filters.refuse_empty(workspace)
    if not is_dry_run:
        session.require_person()
    targets = [
        await _target(session, name, run_id) for run_id in await _ids(session, name, filters, workspace, organization)
    ]
    if name == "apply":
        targets.reverse()  # oldest first. The other actions take the newest first, so that no pending run starts.
    chosen = [target for target in targets if target.outcome == "would"]
    try:
        if chosen and not is_dry_run:
            _confirm(session, name, targets, chosen)
            await _act_on_each(session.with_consent(), name, chosen, comment)
    except asyncio.CancelledError:  # SIGINT or SIGTERM
        raise KeyboardInterrupt from None
    finally:
        if is_dry_run or all(target.outcome != "would" for target in chosen):
            view = BulkView(name, is_dry_run, tuple(target.row() for target in targets))
            session.show(view, lambda _: _print(name, targets))
    return ExitCode.ERROR if any(target.outcome in _FAILED for target in targets) else ExitCode.DONE


async def _ids(
    session: Session, name: Name, filters: Filters, workspace: str | None, organization: str | None
) -> list[str]:
    tool, arguments = await filters.call(session, workspace, organization)
    if filters.status is None and filters.group is None:
        action = RunAction(name)
        statuses = sorted(status for status, rule in RULES.items() if action in rule.actions | rule.accepts)
        arguments["filter_status"] = ",".join(statuses)
    found: list[str] = []
    for page in itertools.count(1):
        view = await session.call(tool, RunPage, **arguments, page_number=page, page_size=_PAGE_SIZE)
        found += [run.id for run in view.runs]
        if len(found) > _MAX_RUNS:
            raise InvalidInput(f"More than {_MAX_RUNS} runs match. Nothing was sent.", solution="Use narrower filters.")
        if view.next_page is None:
            break
    return list(dict.fromkeys(found))


async def _target(session: Session, name: Name, run_id: str) -> SelectedRun:
    """Read a run, and check whether it allows the action. A run that cannot be read does not affect the others."""
    try:
        target = SelectedRun(await session.call("get_run_details", RunView, run_id=run_id))
        if name not in target.run.allowed_actions:
            target.outcome, target.why = "skipped", f"it is {target.run.status}: {target.run.follows}"
        elif name == "apply":
            await _review(session, target)
    except TfrunsError as error:
        return _failed(SelectedRun(RunView(run_id, "unknown")), error)
    return target


async def _review(session: Session, target: SelectedRun) -> None:
    """Read the review of the plan with all its dangerous changes, which come first."""
    for page in itertools.count(1):
        view = await session.call(
            "review_run", ReviewView, run_id=target.run.id, page_number=page, page_size=_REVIEW_PAGE_SIZE
        )
        target.review = target.review or view
        rows = view.rows if isinstance(view, PlanReviewView) else ()
        dangerous = tuple(row for row in rows if is_dangerous(row))
        target.dangers += dangerous
        if not isinstance(view, PlanReviewView) or view.next_page is None or len(dangerous) < len(rows):
            return


def _failed(target: SelectedRun, error: TfrunsError) -> SelectedRun:
    target.outcome = "unknown" if isinstance(error, OutcomeUnknown) else "failed"
    target.why, target.error = error.message, error.as_dict()
    return target


def _confirm(session: Session, name: Name, targets: list[SelectedRun], chosen: list[SelectedRun]) -> None:
    """Show the effects, and ask once, unless the person gave --yes."""
    if session.gate.policy.confirm is Confirm.NEVER:
        return
    for target in targets:
        for line in _described(name, target):
            say(line)
    if ask(f"{name.capitalize()} {counted(len(chosen), 'run')}?") is not Answer.YES:
        raise Declined(not_done(TOOLS[name].name))


def _described(name: Name, target: SelectedRun) -> Iterator[str]:
    run = target.run
    outcome = name if target.outcome == "would" else f"{target.outcome}: {target.why}"
    message = f' "{run.message}"' if run.message else ""
    workspace = run.workspace_name or run.workspace_id
    yield f"{run.id} in {workspace}, {run.status}{message}: {outcome}"
    if target.review:
        yield f"    {target.plan}"
    dangers = target.dangers
    for row in dangers[:_MAX_DANGERS]:
        why = why_of(row)
        yield f"    ! {row.action} {named(row)}{f': {why}' if why else ''}"
    if len(dangers) > _MAX_DANGERS:
        yield f"    ! and {len(dangers) - _MAX_DANGERS} more"


async def _act_on_each(session: Session, name: Name, chosen: list[SelectedRun], comment: str) -> None:
    """Send the action for one run after the other. After an interrupt, each run has a true outcome nevertheless."""
    with terminated_as_interrupted(asyncio.current_task()):
        for target in chosen:
            target.outcome, target.why = "not sent", "The command was interrupted before."
        for target in chosen:
            target.outcome, target.why = "unknown", "The command was interrupted before the response."
            await _act(session, name, target, comment)


async def _act(session: Session, name: Name, target: SelectedRun, comment: str) -> None:
    """Send the action for one run. A failure is recorded, and does not affect the other runs."""
    try:
        fingerprint = target.fingerprint
        view = await session.call(
            TOOLS[name].name, ActionView, run_id=target.run.id, comment=comment, fingerprint=fingerprint
        )
    except TfrunsError as error:
        _failed(target, error)
    else:
        target.outcome, target.why, target.status = "accepted", "", view.status


def _print(name: Name, targets: list[SelectedRun]) -> None:
    rows = [
        (
            target.run.id,
            target.run.workspace_name or target.run.workspace_id,
            status_text(target.status or target.run.status),
            f"would {name}" if target.outcome == "would" else target.outcome,
            target.plan,
            ", ".join(f"{row.action} {row.address}" for row in target.dangers[:_MAX_DANGERS]),
            target.why,
        )
        for target in targets
    ]
    print_table(_COLUMNS, rows)
    if not targets:
        say("No run matches.")

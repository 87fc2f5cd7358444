"""The parts of a run's page. A part that cannot be read is replaced by its error, and the others are shown."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

from tfruns.errors import TfrunsError
from tfruns.lifecycle import ending_of, has_taken_effect, is_final
from tfruns.phases import statuses_of_phases
from tfruns.tools.get_run_history import timeline
from tfruns.views.diagnosis import DiagnosisView
from tfruns.views.history import HistoryView, TimelineStep
from tfruns.views.review import ApplyStepsView
from tfruns.views.runs import RunView
from tfruns.vocabulary import PhaseStatus, RunAction, RunEnding, RunStatus
from tfruns.web import paths
from tfruns.web.log_lines import LogTextView, log_tail
from tfruns.web.plan_changes import plan_changes
from tfruns.web.plan_views import PlanChangesView
from tfruns.web.run_situation import RunSituationView, run_situation
from tfruns.web.visit import Visit

V = TypeVar("V")

FILTERS = ("action", "module", "resource_type", "text")
_WORK = frozenset(statuses_of_phases(PhaseStatus.RUNNING))
_STEPS = 50  # of an apply


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the decision of a form was not made.

    Attributes:
        tool: the tool of the form.
        text: the reason; empty without a problem.
        comment: the comment that was typed.
    """

    tool: str = ""
    text: str = ""
    comment: str = ""


NO_PROBLEM = Problem()


async def read_run(visit: Visit) -> RunView:
    """The run of the request."""
    return await visit.call("get_run_details", RunView, run_id=visit.path("run"))


async def read_plan(visit: Visit, run: RunView) -> Mapping[str, Any]:
    """The part of a run's page that a person needs to decide: the plan, and the situation of the workspace."""
    changes, situation = await asyncio.gather(_readable(_changes(visit, run)), _situation(visit, run))
    return {"changes": changes, "filters": {name: visit.query(name) for name in FILTERS}, "situation": situation}


async def read_parts(visit: Visit, run: RunView) -> Mapping[str, Any]:
    """The parts of a run's page, by their names in the template."""
    ending = ending_of(run.status)
    is_explained = ending in {RunEnding.FAILED, RunEnding.ABORTED} or not (is_final(run.status) or run.phase == "apply")
    is_incomplete = ending in {RunEnding.FAILED, RunEnding.ABORTED} and _may_have_applied(run)
    plan, log, history, diagnosis, steps = await asyncio.gather(
        read_plan(visit, run),
        _readable(visit.call_tool(log_tail, LogTextView, run_id=run.id)),
        _readable(
            visit.call("get_run_history", HistoryView, run_id=run.id, page_number=visit.page_number("events_page"))
        ),
        _readable(visit.call("diagnose_run", DiagnosisView, run_id=run.id)) if is_explained else _nothing(),
        _readable(_steps(visit, run)) if is_incomplete else _nothing(),
    )
    return {
        **plan,
        "log": log,
        "history": history,
        "stages": _stages(visit, run),
        "diagnosis": diagnosis,
        "steps": steps,
    }


def names(visit: Visit, run: RunView) -> dict[str, Any]:
    """The organization and the workspace of a run, whatever the URL claims; those of the URL if they are unknown."""
    organization = run_links(run)["organization"] if run.url else visit.path("organization")
    return {"organization": organization, "workspace": run.workspace_name or visit.path("workspace")}


def run_path(visit: Visit, run: RunView) -> str:
    """The path of a run's page."""
    if run.url:
        return urlsplit(run.url).path
    known = names(visit, run)
    return quote(f"{paths.PREFIX}/{known['organization']}/workspaces/{known['workspace']}/runs/{run.id}")


def run_links(run: RunView) -> Mapping[str, Any]:
    """What the templates need to link to a run's page from another page."""
    path = urlsplit(run.url or paths.run_path(run.id)).path
    return {"path": path, "organization": unquote(path.split("/")[2]), "workspace": run.workspace_name or ""}


def _timestamps(run: RunView) -> dict[str, datetime | None]:
    return {name.replace("_", "-"): at for name, at in (run.status_timestamps or {}).items()}


def _may_have_applied(run: RunView) -> bool:
    return has_taken_effect(RunAction.APPLY, run.status, _timestamps(run))


def _stages(visit: Visit, run: RunView) -> list[TimelineStep]:
    """The statuses in which Terraform works or that took time, and the last one."""
    now = None if is_final(run.status) else visit.session.visitor.gate.client.clock.now()
    # The timestamps of a pending run name another status.
    steps = [
        replace(step, status=RunStatus.PENDING) if step.status == "plan_queueable" else step
        for step in timeline(_timestamps(run), now)
    ]
    return [step for step in steps if step.duration_s or step.status in _WORK or step is steps[-1]]


async def _changes(visit: Visit, run: RunView) -> PlanChangesView:
    filters: dict[str, Any] = {name: visit.query(name) for name in FILTERS}
    return await visit.call_tool(
        plan_changes, PlanChangesView, run_id=run.id, page_number=visit.page_number(), **filters
    )


async def _situation(visit: Visit, run: RunView) -> RunSituationView | TfrunsError | None:
    if is_final(run.status):
        return None
    return await _readable(visit.call_tool(run_situation, RunSituationView, run_id=run.id))


async def _steps(visit: Visit, run: RunView) -> ApplyStepsView:
    return await visit.call(
        "review_run",
        ApplyStepsView,
        run_id=run.id,
        applied=True,
        filter=visit.query("outcome"),
        page_number=visit.page_number("steps_page"),
        page_size=_STEPS,
    )


async def _readable(view: Awaitable[V]) -> V | TfrunsError:
    """A part of the page, or the error that the page shows in its place."""
    try:
        return await view
    except TfrunsError as error:
        return error


async def _nothing() -> None:
    """A part that the page of this run does not have."""

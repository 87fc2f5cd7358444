"""A phase executed: the run put into a job, the job carried out, and what it leaves put where the API finds it."""

from dataclasses import asdict
from pathlib import Path

from tfruns.local.backend import Backend
from tfruns.local.engine.jobs import Workshop, apply_job, phase_of, plan_job
from tfruns.local.engine.stopping import CancelLevel
from tfruns.local.execution.jobs import ApplyOutcome
from tfruns.local.execution.leftovers import end_leftovers
from tfruns.local.execution.log import PhaseLog
from tfruns.local.execution.phases import run_apply, run_plan
from tfruns.local.execution.recovery import recover_apply
from tfruns.local.service.phases import Begun, PhaseResult
from tfruns.vocabulary import PhaseStatus

_PLANS_AGAIN = "The server is being stopped. It plans again when it is started again."
_STOPPED = "The server was stopped while it applied. What was done until then is in the state."


class Interrupted(Exception):
    """The server is being stopped; the phase is taken up again when it is started again."""


def execute(backend: Backend, workshop: Workshop, begun: Begun, level: CancelLevel) -> PhaseResult:
    """Carry out the phase of a run, or find out what became of it when its server was killed.

    Raises:
        Interrupted: a plan of which nothing has to be kept.
    """
    if begun.is_recovery:
        return _recover(backend, workshop, begun)
    return (_plan if begun.kind == "plan" else _apply)(backend, workshop, begun, level)


def _plan(backend: Backend, workshop: Workshop, begun: Begun, level: CancelLevel) -> PhaseResult:
    with backend.database.read() as session:
        job = plan_job(backend, workshop, session, begun.run)
        id_ = phase_of(session, begun.run.id, "plan").id
    outcome = run_plan(job, log=PhaseLog(_log_path(backend, id_)), cancel_level=level)
    if outcome.status is PhaseStatus.CANCELED and not level.of_run():
        _add_to_log(backend, id_, _PLANS_AGAIN)
        raise Interrupted
    for kind, file in (("plan-json", outcome.plan_json), ("plan-json-redacted", outcome.redacted_json)):
        if file is not None:
            backend.objects.adopt(kind, id_, file)
    return PhaseResult(
        outcome.status,
        has_changes=bool(outcome.has_changes),
        counts=asdict(outcome.counts) if outcome.counts else None,
        is_configuration_generated=outcome.has_generated_configuration,
    )


def _apply(backend: Backend, workshop: Workshop, begun: Begun, level: CancelLevel) -> PhaseResult:
    with backend.database.read() as session:
        job = apply_job(workshop, session, begun.run)
        id_ = phase_of(session, begun.run.id, "apply").id
    outcome = run_apply(job, log=PhaseLog(_log_path(backend, id_)), cancel_level=level)
    if outcome.status is PhaseStatus.CANCELED and not level.of_run():
        _add_to_log(backend, id_, _STOPPED)
        return _result(outcome, PhaseStatus.ERRORED)
    return _result(outcome, outcome.status)


def _recover(backend: Backend, workshop: Workshop, begun: Begun) -> PhaseResult:
    """The phase of a run that can only be ended: what still runs of it is ended first."""
    with backend.database.read() as session:
        job = apply_job(workshop, session, begun.run)
        id_ = phase_of(session, begun.run.id, begun.kind).id
    if begun.kind == "plan":
        end_leftovers(job.workdir, patience_s=0)
        return PhaseResult(PhaseStatus.ERRORED)
    outcome = recover_apply(job, log=PhaseLog(_log_path(backend, id_)))
    return _result(outcome, outcome.status)


def _result(outcome: ApplyOutcome, status: PhaseStatus) -> PhaseResult:
    state = outcome.state.raw if outcome.state is not None else None
    return PhaseResult(status, counts=asdict(outcome.counts), state=state)


def _log_path(backend: Backend, phase_id: str) -> Path:
    return backend.objects.path("log", phase_id)


def _add_to_log(backend: Backend, phase_id: str, text: str) -> None:
    with PhaseLog(_log_path(backend, phase_id)) as log:
        log.write_error(text)

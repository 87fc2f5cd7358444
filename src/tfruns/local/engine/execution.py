"""The execution of a phase: read its inputs, run Terraform, and store its results."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from tfruns.errors import NotFound
from tfruns.local.backend import Backend
from tfruns.local.engine.cancel import CancelCheck
from tfruns.local.engine.inputs import ExecutionConfig, apply_inputs, plan_inputs
from tfruns.local.service.interpreted_state import interpret
from tfruns.local.service.phases import PhaseResult, StartedPhase
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import StateVersionRow
from tfruns.local.terraform.command import PhaseStopped
from tfruns.local.terraform.inputs import ApplyOutcome
from tfruns.local.terraform.log import PhaseLog
from tfruns.local.terraform.phases import run_apply, run_plan, write_json_state
from tfruns.local.terraform.recovery import APPLY_INTERRUPTED, recover_apply, stop_leftovers
from tfruns.local.terraform.state import BadState
from tfruns.vocabulary import PhaseStatus

_log = logging.getLogger(__name__)

T = TypeVar("T")

_PLANS_AGAIN = "The plan was interrupted: the server is stopping. The run is planned again at the next start."
_NOT_INTERPRETED = (
    "The state is stored, but some of its outputs and resources cannot be shown: a number is too long, or a value is "
    "nested too deep."
)


class PhaseInterrupted(Exception):
    """The server is stopping. The phase is resumed at the next start."""


class PhaseNotStarted(Exception):
    """The phase was not started, because the database cannot be read. The caller may retry."""


def execute(backend: Backend, config: ExecutionConfig, phase: StartedPhase, level: CancelCheck) -> PhaseResult:
    """Execute a phase, or recover its result if its server was killed.

    Args:
        backend: the backend.
        config: the configuration of the execution.
        phase: the started phase.
        level: returns the requested cancel level.

    Raises:
        PhaseInterrupted: the server is stopping during a plan, which leaves no result.
        PhaseNotStarted: the database cannot be read.
    """
    if phase.is_recovery:
        return _recover(backend, config, phase)
    return (_plan if phase.kind == "plan" else _apply)(backend, config, phase, level)


def _plan(backend: Backend, config: ExecutionConfig, phase: StartedPhase, level: CancelCheck) -> PhaseResult:
    id_ = phase.phase_id
    try:
        inputs = _read(backend, lambda session: plan_inputs(backend, config, session, phase.run))
    except BadState as error:
        _add_to_log(backend, id_, str(error))
        return PhaseResult(PhaseStatus.ERRORED)
    outcome = run_plan(inputs, log=PhaseLog(_log_path(backend, id_)), cancel_level=level)
    if outcome.status is PhaseStatus.CANCELED and not level.of_run():
        _add_to_log(backend, id_, _PLANS_AGAIN)
        raise PhaseInterrupted
    for kind, file in (("plan-json", outcome.plan_json), ("plan-json-redacted", outcome.redacted_json)):
        if file is not None:
            backend.objects.adopt(kind, id_, file)
    return PhaseResult(
        outcome.status,
        has_changes=bool(outcome.has_changes),
        counts=asdict(outcome.counts) if outcome.counts else None,
        is_configuration_generated=outcome.has_generated_configuration,
    )


def _apply(backend: Backend, config: ExecutionConfig, phase: StartedPhase, level: CancelCheck) -> PhaseResult:
    inputs = _read(backend, lambda session: apply_inputs(config, session, phase.run))
    id_ = phase.phase_id
    outcome = run_apply(inputs, log=PhaseLog(_log_path(backend, id_)), cancel_level=level)
    if outcome.state is not None and not interpret(outcome.state.raw).is_complete:
        _add_to_log(backend, id_, _NOT_INTERPRETED, level="warn")
    if outcome.status is PhaseStatus.CANCELED and not level.of_run():
        _add_to_log(backend, id_, APPLY_INTERRUPTED)
        return _result(outcome, PhaseStatus.ERRORED)
    return _result(outcome, outcome.status)


def _recover(backend: Backend, config: ExecutionConfig, phase: StartedPhase) -> PhaseResult:
    """Finish a phase that cannot be continued, after its processes have been stopped."""
    inputs = _read(backend, lambda session: apply_inputs(config, session, phase.run))
    if phase.kind == "plan":
        stop_leftovers(inputs.run_dir, patience_s=0)
        return PhaseResult(PhaseStatus.ERRORED)
    outcome = recover_apply(inputs, log=PhaseLog(_log_path(backend, phase.phase_id)))
    return _result(outcome, outcome.status)


def _read(backend: Backend, make: Callable[[AnySession], T]) -> T:
    try:
        with backend.database.read() as session:
            return make(session)
    except SQLAlchemyError as error:
        raise PhaseNotStarted from error


def store_json_state(backend: Backend, config: ExecutionConfig, phase: StartedPhase) -> None:
    """Store the state of an apply also in Terraform's JSON output format. A failure is only logged."""
    newest = select(StateVersionRow.id).where(StateVersionRow.run_id == phase.run.id)
    try:
        with backend.database.read() as session:
            id_ = session.scalars(newest.order_by(StateVersionRow.sequence.desc())).first()
            inputs = apply_inputs(config, session, phase.run)
        if id_ is not None:
            backend.objects.adopt("json-state", id_, write_json_state(inputs))
    except (SQLAlchemyError, OSError, PhaseStopped, NotFound) as error:
        _log.warning("The state of %s cannot be stored as JSON: %s.", phase.run.id, type(error).__name__)


def log_failure(backend: Backend, phase: StartedPhase, error: Exception) -> None:
    """Add an error of the server to the log of a phase, without its message, which may contain secrets."""
    text = f"The {phase.kind} failed: internal error of the server ({type(error).__name__}). See the server's log."
    with suppress(OSError):
        _add_to_log(backend, phase.phase_id, text)


def _result(outcome: ApplyOutcome, status: PhaseStatus) -> PhaseResult:
    state = outcome.state.raw if outcome.state is not None else None
    return PhaseResult(status, counts=asdict(outcome.counts), state=state)


def _log_path(backend: Backend, phase_id: str) -> Path:
    return backend.objects.path("log", phase_id)


def _add_to_log(backend: Backend, phase_id: str, text: str, *, level: str = "error") -> None:
    with PhaseLog(_log_path(backend, phase_id)) as log:
        (log.write_error if level == "error" else log.write_warning)(text)

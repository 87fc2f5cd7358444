"""The execution of a phase: read its inputs, run Terraform, and store its results."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tfruns.errors import NotFound
from tfruns.local.backend import Backend
from tfruns.local.engine.cancel import CancelCheck
from tfruns.local.engine.inputs import ExecutionConfig, apply_inputs, plan_inputs
from tfruns.local.service.interpreted_state import interpret
from tfruns.local.service.phases import PhaseResult, StartedPhase
from tfruns.local.store.schema import StateVersionRow
from tfruns.local.terraform.command import PhaseStopped
from tfruns.local.terraform.inputs import ApplyOutcome
from tfruns.local.terraform.log import PhaseLog
from tfruns.local.terraform.phases import run_apply, run_plan, write_json_state
from tfruns.local.terraform.recovery import recover_apply, stop_leftovers
from tfruns.local.terraform.state import BadState
from tfruns.vocabulary import PhaseStatus

_log = logging.getLogger(__name__)

T = TypeVar("T")

_PLANS_AGAIN = "The server is being stopped. It plans again when it is started again."
_STOPPED = "The server was stopped while it applied. What was done until then is in the state."


_NOT_INTERPRETED = (
    "The state is stored as Terraform wrote it, but not all of its outputs and resources can be shown: a number is too "
    "long, or a value is nested too deep."
)


class Interrupted(Exception):
    """The server is being stopped; the phase is resumed when it is started again."""


class NotStarted(Exception):
    """Nothing of the phase has been started, because the database cannot be read. It can be tried again."""


def execute(backend: Backend, config: ExecutionConfig, begun: StartedPhase, level: CancelCheck) -> PhaseResult:
    """Carry out the phase of a run, or find out what became of it when its server was killed.

    Raises:
        Interrupted: a plan of which nothing has to be kept.
    """
    if begun.is_recovery:
        return _recover(backend, config, begun)
    return (_plan if begun.kind == "plan" else _apply)(backend, config, begun, level)


def _plan(backend: Backend, config: ExecutionConfig, begun: StartedPhase, level: CancelCheck) -> PhaseResult:
    id_ = begun.phase_id
    try:
        inputs = _read(backend, lambda session: plan_inputs(backend, config, session, begun.run))
    except BadState as error:
        _add_to_log(backend, id_, str(error))
        return PhaseResult(PhaseStatus.ERRORED)
    outcome = run_plan(inputs, log=PhaseLog(_log_path(backend, id_)), cancel_level=level)
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


def _apply(backend: Backend, config: ExecutionConfig, begun: StartedPhase, level: CancelCheck) -> PhaseResult:
    inputs = _read(backend, lambda session: apply_inputs(config, session, begun.run))
    id_ = begun.phase_id
    outcome = run_apply(inputs, log=PhaseLog(_log_path(backend, id_)), cancel_level=level)
    if outcome.state is not None and not interpret(outcome.state.raw).is_complete:
        _add_to_log(backend, id_, _NOT_INTERPRETED, level="warn")
    if outcome.status is PhaseStatus.CANCELED and not level.of_run():
        _add_to_log(backend, id_, _STOPPED)
        return _result(outcome, PhaseStatus.ERRORED)
    return _result(outcome, outcome.status)


def _recover(backend: Backend, config: ExecutionConfig, begun: StartedPhase) -> PhaseResult:
    """The phase of a run that can only be ended: what still runs of it is ended first."""
    inputs = _read(backend, lambda session: apply_inputs(config, session, begun.run))
    if begun.kind == "plan":
        stop_leftovers(inputs.run_dir, patience_s=0)
        return PhaseResult(PhaseStatus.ERRORED)
    outcome = recover_apply(inputs, log=PhaseLog(_log_path(backend, begun.phase_id)))
    return _result(outcome, outcome.status)


def _read(backend: Backend, make: Callable[[Session], T]) -> T:
    try:
        with backend.database.read() as session:
            return make(session)
    except SQLAlchemyError as error:
        raise NotStarted from error


def keep_json_state(backend: Backend, config: ExecutionConfig, begun: StartedPhase) -> None:
    """Keep the state that an apply has left in Terraform's JSON output format, too. Nothing depends on it."""
    newest = select(StateVersionRow.id).where(StateVersionRow.run_id == begun.run.id)
    try:
        with backend.database.read() as session:
            id_ = session.scalars(newest.order_by(StateVersionRow.sequence.desc())).first()
            inputs = apply_inputs(config, session, begun.run)
        if id_ is not None:
            backend.objects.adopt("json-state", id_, write_json_state(inputs))
    except (SQLAlchemyError, OSError, PhaseStopped, NotFound) as error:
        _log.warning("The state of %s is not kept as JSON: %s", begun.run.id, type(error).__name__)


def note_failure(backend: Backend, begun: StartedPhase, error: Exception) -> None:
    """Say in the log of a phase that the server failed; nothing of what it was, which may be secret."""
    text = f"The server failed while it ran this {begun.kind}: {type(error).__name__}. See the server's log."
    with suppress(OSError):
        _add_to_log(backend, begun.phase_id, text)


def _result(outcome: ApplyOutcome, status: PhaseStatus) -> PhaseResult:
    state = outcome.state.raw if outcome.state is not None else None
    return PhaseResult(status, counts=asdict(outcome.counts), state=state)


def _log_path(backend: Backend, phase_id: str) -> Path:
    return backend.objects.path("log", phase_id)


def _add_to_log(backend: Backend, phase_id: str, text: str, *, level: str = "error") -> None:
    with PhaseLog(_log_path(backend, phase_id)) as log:
        (log.write_error if level == "error" else log.write_warning)(text)

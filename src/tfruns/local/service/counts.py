"""How many runs a workspace has, by operation and status: kept up to date, since to count a million takes too long."""

from typing import Any

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from tfruns.local.store.schema import RunCountRow, RunRow


def count_run(session: Session, run: RunRow, *, before: str | None) -> None:
    """Count a run under its present status, and no more under the one before; None for a new run."""
    if before is not None:
        _add(session, run, before, -1)
    _add(session, run, run.status, +1)


def _add(session: Session, run: RunRow, status: str, number: int) -> None:
    key = {"workspace_id": run.workspace_id, "operation": run.operation, "status": status}
    result: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(RunCountRow).filter_by(**key).values(runs=RunCountRow.runs + number)
    )
    if result.rowcount == 0:
        session.add(RunCountRow(**key, runs=number))
        session.flush()

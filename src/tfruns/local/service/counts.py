"""How many runs a workspace has, by operation and status: kept up to date, since to count a million takes too long."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from tfruns.local.store.schema import RunRow

_ADD = """\
INSERT INTO run_counts (workspace_id, operation, status, runs) VALUES {rows}
ON CONFLICT (workspace_id, operation, status) DO UPDATE SET runs = run_counts.runs + excluded.runs
"""
_ONE_MORE = "(:workspace_id, :operation, :status, 1)"
_COUNT_NEW = text(_ADD.format(rows=_ONE_MORE))
_COUNT_CHANGED = text(_ADD.format(rows=f"(:workspace_id, :operation, :before, -1), {_ONE_MORE}"))


def count_run(session: Session, run: RunRow, *, before: str | None) -> None:
    """Count a run under its present status, and no more under the one before, another one; None for a new run."""
    row = {"workspace_id": run.workspace_id, "operation": run.operation, "status": str(run.status)}
    if before is None:
        session.execute(_COUNT_NEW, row)
    else:
        session.execute(_COUNT_CHANGED, {**row, "before": str(before)})

"""The queue of a workspace: the API does not tell a run's place in it, so the unfinished runs are looked at."""

from tfruns.client.client import Client
from tfruns.client.run_filters import RunFilters
from tfruns.vocabulary import RunOperation, StatusGroup
from tfruns.wire.runs import Run

_NOT_QUEUING = {RunOperation.PLAN_ONLY, RunOperation.SAVE_PLAN}


async def unfinished_before(client: Client, run: Run) -> list[Run]:
    """The unfinished runs of the same workspace that come before this one, the newest first; at most a hundred.

    Raises:
        TfrunsError: the list cannot be read.
    """
    if run.workspace is None:
        return []
    waiting = RunFilters(status_group=StatusGroup.NON_FINAL)
    page = await client.runs.list_for_workspace(run.workspace.id, waiting).page(size=100)
    return [other for other in page.items if _is_before(other, run)]


def is_queuing(run: Run) -> bool:
    """Whether the run waits for its turn in the workspace; plan-only runs and the plans of saved plans do not."""
    return run.operation not in _NOT_QUEUING


def _is_before(other: Run, run: Run) -> bool:
    if other.id == run.id or not is_queuing(other):
        return False
    return other.created_at is None or run.created_at is None or other.created_at <= run.created_at

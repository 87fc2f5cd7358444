"""The queue of a workspace: the API does not tell a run's place in it, so the unfinished runs are looked at."""

from tfruns.client.client import Client
from tfruns.client.run_filters import RunFilters
from tfruns.lifecycle import is_queued
from tfruns.vocabulary import StatusGroup
from tfruns.wire.runs import Run


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


def _is_before(other: Run, run: Run) -> bool:
    if other.id == run.id or not is_queued(other.operation):
        return False
    return other.created_at is None or run.created_at is None or other.created_at <= run.created_at

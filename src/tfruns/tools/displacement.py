"""Which runs a force-execute displaced: the API does not say, so the queue is looked at before and after."""

from tfruns.client.client import Client
from tfruns.errors import TfrunsError
from tfruns.jsonapi import JSON
from tfruns.lifecycle import is_final
from tfruns.tools.queueing import unfinished_before


async def runs_before(client: Client, run_id: str) -> tuple[str, list[str]] | None:
    """The workspace of a run, and the unfinished runs before it in the queue; None if that is not to be had."""
    try:
        run = await client.runs.read(run_id)
        if run.workspace is None:
            return None
        before = await unfinished_before(client, run)
    except TfrunsError:
        return None
    return run.workspace.id, [other.id for other in before]


async def displaced_by(client: Client, before: tuple[str, list[str]] | None) -> dict[str, JSON]:
    """Those of the runs before that have ended now, with how, and those that have not; a part of the tool's answer."""
    if before is None:
        return {"note": "Which runs were displaced is not known: the queue could not be read before."}
    workspace_id, ids = before
    try:
        page = await client.runs.list_for_workspace(workspace_id).page(size=100)
    except TfrunsError:
        return {"note": f"The queue could not be read afterwards. Before this run were: {', '.join(ids) or 'none'}."}
    found = [run for run in page.items if run.id in ids]
    view: dict[str, JSON] = {
        "displaced": [{"id": run.id, "status": str(run.status)} for run in found if is_final(run.status)]
    }
    unfinished = [run.id for run in found if not is_final(run.status)]
    return view | ({"not_ended_yet": unfinished} if unfinished else {})

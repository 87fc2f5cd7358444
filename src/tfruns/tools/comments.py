"""Saying something about a run. Source: HCP Terraform API, "Comments"."""

from typing import Annotated

from pydantic import Field

from tfruns.masking.redaction import redact_document
from tfruns.tools.policy import Mode, Toolset
from tfruns.tools.registry import Context, View, tool
from tfruns.tools.runs import RunId

Body = Annotated[str, Field(description="The comment's text")]


@tool(title="Comment on a run", toolset=Toolset.RUNS, mode=Mode.PLAN)
async def comment_on_run(context: Context, run_id: RunId, body: Body) -> View:
    """Write a comment on a run, for the people who read it. It changes nothing else."""
    comment = await context.client.comments.create(run_id, body)
    if context.is_raw:
        document: View = redact_document(comment.document)
        return document
    return {"id": context.client.runs.id_of(run_id), "comment_id": comment.id, "recorded": True}

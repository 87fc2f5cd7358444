"""Comment on a run. Source: HCP Terraform API, "Comments"."""

from typing import Annotated

from pydantic import Field

from tfruns.arguments import RunId
from tfruns.policy import Mode, Toolset
from tfruns.tool import Context, Result, Role, View, tool

Body = Annotated[str, Field(description="The comment's text"), Role.COMMENT]


@tool(title="Comment on a run", toolset=Toolset.RUNS, order=150, mode=Mode.PLAN, command="run comment")
async def comment_on_run(context: Context, run_id: RunId, body: Body) -> Result:
    """Write a comment on a run, for the people who read it. It changes nothing else."""
    comment = await context.client.comments.create(run_id, body)

    async def view() -> View:
        return {"id": context.client.runs.id_of(run_id), "comment_id": comment.id, "recorded": True}

    return Result(view, comment.document)

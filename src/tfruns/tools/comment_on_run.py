"""Comment on a run. Source: HCP Terraform API, "Comments"."""

from typing import Annotated

from pydantic import Field

from tfruns.arguments import RunId
from tfruns.policy import Mode, Toolset
from tfruns.tool import Context, Result, Role, tool
from tfruns.views.comments import CommentView

Body = Annotated[str, Field(description="The comment's text"), Role.COMMENT]


@tool(title="Comment on a run", toolset=Toolset.RUNS, order=150, mode=Mode.PLAN, command="run comment")
async def comment_on_run(context: Context, run_id: RunId, body: Body) -> Result[CommentView]:
    """Add a comment to a run. Nothing else changes."""
    comment = await context.client.comments.create(run_id, body)

    async def view() -> CommentView:
        return CommentView(context.client.runs.id_of(run_id), comment.id)

    return Result(view, comment.document)

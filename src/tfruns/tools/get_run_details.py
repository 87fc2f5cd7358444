"""Read a run. Source: HCP Terraform API, "Get Run Details"."""

from tfruns.arguments import RunId
from tfruns.policy import Toolset
from tfruns.runs.results import run_result
from tfruns.tool import Context, Result, tool
from tfruns.views.runs import INCLUDE, RunView


@tool(
    title="Read a run",
    toolset=Toolset.RUNS,
    order=40,
    is_read_only=True,
    command="run show",
    instruction="get_run_details shows which actions are allowed next.",
)
async def get_run_details(context: Context, run_id: RunId) -> Result[RunView]:
    """Read a run: status, phase, timestamps, options, ids of its workspace, configuration, plan and apply.

    allowed_actions lists what is possible now, next_actions the calls that usually follow.
    """
    return run_result(context, await context.client.runs.read(run_id, include=INCLUDE))

"""List the runs of a workspace. Source: HCP Terraform API, "List Runs in a Workspace"."""

from tfruns.arguments import (
    AgentPools,
    Group,
    Operations,
    PageNumber,
    PageSize,
    SearchBasic,
    SearchCommit,
    SearchUser,
    Since,
    Sources,
    Statuses,
    Timeframe,
    WorkspaceRef,
)
from tfruns.client.run_filters import RunFilters
from tfruns.next_actions import LIST_RUNS_IN_WORKSPACE
from tfruns.policy import Toolset
from tfruns.runs.results import Selected, page_result, plan_only_list
from tfruns.tool import Context, Result, tool
from tfruns.views.runs import RunPage


@tool(title="List a workspace's runs", toolset=Toolset.RUNS, order=20, is_read_only=True, command="run list")
async def list_runs_in_workspace(
    context: Context,
    workspace_id: WorkspaceRef,
    page_number: PageNumber = 1,
    page_size: PageSize = 20,
    filter_operation: Operations = None,
    filter_status: Statuses = None,
    filter_source: Sources = None,
    filter_status_group: Group = None,
    filter_timeframe: Timeframe = None,
    filter_agent_pool_names: AgentPools = None,
    search_user: SearchUser = None,
    search_commit: SearchCommit = None,
    search_basic: SearchBasic = None,
    since: Since = None,
) -> Result[RunPage]:
    """List a workspace's runs, newest first.

    Filters take comma-separated values. Without filter_operation, plan-only runs are excluded.
    """
    filters = RunFilters(
        operation=filter_operation,
        status=filter_status,
        source=filter_source,
        status_group=filter_status_group,
        timeframe=filter_timeframe,
        agent_pool_names=filter_agent_pool_names,
        user=search_user,
        commit=search_commit,
        search=search_basic,
    )
    listing = context.client.runs.list_for_workspace(workspace_id, filters)
    plan_only = plan_only_list(LIST_RUNS_IN_WORKSPACE, workspace_id=workspace_id, since=since)
    selected = Selected(listing, filters, plan_only, since=since)
    return await page_result(context, selected, number=page_number, size=page_size)

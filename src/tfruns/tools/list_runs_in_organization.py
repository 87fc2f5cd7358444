"""List the runs of an organization. Source: HCP Terraform API, "List Runs in an Organization"."""

from tfruns.arguments import (
    AgentPools,
    Group,
    Operations,
    Organization,
    PageNumber,
    PageSize,
    SearchBasic,
    SearchCommit,
    SearchUser,
    Since,
    Sources,
    Statuses,
    Timeframe,
    WorkspaceNames,
)
from tfruns.client.run_filters import RunFilters
from tfruns.next_actions import LIST_RUNS_IN_ORGANIZATION
from tfruns.policy import Toolset
from tfruns.runs.organizations import find_organization
from tfruns.runs.results import Selected, page_result, plan_only_list
from tfruns.runs.scoped_lists import runs_in_scope
from tfruns.tool import Context, Result, tool
from tfruns.views.runs import RunPage


@tool(
    title="List an organization's runs",
    toolset=Toolset.RUNS,
    order=30,
    is_read_only=True,
    command="run list --all-workspaces",
)
async def list_runs_in_organization(
    context: Context,
    organization: Organization = None,
    page_number: PageNumber = 1,
    page_size: PageSize = 20,
    filter_operation: Operations = None,
    filter_status: Statuses = None,
    filter_source: Sources = None,
    filter_status_group: Group = None,
    filter_timeframe: Timeframe = None,
    filter_agent_pool_names: AgentPools = None,
    filter_workspace_names: WorkspaceNames = None,
    search_user: SearchUser = None,
    search_commit: SearchCommit = None,
    search_basic: SearchBasic = None,
    since: Since = None,
) -> Result[RunPage]:
    """List the runs of all workspaces of an organization that the token can read, newest first.

    The default timeframe is the last year. Filters take comma-separated values.
    """
    filters = RunFilters(
        operation=filter_operation,
        status=filter_status,
        source=filter_source,
        status_group=filter_status_group,
        timeframe=filter_timeframe,
        agent_pool_names=filter_agent_pool_names,
        workspace_names=filter_workspace_names,
        user=search_user,
        commit=search_commit,
        search=search_basic,
    )
    organization = organization or await find_organization(context.scope, context.client)
    listing = runs_in_scope(context.scope, context.client, organization, filters)
    plan_only = plan_only_list(LIST_RUNS_IN_ORGANIZATION, organization=organization, since=since)
    selected = Selected(listing, filters, plan_only, since=since, organization=organization)
    return await page_result(context, selected, number=page_number, size=page_size)

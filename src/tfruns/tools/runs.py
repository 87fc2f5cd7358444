"""The nine run tools. Names, parameters and defaults are a promise; what is added is optional.

Source: HCP Terraform API, "Runs".
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from pydantic import Field

from tfruns.client.client import Client
from tfruns.client.listing import Listing
from tfruns.client.run_filters import RunFilters
from tfruns.errors import RefusedByMode, TfrunsError
from tfruns.masking.redaction import redact_document
from tfruns.masking.secrets import Mask
from tfruns.tools.displacement import displaced_by, runs_before
from tfruns.tools.impact import (
    impact_of_apply,
    impact_of_cancel,
    impact_of_discard,
    impact_of_force_cancel,
    impact_of_force_execute,
)
from tfruns.tools.impact_of_new_run import impact_of_create
from tfruns.tools.masks import masker_from_cache
from tfruns.tools.policy import Mode, Policy, Toolset
from tfruns.tools.registry import Context, View, tool
from tfruns.tools.scope_lists import runs_in_scope
from tfruns.tools.views import INCLUDE, created_view, page_view, run_view, short_view
from tfruns.vocabulary import RunAction
from tfruns.wire.run_params import RunParams
from tfruns.wire.runs import Run

RunId = Annotated[str, Field(description='"run-…" or its browser URL')]
WorkspaceRef = Annotated[str, Field(description='"ws-…", "organization/name", or its browser URL')]
Comment = Annotated[str, Field(description="Recorded with the run")]
PageNumber = Annotated[int, Field(description="From 1")]
PageSize = Annotated[int, Field(description="At most 100")]
Operations = Annotated[
    str | None,
    Field(description="plan_only (or plan), plan_and_apply (or apply), save_plan, refresh_only, destroy, empty_apply"),
]
Statuses = Annotated[str | None, Field(description='E.g. "pending,planning,planned,applying,errored"')]
Sources = Annotated[str | None, Field(description="tfe-ui, tfe-api, tfe-configuration-version, terraform+cloud, …")]
Group = Annotated[str | None, Field(description="non_final (or running), final, or discardable")]
Timeframe = Annotated[str | None, Field(description='A year, or "year": the last 12 months')]
AgentPools = Annotated[str | None, Field(description="Agent pool names")]
WorkspaceNames = Annotated[str | None, Field(description="Workspace names")]
SearchUser = Annotated[str | None, Field(description="VCS user name")]
SearchCommit = Annotated[str | None, Field(description="Commit SHA")]
SearchBasic = Annotated[str | None, Field(description="VCS user, commit, run id or message")]


def _without_implicit_auto_apply(policy: Policy, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The new run, which applies by itself only if its caller asks for it: the workspace's own setting does not count.

    Raises:
        RefusedByMode: nothing may be applied, and the caller asks for it.
    """
    params = values["params"] or RunParams()
    if params.auto_apply and not policy.mode.includes(Mode.APPLY):
        raise RefusedByMode("auto_apply is not possible in this server's mode: nothing may be applied.")
    if params.auto_apply is None:
        params = params.model_copy(update={"auto_apply": False})
    return {**values, "params": params}


@tool(
    title="Create a run",
    toolset=Toolset.RUNS,
    mode=Mode.PLAN,
    is_destructive=True,
    impact_of=impact_of_create,
    takes_code=True,
    apply_policy=_without_implicit_auto_apply,
)
async def create_run(context: Context, workspace_id: WorkspaceRef, params: RunParams | None = None) -> View:
    """Create and queue a run in a workspace, from its latest configuration unless another is named.

    It plans and then waits for apply_run; it applies by itself only with auto_apply: true. Behind other runs, or in a
    locked workspace, it waits as pending. plan_only previews a change and can never be applied.
    """
    run = await context.client.runs.create(workspace_id, params)
    with suppress(TfrunsError):  # it is created all the same, and what the API answered then is true
        run = await context.client.runs.read(run.id, include=INCLUDE)
    return await _whole(context, run, created_view)


@tool(title="List a workspace's runs", toolset=Toolset.RUNS, is_read_only=True)
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
) -> View:
    """List a workspace's runs, newest first.

    Filters take comma-separated values. Without filter_operation, plan-only runs are left out.
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
        basic=search_basic,
    )
    listing = context.client.runs.list_for_workspace(workspace_id, filters)
    return await _page(context, listing, filters, page_number, page_size)


@tool(title="List an organization's runs", toolset=Toolset.RUNS, is_read_only=True)
async def list_runs_in_organization(
    context: Context,
    organization: Annotated[str, Field(description="Its name")],
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
) -> View:
    """List the runs of all workspaces of an organization that the token may see, newest first.

    By default those of the last year. Filters take comma-separated values.
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
        basic=search_basic,
    )
    if context.policy.scope.workspaces:
        listing = runs_in_scope(context.policy.scope, context.client, organization, filters)
    else:
        listing = context.client.runs.list_for_organization(organization, filters, include=["workspace"])
    return await _page(context, listing, filters, page_number, page_size)


@tool(title="Read a run", toolset=Toolset.RUNS, is_read_only=True)
async def get_run_details(context: Context, run_id: RunId) -> View:
    """Read a run: status, phase, timestamps, options, ids of its workspace, configuration, plan and apply.

    allowed_actions says what may be done now, next what follows.
    """
    return await _whole(context, await context.client.runs.read(run_id, include=INCLUDE))


@tool(
    title="Apply a run",
    toolset=Toolset.RUNS,
    is_destructive=True,
    is_idempotent=True,
    impact_of=impact_of_apply,
    takes_code=True,
    has_fingerprint=True,
)
async def apply_run(context: Context, run_id: RunId, comment: Comment = "") -> View:
    """Confirm a run that waits for it, so that its plan is applied to real infrastructure.

    Know what the plan does before. The answer says that the apply was accepted, not that it is done: read the run
    until its status is applied or errored. Do not repeat it.
    """
    runs = context.client.runs
    return await _act(context, run_id, RunAction.APPLY, lambda: runs.apply(run_id, comment=comment))


@tool(
    title="Discard a run",
    toolset=Toolset.RUNS,
    mode=Mode.PLAN,
    is_destructive=True,
    is_idempotent=True,
    impact_of=impact_of_discard,
)
async def discard_run(context: Context, run_id: RunId, comment: Comment = "") -> View:
    """Discard a run that waits for confirmation or in the queue.

    It can never be applied then, and the next run of the workspace goes on.
    """
    runs = context.client.runs
    return await _act(context, run_id, RunAction.DISCARD, lambda: runs.discard(run_id, comment=comment))


@tool(
    title="Cancel a run",
    toolset=Toolset.RUNS,
    mode=Mode.PLAN,
    is_destructive=True,
    is_idempotent=True,
    impact_of=impact_of_cancel,
)
async def cancel_run(context: Context, run_id: RunId, comment: Comment = "") -> View:
    """Interrupt a run that is planning or applying, as Ctrl-C would; a pending one ends at once.

    Terraform stops as safely as it can: what an apply has changed until then stays. The status changes when it has
    stopped.
    """
    runs = context.client.runs
    return await _act(context, run_id, RunAction.CANCEL, lambda: runs.cancel(run_id, comment=comment))


@tool(
    title="Force-cancel a run",
    toolset=Toolset.RUNS,
    is_destructive=True,
    is_idempotent=True,
    impact_of=impact_of_force_cancel,
    takes_code=True,
)
async def force_cancel_run(context: Context, run_id: RunId, comment: Comment = "") -> View:
    """Kill a run that did not stop after cancel_run, and unlock its workspace.

    Only when a cancel does not help, and after its cool-off: in an apply, resources can be lost from the state.
    """
    runs = context.client.runs
    return await _act(context, run_id, RunAction.FORCE_CANCEL, lambda: runs.force_cancel(run_id, comment=comment))


@tool(
    title="Force-execute a run",
    toolset=Toolset.RUNS,
    is_destructive=True,
    is_idempotent=True,
    impact_of=impact_of_force_execute,
    takes_code=True,
)
async def force_execute_run(context: Context, run_id: RunId) -> View:
    """Let a pending run go next: the run that holds the workspace is discarded, all earlier pending runs are canceled.

    The answer lists the runs that were displaced. For emergencies, not for everyday use.
    """
    runs = context.client.runs
    before = await runs_before(context.client, run_id)
    view = await _act(context, run_id, RunAction.FORCE_EXECUTE, lambda: runs.force_execute(run_id))
    return view if context.is_raw else view | await displaced_by(context.client, before)


async def _act(context: Context, run_id: str, action: RunAction, send: Callable[[], Awaitable[None]]) -> View:
    """Send an action, and answer with the run as it is then. Accepted is all that is known of the action itself."""
    await send()
    try:
        run = await context.client.runs.read(run_id)
    except TfrunsError as error:
        return {
            "id": context.client.runs.id_of(run_id),
            "accepted": True,
            "status": "unknown",
            "next": f"It was accepted, but the run could not be read afterwards: {error.message} Do not repeat it.",
        }
    if context.is_raw:
        return await _document(run.document)
    view = short_view(run) | {"accepted": True}
    if action in run.allowed_actions:  # a 202 comes before its effect
        view["next"] = (
            f"The {action.value} was accepted, and the run does not show it yet: read it again, do not repeat."
        )
    return view


async def _page(context: Context, listing: Listing[Run], filters: RunFilters, number: int, size: int) -> View:
    page = await listing.page(number, size=size)
    if context.is_raw:
        return await _document(page.document)
    notes = _notes(filters) if not page.items else ()
    return await to_thread.run_sync(partial(page_view, page, partial(_masker_of, context.client), notes=notes))


def _notes(filters: RunFilters) -> list[str]:
    """Why nothing may have been found."""
    notes = []
    if filters.unknown_statuses:
        notes.append(f"tfruns knows no status {', '.join(filters.unknown_statuses)[:80]}: it may be misspelled.")
    if "filter[operation]" not in filters.as_params():
        notes.append("Plan-only runs are listed only with filter_operation=plan_only.")
    return notes


async def _whole(context: Context, run: Run, view: Callable[..., View] = run_view) -> View:
    if context.is_raw:
        return await _document(run.document)
    client = context.client
    return await to_thread.run_sync(lambda: view(run, client.settings.address, _masker_of(client, run)))


async def _document(document: View) -> View:
    """The API's own document, without the values of variables and signed addresses."""
    result: View = await to_thread.run_sync(redact_document, document)
    return result


def _masker_of(client: Client, run: Run) -> Mask:
    return masker_from_cache(client, run.id, run.variables)

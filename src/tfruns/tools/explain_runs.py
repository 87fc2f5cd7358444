"""Explain why each of many runs waits or failed."""

from datetime import datetime
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from tfruns.arguments import Organization, WorkspaceNames
from tfruns.client.listing import Page
from tfruns.client.run_filters import RunFilters
from tfruns.lifecycle import RULES
from tfruns.policy import Toolset
from tfruns.runs.explanations import explained_failures, explained_open
from tfruns.runs.organizations import find_organization
from tfruns.runs.scoped_lists import runs_in_scope
from tfruns.runs.since import only, parse_since
from tfruns.runs.workspace_queue import since as reached_at
from tfruns.tool import Context, Result, tool
from tfruns.views.base import shown_time
from tfruns.views.explained import ExplainedRuns
from tfruns.vocabulary import RunEnding, RunOperation, StatusGroup
from tfruns.wire.runs import Run

Which = Annotated[Literal["open", "failed"], Field(description="open: all that are not final")]
Since = Annotated[str | None, Field(description="Created since, or failed since (24h by default)")]

_ALL_OPERATIONS = tuple(RunOperation)  # without this filter, the API omits plan-only runs
_FAILED = tuple(status for status, rule in RULES.items() if rule.ending is RunEnding.FAILED)
_FAILED_SINCE = "24h"
_PAGE = 100
_MAX_OPEN = 30
_MAX_FAILED = 10


@tool(
    title="Explain runs",
    toolset=Toolset.RUNS,
    order=105,
    is_read_only=True,
    command="run status",
    instruction="explain_runs shows which runs wait for a person, are stuck, or failed, and why.",
)
async def explain_runs(
    context: Context,
    which: Which = "open",
    organization: Organization = None,
    filter_workspace_names: WorkspaceNames = None,
    since: Since = None,
) -> Result[ExplainedRuns]:
    """Explain all open runs of an organization (what each waits for: a person, a lock, another run, a worker) or its
    failed ones (the first error of each).
    """
    client, now = context.client, context.client.clock.now()
    organization = organization or await find_organization(context.scope, client)
    filters = RunFilters(
        operation=_ALL_OPERATIONS,
        status=_FAILED if which == "failed" else None,
        status_group=StatusGroup.NON_FINAL if which == "open" else None,
        workspace_names=filter_workspace_names,
    )
    if since is None and which == "failed":
        since = _FAILED_SINCE
    start = parse_since(since, now) if since is not None else None
    page = await runs_in_scope(context.scope, client, organization, filters).page(size=_PAGE)
    if start is not None:  # a run may have been created long before it failed
        time_of = reached_at if which == "failed" else _created_at
        page = only(page, lambda run: (time_of(run) or now) >= start)
    verb = "Failed" if which == "failed" else "Created"
    text = f"{verb} since {shown_time(start)}." if start else ""
    make = _failed if which == "failed" else _open
    return Result(partial(make, context, page, organization, text), page.document)


def _created_at(run: Run) -> datetime | None:
    return run.created_at


async def _open(context: Context, page: Page[Run], organization: str, since: str) -> ExplainedRuns:
    rows = await explained_open(context.client, page.items, _MAX_OPEN)
    more = (
        "Only the newest 100 open runs were read. Filter by workspace to see the others."
        if page.pagination.next_page
        else ""
    )
    return ExplainedRuns(
        runs=tuple(rows),
        organization=organization,
        omitted=len(page.items) - len(rows) or None,
        note=" ".join(filter(None, (since, more))),
    )


async def _failed(context: Context, page: Page[Run], organization: str, since: str) -> ExplainedRuns:
    rows = await explained_failures(context.client, page.items[:_MAX_FAILED])
    rest = len(page.items) - len(rows)
    notes = [
        since,
        "Only the newest are explained. Filter by workspace, or use a shorter time." if rest else "",
        "Only the newest 100 failed runs were read." if page.pagination.next_page else "",
    ]
    return ExplainedRuns(
        runs=tuple(rows), organization=organization, omitted=rest or None, note=" ".join(filter(None, notes))
    )

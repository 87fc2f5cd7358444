"""The results of the tools that read, list, create or change runs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.client.listing import Listing, Page
from tfruns.client.run_filters import RunFilters
from tfruns.errors import TfrunsError
from tfruns.masking.secrets import Mask
from tfruns.next_actions import GET_RUN_DETAILS, NextAction
from tfruns.runs.masks import masker_from_cache
from tfruns.runs.since import created_since, parse_since, since_note
from tfruns.tool import Context, Result
from tfruns.views.runs import ActionView, RunPage, RunView, action_view, page_view, run_view
from tfruns.vocabulary import RunAction, RunOperation
from tfruns.wire.runs import Run
from tfruns.wording import counted


def run_result(context: Context, run: Run, view: Callable[..., RunView] = run_view) -> Result[RunView]:
    """The result for one run."""
    client = context.client
    make = partial(view, run, client.settings.address)
    return Result(lambda: to_thread.run_sync(lambda: make(_mask_of(client, run))), run.document)


@dataclass(frozen=True, slots=True)
class Selected:
    """A list of runs, and how they were selected.

    Attributes:
        listing: the runs.
        filters: the filters of the API.
        call: the same call for plan-only runs.
        since: the earliest creation of the runs, as the caller gave it.
        organization: the organization of the list; empty for the list of a workspace.
    """

    listing: Listing[Run]
    filters: RunFilters
    call: NextAction
    since: str | None = None
    organization: str = ""


async def page_result(context: Context, selected: Selected, *, number: int, size: int) -> Result[RunPage]:
    """The result for a page of runs.

    Raises:
        InvalidInput: `since`, a filter, the number or the size is invalid.
    """
    listing, notes = selected.listing, list[str]()
    if selected.since:
        since = parse_since(selected.since, context.client.clock.now())
        listing, notes = created_since(listing, since), [since_note(since)]
    page = await listing.page(number, size=size)
    more, following = _on_nothing(page, selected.filters, selected.call) if not page.items else ([], ())
    make = partial(
        page_view,
        page,
        partial(_mask_of, context.client),
        organization=selected.organization,
        notes=[*notes, *more],
        following=following,
    )
    return Result(lambda: to_thread.run_sync(make), page.document)


def plan_only_list(tool: str, **arguments: str | None) -> NextAction:
    """The call that lists the plan-only runs of a workspace or organization."""
    given = {name: value for name, value in arguments.items() if value is not None}
    return NextAction(tool, {**given, "filter_operation": RunOperation.PLAN_ONLY.value}, "lists plan-only runs")


def empty_page_note(page: Page[Any]) -> str:
    """Why a page after the last one has no rows; empty for other pages."""
    pagination = page.pagination
    if page.items or pagination.current_page <= 1 or pagination.total_count == 0:
        return ""
    return empty_page_text(pagination.current_page, pagination.total_pages)


def empty_page_text(number: int, pages: int | None) -> str:
    """The note that a page is empty, with the number of pages if it is known."""
    last = f": there {'is' if pages == 1 else 'are'} {counted(pages, 'page')}" if pages else ""
    return f"Page {number} is empty{last}."


def _on_nothing(page: Page[Run], filters: RunFilters, call: NextAction) -> tuple[list[str], tuple[NextAction, ...]]:
    """Possible reasons why no run was found, and the call that would find plan-only runs."""
    if note := empty_page_note(page):
        return [note], ()
    notes = []
    if filters.unknown_statuses:
        notes.append(f"Unknown status {', '.join(filters.unknown_statuses)[:80]}: it may be misspelled.")
    notes.append("No run was found.")
    if "filter[operation]" in filters.as_params():
        return notes, ()
    return [*notes, "Plan-only runs are not included."], (call,)


async def act(context: Context, run_id: str, action: RunAction, comment: str = "") -> Result[ActionView] | ActionView:
    """Send an action, and return the run as read afterwards. The result claims only that the action was accepted."""
    await context.client.runs.act(run_id, action, comment=comment)
    try:
        run = await context.client.runs.read(run_id)
    except TfrunsError as error:
        id_ = context.client.runs.id_of(run_id)
        return ActionView(
            id=id_,
            accepted=True,
            status="unknown",
            follows=f"The action was accepted, but the run could not be read afterwards: {error.message} "
            "Do not repeat it.",
            next_actions=(NextAction.for_run(GET_RUN_DETAILS, id_, "shows whether the action has taken effect"),),
        )

    async def view() -> ActionView:
        return action_view(run, action)

    return Result(view, run.document)


def _mask_of(client: Client, run: Run) -> Mask:
    return masker_from_cache(client, run.id, run.variables)

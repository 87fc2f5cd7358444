"""The answers of the tools that read, list, create or change runs."""

from collections.abc import Awaitable, Callable
from functools import partial

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.client.listing import Listing
from tfruns.client.run_filters import RunFilters
from tfruns.errors import TfrunsError
from tfruns.masking.secrets import Mask
from tfruns.tool import Context, Result, View
from tfruns.views import page_view, run_view, short_view
from tfruns.vocabulary import RunAction
from tfruns.wire.runs import Run


def run_result(context: Context, run: Run, view: Callable[..., View] = run_view) -> Result:
    """A whole run."""
    client = context.client
    make = partial(view, run, client.settings.address)
    return Result(lambda: to_thread.run_sync(lambda: make(_mask_of(client, run))), run.document)


async def page_result(context: Context, listing: Listing[Run], filters: RunFilters, number: int, size: int) -> Result:
    """A page of runs."""
    page = await listing.page(number, size=size)
    notes = _notes(filters) if not page.items else ()
    make = partial(page_view, page, partial(_mask_of, context.client), notes=notes)
    return Result(lambda: to_thread.run_sync(make), page.document)


def _notes(filters: RunFilters) -> list[str]:
    """Possible reasons why nothing was found."""
    notes = []
    if filters.unknown_statuses:
        notes.append(f"tfruns knows no status {', '.join(filters.unknown_statuses)[:80]}: it may be misspelled.")
    if "filter[operation]" not in filters.as_params():
        notes.append("Plan-only runs are listed only with filter_operation=plan_only.")
    return notes


async def act(context: Context, run_id: str, action: RunAction, send: Callable[[], Awaitable[None]]) -> Result | View:
    """Send an action, and answer with the run as it is afterwards. That it was accepted is all that is known."""
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
    return Result(partial(_after, run, action), run.document)


async def _after(run: Run, action: RunAction) -> View:
    view = short_view(run) | {"accepted": True}
    if action in run.allowed_actions:  # a 202 comes before its effect
        view["next"] = (
            f"The {action.value} was accepted, and the run does not show it yet: read it again, do not repeat."
        )
    return view


def _mask_of(client: Client, run: Run) -> Mask:
    from tfruns.runs.masks import masker_from_cache  # noqa: PLC0415  # which imports the review

    return masker_from_cache(client, run.id, run.variables)

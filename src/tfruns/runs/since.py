"""Lists of the runs that were created since a time. The API has no such filter; its lists are newest first."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tfruns.client.listing import Listing, Page
from tfruns.durations import parse_duration
from tfruns.errors import InvalidInput
from tfruns.jsonapi import JSON, Pagination
from tfruns.next_actions import Argument
from tfruns.views.base import shown_time
from tfruns.wire.runs import Run

_BARE_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
_WORDS = {"today": 0, "yesterday": 1}  # days before today, in UTC
_HINT = (
    "Use a duration (90m, 24h, 7d), a date (2026-11-27), today, yesterday, or a time (2026-11-27T08:00:00Z). Dates and "
    "times without a zone are in UTC."
)


def parse_since(text: str, now: datetime) -> datetime:
    """The time that a duration before now, a date or a time means, in UTC.

    Raises:
        InvalidInput: it is none of them, or is in the future.
    """
    try:
        since = _parsed(text.strip(), now.astimezone(UTC))
    except (ValueError, OverflowError):
        raise InvalidInput((Argument("since"), " is not a duration, date or time."), solution=_HINT) from None
    if since > now:
        raise InvalidInput((Argument("since"), f" is in the future: {shown_time(since)}."), solution=_HINT)
    return since


def _parsed(text: str, now: datetime) -> datetime:
    if text.lower() in _WORDS:
        return datetime(now.year, now.month, now.day, tzinfo=UTC) - timedelta(days=_WORDS[text.lower()])
    if _BARE_NUMBER.fullmatch(text):
        raise ValueError("a number without a unit may be a year")
    if re.match(r"[0-9]{4}-", text):
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    return now - timedelta(seconds=parse_duration(text))


def created_since(listing: Listing[Run], since: datetime) -> Listing[Run]:
    """The runs of a list, newest first, that were created at this time or later."""

    async def read_page(number: int, size: int) -> Page[Run]:
        page = await listing.page(number, size=size)
        kept = only(page, lambda run: run.created_at is None or run.created_at >= since)
        has_older = len(kept.items) < len(page.items)
        return as_last(kept) if has_older else kept

    return Listing(read_page)


def only(page: Page[Run], keep: Callable[[Run], bool]) -> Page[Run]:
    """The page without the runs that are not to be kept, and without totals."""
    kept = [run for run in page.items if keep(run)]
    place = replace(page.pagination, total_pages=None, total_count=None)
    return Page(kept, place, _document(page.document, {run.id for run in kept}, place))


def as_last(page: Page[Run]) -> Page[Run]:
    """The page without a following one."""
    place = replace(page.pagination, next_page=None)
    return Page(page.items, place, _document(page.document, {run.id for run in page.items}, place))


def _document(document: JSON, ids: set[str], place: Pagination) -> JSON:
    """The document of the API with these runs only."""
    pagination: JSON = {"current-page": place.current_page, "next-page": place.next_page}
    data = [item for item in document["data"] if item["id"] in ids]
    return {**document, "data": data, "meta": {"pagination": pagination}}


def since_note(since: datetime) -> str:
    """The note that the list was filtered here."""
    return f"Created since {shown_time(since)}. tfruns selects them, because the API cannot."

"""The view of a run's history."""

from dataclasses import dataclass
from datetime import datetime

from tfruns.views.base import View, kept


@dataclass(frozen=True, slots=True)
class EventView(View):
    """One event of a run."""

    at: datetime | None = None
    action: str = ""
    by: str = ""
    comment: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class TimelineStep(View):
    """A status that a run reached, and how long it took; no duration for the last status of a final run."""

    status: str
    at: datetime
    duration_s: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryView(View):
    """A page of a run's events; the first page has the timeline and the other comments as well."""

    id: str
    status: str
    created_by: str = ""
    confirmed_by: str = ""
    events: tuple[EventView, ...] = kept(default=())
    event_count: int | None = None
    page: int | None = None
    next_page: int | None = kept(default=None)
    timeline: tuple[TimelineStep, ...] = ()
    comments: tuple[str, ...] = ()
    note: str = ""
    could_not_read: tuple[str, ...] = ()

"""The view of a log."""

from dataclasses import dataclass

from tfruns.next_actions import NextAction
from tfruns.views.base import View, kept


@dataclass(frozen=True, slots=True)
class LogView(View):
    """A part of a run's log, or the reason why it has none.

    Attributes:
        phase: the phase that the log is of; empty if there is no log.
        errors: of a phase that failed.
        offset: where a page begins.
        next_offset: where the next page begins; None at the end of a log that is complete.
    """

    id: str
    status: str
    phase: str = ""
    phase_status: str = ""
    errors: tuple[str, ...] = ()
    log: str = kept(default="")
    line_count: int | None = None
    offset: int | None = None
    note: str = ""
    next_offset: int | None = None
    next_actions: tuple[NextAction, ...] = ()


@dataclass(frozen=True, slots=True)
class LogPageView(LogView):
    """A page of a log from an offset. Its `next_offset` is null on the last page."""

    next_offset: int | None = kept(default=None)

"""The view of a plan's review."""

from collections.abc import Mapping
from dataclasses import dataclass

from tfruns.next_actions import NextAction
from tfruns.views.base import View, kept


@dataclass(frozen=True, slots=True)
class ReviewRow(View):
    """A change, or several instances that change alike.

    Attributes:
        count: the number of instances, if there is more than one.
        keys: their keys.
        deferred: the change is not made by this run.
        changes: the first lines of the change.
        more_changes: the number of lines that are omitted.
        values: all values in full, if the review is of one address.
    """

    address: str
    action: str
    count: int | None = None
    keys: tuple[str, ...] = ()
    deferred: bool | None = None
    danger: str = ""
    why: str = ""
    moved_from: str = ""
    import_id: str = ""
    import_identity: str = ""
    changes: tuple[str, ...] = ()
    more_changes: int | None = None
    values: tuple[str, ...] | None = kept(null=False, default=None)


@dataclass(frozen=True, slots=True)
class ReviewView(View):
    """A run and its plan in one sentence; without more if the run has no plan.

    Attributes:
        follows: empty if the plan can be applied, which `next_actions` tells.
    """

    run_id: str
    status: str
    follows: str
    next_actions: tuple[NextAction, ...]
    plan: str


@dataclass(frozen=True, slots=True)
class ApplyStepRow(View):
    """A step of an apply.

    Attributes:
        outcome: `done`, `failed`, `unknown` (started, without an end in the log), `not_started`, or `not_in_log`
            (it is unknown whether it started).
    """

    address: str
    action: str
    outcome: str


@dataclass(frozen=True, slots=True)
class ApplyStepsView(View):
    """One page of the steps of an apply, failed ones first.

    Attributes:
        counts: the number of all steps by outcome.
    """

    ROWS = "rows"

    run_id: str
    status: str
    counts: Mapping[str, int] | None = None
    rows: tuple[ApplyStepRow, ...] = kept(default=())
    page: int = 1
    next_page: int | None = kept(default=None)
    total_rows: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True)
class PlanReviewView(ReviewView):
    """One page of a plan's review."""

    counts: Mapping[str, int] | None = None
    changed_outputs: int | None = None
    changed_outside_of_terraform: int | None = None
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    rows: tuple[ReviewRow, ...] = kept(default=())
    page: int = 1
    next_page: int | None = kept(default=None)
    total_pages: int = 1
    total_rows: int = 0

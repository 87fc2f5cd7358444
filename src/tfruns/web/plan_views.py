"""The views of a plan on the page of a run."""

from dataclasses import dataclass

from tfruns.views.base import View


@dataclass(frozen=True, slots=True)
class TextLineView(View):
    """A line of a text that changes."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ValueView(View):
    """A value before and after; see `ValueChange`."""

    path: str
    before: str | None
    after: str | None
    lines: tuple[TextLineView, ...] = ()
    notes: str = ""


@dataclass(frozen=True, slots=True)
class ChangeView(View):
    """A change, or several instances that change alike; see `ReviewRow` of the review.

    Attributes:
        module: the address of the module; empty for the root module.
        is_dangerous: whether the change is listed before all others.
        values: the values that change, at most 60.
        more_values: the number of values that are omitted.
        drift: what was changed outside of Terraform before, at most 60 values.
        config: the first lines of the configuration that Terraform generated for an import.
    """

    address: str
    action: str
    module: str = ""
    is_dangerous: bool = False
    count: int = 1
    keys: tuple[str, ...] = ()
    is_deferred: bool = False
    danger: str = ""
    why: str = ""
    moved_from: str = ""
    import_id: str = ""
    import_identity: str = ""
    values: tuple[ValueView, ...] = ()
    more_values: int = 0
    drift: tuple[ValueView, ...] = ()
    config: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FacetView(View):
    """A property of changes, and how many changes have it."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class DangerView(View):
    """A dangerous change; see `DangerousChange`."""

    address: str
    why: str
    keys: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class PlanChangesView(View):
    """A page of the changes of a plan.

    Attributes:
        has_plan: whether the run has a plan.
        counts: the number of changes by effect, the most dangerous effect first.
        dangers: the first dangerous changes.
        more_dangers: the number of dangerous changes that are omitted.
        unknown: the number of updates and replacements with values that are known only after the apply.
        total_pages: None if it is unknown, because not all rows of a large plan were made.
        total_changes: the number of changes that match the filters; several instances can share a row.
        actions: the actions of all changes.
        modules: the modules of all changes.
        types: the resource types of all changes.
        also: further values of the filter by action.
    """

    has_plan: bool
    headline: str = ""
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    counts: tuple[FacetView, ...] = ()
    dangers: tuple[DangerView, ...] = ()
    more_dangers: int = 0
    unknown: int = 0
    changes: tuple[ChangeView, ...] = ()
    page: int = 1
    next_page: int | None = None
    total_pages: int | None = 1
    total_changes: int = 0
    actions: tuple[FacetView, ...] = ()
    modules: tuple[FacetView, ...] = ()
    types: tuple[FacetView, ...] = ()
    also: tuple[FacetView, ...] = ()

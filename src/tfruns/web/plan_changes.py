"""The changes of a plan as the page of a run shows them: filtered, paged, with before and after of each value.

This is a tool, so that it passes the gate, and it is not in the registry, because its results are too large for an
assistant.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice

from anyio import to_thread

from tfruns.arguments import RunId
from tfruns.masking.secrets import Secrets
from tfruns.policy import Toolset
from tfruns.review.filters import select
from tfruns.review.headline import headline
from tfruns.review.plan_document import Change
from tfruns.review.review import review_notes
from tfruns.review.rows import ReviewRow, group_rows
from tfruns.review.side_by_side import value_changes
from tfruns.tool import Context, tool
from tfruns.views.base import View
from tfruns.web.open_plans import OpenPlans, ShownPlan

PAGE_SIZE = 50
_MAX_VALUES = 60  # of a change; the page of its address shows all
_MAX_COUNTED = 2_000  # values of a change
_MAX_FACETS = 100  # modules and types that the page offers as filters
_NAME = 160


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
        values: the values that change, at most 60.
        more_values: the number of values that are omitted.
    """

    address: str
    action: str
    module: str = ""
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


@dataclass(frozen=True, slots=True)
class FacetView(View):
    """A value by which the changes can be filtered, and how many changes have it."""

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class PlanChangesView(View):
    """A page of the changes of a plan.

    Attributes:
        has_plan: whether the run has a plan.
        actions: the actions of all changes.
        modules: the modules of all changes.
        types: the resource types of all changes.
    """

    has_plan: bool
    headline: str = ""
    fingerprint: str = ""
    notes: tuple[str, ...] = ()
    changes: tuple[ChangeView, ...] = ()
    page: int = 1
    total_pages: int = 1
    total_changes: int = 0
    actions: tuple[FacetView, ...] = ()
    modules: tuple[FacetView, ...] = ()
    types: tuple[FacetView, ...] = ()


@tool(title="Read the changes of a plan", toolset=Toolset.REVIEW, order=0, is_read_only=True)
async def plan_changes(
    context: Context,
    run_id: RunId,
    action: str = "",
    module: str = "",
    resource_type: str = "",
    text: str = "",
    page_number: int = 1,
) -> PlanChangesView:
    """Read a page of the changes in a run's plan that match all filters, dangerous changes first."""
    run = await context.client.runs.read(run_id)
    plan = await context.client.derived(OpenPlans).read(context.client, run)
    if plan is None:
        return PlanChangesView(has_plan=False)
    filters = _Filters(action.strip(), module.strip(), resource_type.strip(), text.strip().casefold())
    page_of = partial(
        _page, plan, filters, page_number, is_refresh_only=bool(run.refresh_only), has_changes=run.has_changes
    )
    return await to_thread.run_sync(page_of)


@dataclass(frozen=True, slots=True)
class _Filters:
    action: str
    module: str
    resource_type: str
    text: str

    def includes(self, row: ReviewRow) -> bool:
        """Whether a row matches all filters but the action."""
        change = row.change
        is_in_module = not self.module or _module_of(change) == self.module
        is_of_type = not self.resource_type or change.type == self.resource_type
        return is_in_module and is_of_type and any(self.text in address.casefold() for address in _addresses(row))


def _addresses(row: ReviewRow) -> list[str]:
    return [address for entry in row.entries for address in (entry.change.address, entry.change.previous_address)]


def _module_of(change: Change) -> str:
    module = change.source.get("module_address")
    return module if isinstance(module, str) else ""


def _page(
    shown: ShownPlan, filters: _Filters, number: int, *, is_refresh_only: bool, has_changes: bool | None
) -> PlanChangesView:
    secrets, summary = shown.plan.known.secrets, shown.plan.known.summary
    rows = group_rows(select(shown.entries, filters.action), secrets) if filters.action else shown.rows
    found = [row for row in rows if filters.includes(row)]
    total = max(1, -(-len(found) // PAGE_SIZE))
    notes = review_notes(shown.plan.document, shown.entries, secrets)
    return PlanChangesView(
        has_plan=True,
        headline=headline(summary, is_refresh_only=is_refresh_only, has_changes=has_changes),
        fingerprint=summary.fingerprint,
        notes=tuple(secrets.mask(note) for note in notes),
        changes=tuple(_change_view(row, secrets) for row in found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]),
        page=number,
        total_pages=total,
        total_changes=len(found),
        actions=_facets(Counter(row.change.action.value for row in shown.rows), secrets),
        modules=_facets(Counter(_module_of(row.change) for row in shown.rows), secrets),
        types=_facets(Counter(row.change.type for row in shown.rows), secrets),
    )


def _facets(counts: Mapping[str, int], secrets: Secrets) -> tuple[FacetView, ...]:
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MAX_FACETS]
    return tuple(FacetView(secrets.safe_line(name, _NAME), count) for name, count in most if name)


def _change_view(row: ReviewRow, secrets: Secrets) -> ChangeView:
    head = row.head()
    values = list(islice(value_changes(row.entries[0], secrets), _MAX_COUNTED))
    return ChangeView(
        address=head["address"],
        action=head["action"],
        module=secrets.safe_line(_module_of(row.change), _NAME),
        count=len(row.entries),
        keys=tuple(head.get("keys", ())),
        is_deferred="deferred" in head,
        danger=head.get("danger", ""),
        why=head.get("why", ""),
        moved_from=head.get("moved_from", ""),
        import_id=head.get("import_id", ""),
        import_identity=head.get("import_identity", ""),
        values=tuple(
            ValueView(
                value.path,
                value.before,
                value.after,
                tuple(TextLineView(line.kind.value, line.text) for line in value.lines),
                value.notes,
            )
            for value in values[:_MAX_VALUES]
        ),
        more_values=max(0, len(values) - _MAX_VALUES),
    )

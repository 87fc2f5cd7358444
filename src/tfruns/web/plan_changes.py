"""The changes of a plan as the page of a run shows them: filtered, paged, with before and after of each value.

This is a tool, so that it passes the gate, and it is not in the registry, because its results are too large for an
assistant.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

from anyio import to_thread

from tfruns.arguments import RunId
from tfruns.masking.secrets import Secrets
from tfruns.policy import Toolset
from tfruns.review.dangers import danger_of
from tfruns.review.filters import select
from tfruns.review.headline import headline
from tfruns.review.plan_document import Change
from tfruns.review.review import review_notes
from tfruns.review.rows import ReviewRow
from tfruns.review.side_by_side import ValueChange, drift_changes, value_changes
from tfruns.review.summary import PlanSummary
from tfruns.tool import Context, tool
from tfruns.web.open_plans import OpenPlans, ShownPlan
from tfruns.web.page_rows import PageRows, module_of
from tfruns.web.plan_views import ChangeView, DangerView, FacetView, PlanChangesView, TextLineView, ValueView

PAGE_SIZE = 50
_MAX_VALUES = 60  # of a change; the page of its address shows all
_MAX_COUNTED = 2_000  # values of a change
_MAX_DANGERS = 12
_MAX_KEYS = 12  # of a dangerous change; the list of changes shows all
_MAX_CONFIG = 100  # lines of generated configuration
_NAME = 2_000  # characters of a module, which is a filter


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
    shown = await context.client.derived(OpenPlans).read(context.client, run)
    if shown is None:
        return PlanChangesView(has_plan=False)
    filters = _Filters(action.strip(), module.strip(), resource_type.strip(), text.strip().casefold())
    return await to_thread.run_sync(partial(_page, shown, filters, page_number, has_changes=run.has_changes))


@dataclass(frozen=True, slots=True)
class _Filters:
    action: str
    module: str
    resource_type: str
    text: str

    def rows_of(self, shown: ShownPlan) -> PageRows:
        """The rows of the changes that match all filters."""
        if self == _NO_FILTERS:
            return shown.rows
        found = [entry for entry in select(shown.entries, self.action) if self._includes(entry.change)]
        return PageRows(found, shown.plan.known.secrets)

    def _includes(self, change: Change) -> bool:
        is_in_module = not self.module or module_of(change) == self.module
        is_of_type = not self.resource_type or change.type == self.resource_type
        addresses = (change.address, change.previous_address)
        return is_in_module and is_of_type and any(self.text in address.casefold() for address in addresses)


_NO_FILTERS = _Filters("", "", "", "")


def _page(shown: ShownPlan, filters: _Filters, number: int, *, has_changes: bool | None) -> PlanChangesView:
    secrets, summary = shown.plan.known.secrets, shown.plan.known.summary
    found = filters.rows_of(shown)
    rows, total_pages, has_next = found.page(number, PAGE_SIZE)
    notes = review_notes(shown.plan.document, shown.entries, secrets)
    return PlanChangesView(
        has_plan=True,
        headline=headline(summary, is_refresh_only=shown.is_refresh_only, has_changes=has_changes),
        fingerprint=summary.fingerprint,
        notes=tuple(secrets.mask(note) for note in notes),
        counts=plan_facets(summary, is_refresh_only=shown.is_refresh_only),
        dangers=tuple(_danger_view(summary, number) for number in range(min(_MAX_DANGERS, len(summary.dangers)))),
        more_dangers=sum(danger.count for danger in summary.dangers[_MAX_DANGERS:]),
        unknown=shown.unknown,
        changes=tuple(_change_view(row, secrets) for row in rows),
        page=number,
        next_page=number + 1 if has_next else None,
        total_pages=total_pages,
        total_changes=found.total_changes,
        actions=_facets(shown.actions, secrets),
        modules=_facets(shown.modules, secrets),
        types=_facets(shown.types, secrets),
        also=_facets(shown.also, secrets),
    )


_EFFECTS = ("destroy", "replace", "forget", "unknown", "invoke", "deferred", "change", "add", "import", "move")
_WORDS = {"change": "update", "add": "create", "unknown": "unrecognized"}


def plan_facets(summary: PlanSummary, *, is_refresh_only: bool) -> tuple[FacetView, ...]:
    """The number of changes by effect, the most dangerous effect first."""
    counts = summary.counts.as_dict()
    found = [FacetView(_WORDS.get(name, name), counts[name]) for name in _EFFECTS if name in counts]
    if summary.outputs:
        found.append(FacetView("output" if summary.outputs == 1 else "outputs", summary.outputs))
    if is_refresh_only and summary.drifted:
        found.append(FacetView("changed outside of Terraform", summary.drifted))
    return tuple(found)


def _danger_view(summary: PlanSummary, number: int) -> DangerView:
    danger = summary.dangers[number]
    return DangerView(danger.address, danger.why, danger.keys[:_MAX_KEYS], danger.count)


def _facets(found: Iterable[tuple[str, int]], secrets: Secrets) -> tuple[FacetView, ...]:
    return tuple(FacetView(secrets.safe_line(name, _NAME), count) for name, count in found)


def _change_view(row: ReviewRow, secrets: Secrets) -> ChangeView:
    head, entry = row.head(), row.entries[0]
    values = list(islice(value_changes(entry, secrets), _MAX_COUNTED))
    return ChangeView(
        address=row.full_address,
        action=head["action"],
        module=secrets.safe_line(module_of(row.change), _NAME),
        is_dangerous=bool(danger_of(row.change)),
        count=len(row.entries),
        keys=tuple(head.get("keys", ())),
        is_deferred="deferred" in head,
        danger=head.get("danger", ""),
        why=head.get("why", ""),
        moved_from=head.get("moved_from", ""),
        import_id=head.get("import_id", ""),
        import_identity=head.get("import_identity", ""),
        values=tuple(map(_value_view, values[:_MAX_VALUES])),
        more_values=max(0, len(values) - _MAX_VALUES),
        drift=tuple(map(_value_view, islice(drift_changes(entry, secrets), _MAX_VALUES))),
        config=tuple(_config_lines(row, secrets)),
    )


def _value_view(value: ValueChange) -> ValueView:
    lines = tuple(TextLineView(line.kind.value, line.text) for line in value.lines)
    return ValueView(value.path, value.before, value.after, lines, value.notes)


def _config_lines(row: ReviewRow, secrets: Secrets) -> Iterator[str]:
    lines = secrets.mask(row.change.generated_config).rstrip().splitlines()
    yield from lines[:_MAX_CONFIG]
    if len(lines) > _MAX_CONFIG:
        yield f"… {len(lines) - _MAX_CONFIG:,} more lines"

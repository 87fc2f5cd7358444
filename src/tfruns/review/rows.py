"""The rows of a review: one for each change, or for each group of instances with the same change."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from itertools import chain, islice
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.dangers import STORES_DATA, danger_rank, stores_data
from tfruns.review.differences import Difference, changed_values, differences
from tfruns.review.exact_json import encode_number
from tfruns.review.expansion import expand
from tfruns.review.instance_keys import format_keys, wildcard_address, without_keys
from tfruns.review.plan_document import Action, Change, PlanDocument
from tfruns.review.reasons import explain
from tfruns.review.summary import is_drift, shown_address
from tfruns.review.values import canonical_masked, format_value

_ACTION = 40  # characters of an unrecognized action
_ADDRESS = 160  # characters of an address
_MAX_ADDRESS = 2_000  # characters of a full address
_ID = 240  # characters of an import id
_CONFIG = 160  # characters of a line of generated configuration
_MAX_KEYS_BYTES = 1_500
_MAX_LINES = 20_000  # in a row, which bounds the time and memory that a huge value takes
_MAX_PATHS = 5  # of attributes that are known only after apply


class PlanSection(StrEnum):
    """The section of a plan that contains a change."""

    RESOURCE = "resource"
    ACTION = "action"
    READ = "read"
    DEFERRED = "deferred"
    OUTPUT = "output"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class ReviewEntry:
    """A change as part of a review.

    Attributes:
        section: the section of the plan.
        change: the change.
        is_shown: whether it is shown without a filter.
        drift: the change of the same resource outside of Terraform; None without drift.
        is_attached: whether it is drift that is shown with the planned change of the same resource.
    """

    section: PlanSection
    change: Change
    is_shown: bool = True
    drift: Change | None = None
    is_attached: bool = False


def collect_entries(document: PlanDocument, *, is_refresh_only: bool) -> list[ReviewEntry]:
    """Collect the changes of a plan: first dangerous changes, then all other changes, outputs, and drift.

    Drift of a resource that the plan changes is shown with that change. Other drift is shown in a refresh-only run, or
    if Terraform marks it as relevant.
    """
    changes = [
        change for change in sorted((*document.changes, *document.invocations), key=danger_rank) if change.is_change
    ]
    drift = [change for change in document.drift if is_drift(change)]
    drift_at = {_identity(change): change for change in reversed(drift)}
    return [
        *(
            _planned_entry(change, None if is_refresh_only else _attached_drift(change, drift_at))
            for change in changes
            if not _is_read(change)
        ),
        *(ReviewEntry(PlanSection.DEFERRED, change) for change in document.deferred),
        *(ReviewEntry(PlanSection.OUTPUT, output) for output in document.outputs if output.is_change),
        *_drift_entries(document, drift, changes, is_refresh_only=is_refresh_only),
        *(ReviewEntry(PlanSection.READ, change, is_shown=False) for change in changes if _is_read(change)),
    ]


def _planned_entry(change: Change, drift: Change | None) -> ReviewEntry:
    return ReviewEntry(PlanSection.ACTION if change.is_invocation else PlanSection.RESOURCE, change, drift=drift)


def _drift_entries(
    document: PlanDocument, drift: Iterable[Change], changes: Iterable[Change], *, is_refresh_only: bool
) -> Iterator[ReviewEntry]:
    relevant = document.relevant_resources
    changed = {identity for change in changes if not _is_read(change) for identity in _identities(change)}
    for change in drift:
        if is_refresh_only or _identity(change) not in changed:
            is_relevant = not relevant.isdisjoint((change.address, without_keys(change.address)))
            yield ReviewEntry(PlanSection.DRIFT, change, is_shown=is_refresh_only or is_relevant)
        else:
            yield ReviewEntry(PlanSection.DRIFT, change, is_shown=False, is_attached=True)


def _identity(change: Change) -> tuple[str, str]:
    return change.address, change.deposed


def _identities(change: Change) -> tuple[tuple[str, str], ...]:
    """A changed resource by its current and its previous address."""
    return _identity(change), (change.previous_address, change.deposed)


def _attached_drift(change: Change, drift_at: Mapping[tuple[str, str], Change]) -> Change | None:
    return next((drift_at[identity] for identity in _identities(change) if identity in drift_at), None)


def _is_read(change: Change) -> bool:
    return change.is_data or change.action is Action.READ


Line = Callable[[], str]
"""A line of a row, formatted when it is shown."""


@dataclass(frozen=True)
class ReviewRow:
    """One row: one change, or several instances with the same change.

    Attributes:
        entries: the changes, at least one.
        secrets: the secrets of the plan.
    """

    entries: Sequence[ReviewEntry]
    secrets: Secrets

    @property
    def change(self) -> Change:
        return self.entries[0].change

    @property
    def section(self) -> PlanSection:
        return self.entries[0].section

    @property
    def is_new(self) -> bool:
        return self.change.action in {Action.CREATE, Action.INVOKE}

    def head(self) -> dict[str, Any]:
        """The row without its differences, of bounded size."""
        change = self.change
        row: dict[str, Any] = {"address": self._address(change.address), "action": self._action}
        if len(self.entries) > 1:
            row["count"] = len(self.entries)
            row["keys"] = _shown_keys(self.entries, self.secrets)
        if self.section is PlanSection.DEFERRED:
            row["deferred"] = True
        if self._affects_stored_data:
            row["danger"] = STORES_DATA
        if reasons := [*self._reasons()]:
            row["why"] = "; ".join(reasons)
        if change.previous_address:
            row["moved_from"] = self._address(change.previous_address)
        return row | _imported(change, self.secrets)

    @cached_property
    def lines(self) -> Sequence[Line]:
        """The lines below the head: attributes, drift, and generated configuration, up to a limit."""
        drift = self.entries[0].drift
        return [*islice(chain(self._attribute_lines(), self._drift_lines(drift), self._config_lines()), _MAX_LINES)]

    def _attribute_lines(self) -> Iterator[Line]:
        """One line for each part of a difference. Attributes that are known only after apply share the last line."""
        computed = []
        for difference in entry_differences(self.entries[0]):
            if difference.is_plain_computed and not self._is_shown(difference):
                computed.append(difference)
                continue
            for part in expand(difference, self.secrets):
                yield partial(part.line, self.secrets, is_new=self.is_new)
        if computed:
            yield partial(_computed_line, computed, self.secrets)

    def _is_shown(self, difference: Difference) -> bool:
        """Whether the old value of a computed attribute is shown: if it belongs to one object that is not replaced."""
        return difference.before is not None and self.change.action is Action.UPDATE and len(self.entries) == 1

    def _drift_lines(self, drift: Change | None) -> Iterator[Line]:
        for difference in drift_differences(drift):
            for part in expand(difference, self.secrets):
                yield partial(_outside_line, part, self.secrets)

    def _config_lines(self) -> Iterator[Line]:
        for line in self.change.generated_config.splitlines():
            if line.strip():
                yield partial(_config_line, line, self.secrets)

    @property
    def _affects_stored_data(self) -> bool:
        return (
            self.section is PlanSection.RESOURCE and stores_data(self.change.type) and self.change.action in _AFFECTING
        )

    def _reasons(self) -> Iterator[str]:
        if reason := explain(self.change, self.secrets):
            yield reason
        if drift := self.entries[0].drift:
            yield f"it was {_OUTSIDE.get(drift.action, 'changed')} outside of Terraform"

    @property
    def full_address(self) -> str:
        """The address of the row, masked, and up to a limit that real addresses do not reach."""
        return self._address(self.change.address, _MAX_ADDRESS)

    def _address(self, address: str, length: int = _ADDRESS) -> str:
        shown = wildcard_address(address) if len(self.entries) > 1 else address
        return shown_address(self.change, self.secrets, "" if shown == self.change.address else shown, length)

    @property
    def _action(self) -> str:
        change = self.change
        if change.action is Action.NO_OP:
            return "import" if change.importing is not None else "move" if change.previous_address else "no change"
        if self.section is PlanSection.DRIFT:
            return f"{_OUTSIDE.get(change.action, 'changed')} outside of Terraform"
        if change.action is Action.UNKNOWN:
            return self.secrets.safe_line("+".join(change.actions), _ACTION)
        return change.action.value


_AFFECTING = {Action.UPDATE, Action.REPLACE, Action.DESTROY, Action.FORGET, Action.UNKNOWN}
_OUTSIDE = {Action.DESTROY: "deleted", Action.CREATE: "created"}


def _computed_line(differences: Sequence[Difference], secrets: Secrets) -> str:
    paths = ", ".join(difference.shown_path(secrets) for difference in differences[:_MAX_PATHS])
    more = f" and {len(differences) - _MAX_PATHS} more" if len(differences) > _MAX_PATHS else ""
    return f"known after apply: {paths}{more}"


def _outside_line(difference: Difference, secrets: Secrets) -> str:
    return f"outside of Terraform: {difference.line(secrets)}"


def drift_differences(drift: Change | None) -> Sequence[Difference]:
    """The attributes that were changed outside of Terraform; none if the object was deleted."""
    return [] if drift is None or drift.action is Action.DESTROY else changed_values(drift)


def _config_line(line: str, secrets: Secrets) -> str:
    return f"generated config: {secrets.safe_line(line, _CONFIG)}"


def _imported(change: Change, secrets: Secrets) -> dict[str, Any]:
    """The import id, the import identity, or both."""
    importing = change.importing
    if importing is None:
        return {}
    if importing.get("unknown") is True:
        return {"import_id": "(known after apply)"}
    found: dict[str, Any] = {}
    if identity := importing.get("identity"):
        found["import_identity"] = format_value(identity, secrets, _ID)
    if (id_ := importing.get("id")) or not found:
        found["import_id"] = secrets.safe_line(str(id_ or "(not specified)"), _ID)
    return found


def group_rows(found: Iterable[ReviewEntry], secrets: Secrets) -> list[ReviewRow]:
    """Group changes into rows: one for each change, or for instances with the same change, in order of the first one.

    If the keys of the instances are too long for one row, they are split into several rows.
    """
    return [row for family in families(found) for row in rows_of_family(family, secrets)]


def families(found: Iterable[ReviewEntry]) -> list[list[ReviewEntry]]:
    """The changes that may share rows: instances of one resource with the same actions, in order of the first one."""
    grouped: dict[Sequence[object], list[ReviewEntry]] = {}
    for entry in found:
        grouped.setdefault(_family(entry), []).append(entry)
    return list(grouped.values())


def rows_of_family(family: Sequence[ReviewEntry], secrets: Secrets) -> Iterator[ReviewRow]:
    """The rows of changes that may share rows. Comparing them takes most of the time of a review."""
    equal: dict[str, list[ReviewEntry]] = {}
    for entry in family:
        equal.setdefault(_comparison_text(entry) if len(family) > 1 else "", []).append(entry)
    return (ReviewRow(part, secrets) for instances in equal.values() for part in _with_short_keys(instances, secrets))


def _with_short_keys(instances: Sequence[ReviewEntry], secrets: Secrets) -> Iterator[Sequence[ReviewEntry]]:
    """Split the instances into groups whose keys fit into a row."""
    half = len(instances) // 2
    if half == 0 or sum(len(key.encode()) + 3 for key in _shown_keys(instances, secrets)) <= _MAX_KEYS_BYTES:
        yield instances
        return
    yield from _with_short_keys(instances[:half], secrets)
    yield from _with_short_keys(instances[half:], secrets)


def _shown_keys(instances: Sequence[ReviewEntry], secrets: Secrets) -> list[str]:
    return format_keys([entry.change.address for entry in instances], secrets)


def entry_differences(entry: ReviewEntry) -> list[Difference]:
    """The attributes that change. An object that is destroyed or forgotten has none."""
    if entry.section in {PlanSection.RESOURCE, PlanSection.DEFERRED, PlanSection.ACTION}:
        return differences(entry.change)
    is_deleted = entry.section is PlanSection.DRIFT and entry.change.action is Action.DESTROY
    return [] if is_deleted or entry.section is PlanSection.READ else changed_values(entry.change)


def _family(entry: ReviewEntry) -> Sequence[object]:
    """The properties that instances of a count or for_each must share to be grouped into one row."""
    change = entry.change
    general = wildcard_address(change.address)
    # Instances are imported by different ids, and one action may be invoked for several resources.
    own = _compact([change.importing, change.source.get("lifecycle_action_trigger")])
    if general == change.address or change.deposed or entry.section is PlanSection.OUTPUT:
        return (entry.section, change.address, change.deposed, change.actions, own, change.deferred)
    before = wildcard_address(change.previous_address)
    return (entry.section, general, before, own, change.actions, change.reason, change.deferred, change.is_invocation)


def _comparison_text(entry: ReviewEntry) -> str:
    """A string that is equal for entries of one family with the same change."""
    found = [*entry_differences(entry), *drift_differences(entry.drift)]
    keys = [difference.comparison_key for difference in found]
    drift_actions = None if entry.drift is None else entry.drift.actions
    return canonical_masked([keys, drift_actions, entry.change.generated_config])


def _compact(value: Any) -> str:
    return "" if value == [None, None] else json.dumps(value, sort_keys=True, default=encode_number)

"""The rows of a review: one for each change, or for siblings of a count or for_each that change alike."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
from itertools import chain, islice
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.dangers import holds_data, rank
from tfruns.review.differences import Difference, changed_values, differences
from tfruns.review.exact_json import encode_number
from tfruns.review.expansion import expanded
from tfruns.review.naming import general_address, shown_keys, without_keys
from tfruns.review.plan_document import Action, Change, PlanDocument
from tfruns.review.summary import is_drift, shown_address
from tfruns.review.values import likeness, written
from tfruns.review.words import why

_ACTION = 40  # characters of an action that tfruns does not know
_ID = 240  # of an id by which an object is imported
_CONFIG = 160  # of a line of generated configuration
_KEYS_BYTES = 1_500
_LINES = 20_000  # that a row has at most, so that a huge value costs neither time nor memory without end
_PATHS = 5  # of attributes that are known after the apply


class Kind(StrEnum):
    """The part of a plan that a change belongs to."""

    RESOURCE = "resource"
    ACTION = "action"
    READ = "read"
    DEFERRED = "deferred"
    OUTPUT = "output"
    DRIFT = "drift"


@dataclass(frozen=True, slots=True)
class Entry:
    """A change with its place in the plan.

    Attributes:
        kind: the part of the plan.
        change: the change.
        is_shown: it is in the review without a filter.
        drift: how the same resource was changed outside of Terraform, if it was.
        is_attached: it is drift of a resource that the plan changes, and is shown with that resource.
    """

    kind: Kind
    change: Change
    is_shown: bool = True
    drift: Change | None = None
    is_attached: bool = False


def entries(document: PlanDocument, *, is_refresh_only: bool) -> list[Entry]:
    """Everything that can be shown of a plan: dangers first, then all other changes, outputs, and drift.

    Drift of a resource that the plan changes is shown with it. Other drift is shown in a refresh-only run, and where
    Terraform calls it relevant.
    """
    changes = [change for change in sorted((*document.changes, *document.invocations), key=rank) if change.is_change]
    drift = [change for change in document.drift if is_drift(change)]
    drift_at = {_instance(change): change for change in reversed(drift)}
    return [
        *(
            _planned(change, None if is_refresh_only else _drift_of(change, drift_at))
            for change in changes
            if not _is_read(change)
        ),
        *(Entry(Kind.DEFERRED, change) for change in document.deferred),
        *(Entry(Kind.OUTPUT, output) for output in document.outputs if output.is_change),
        *_drift_entries(document, drift, changes, is_refresh_only=is_refresh_only),
        *(Entry(Kind.READ, change, is_shown=False) for change in changes if _is_read(change)),
    ]


def _planned(change: Change, drift: Change | None) -> Entry:
    return Entry(Kind.ACTION if change.is_invocation else Kind.RESOURCE, change, drift=drift)


def _drift_entries(
    document: PlanDocument, drift: Iterable[Change], changes: Iterable[Change], *, is_refresh_only: bool
) -> Iterator[Entry]:
    relevant = document.relevant
    changed = {instance for change in changes if not _is_read(change) for instance in _instances(change)}
    for change in drift:
        if is_refresh_only or _instance(change) not in changed:
            is_relevant = not relevant.isdisjoint((change.address, without_keys(change.address)))
            yield Entry(Kind.DRIFT, change, is_shown=is_refresh_only or is_relevant)
        else:
            yield Entry(Kind.DRIFT, change, is_shown=False, is_attached=True)


def _instance(change: Change) -> tuple[str, str]:
    return change.address, change.deposed


def _instances(change: Change) -> tuple[tuple[str, str], ...]:
    """A changed resource by its address, and by the address that it had before."""
    return _instance(change), (change.previous_address, change.deposed)


def _drift_of(change: Change, drift_at: Mapping[tuple[str, str], Change]) -> Change | None:
    return next((drift_at[instance] for instance in _instances(change) if instance in drift_at), None)


def _is_read(change: Change) -> bool:
    return change.is_data or change.action is Action.READ


Line = Callable[[], str]
"""A line of a row, written when it is shown."""


@dataclass(frozen=True)
class Row:
    """One row: changes that are alike, at least one.

    Attributes:
        entries: the changes.
        secrets: of the plan.
    """

    entries: Sequence[Entry]
    secrets: Secrets

    @property
    def change(self) -> Change:
        return self.entries[0].change

    @property
    def kind(self) -> Kind:
        return self.entries[0].kind

    @property
    def is_new(self) -> bool:
        return self.change.action in {Action.CREATE, Action.INVOKE}

    def head(self) -> dict[str, Any]:
        """The row without its differences: bounded, whatever the values."""
        change = self.change
        row: dict[str, Any] = {"address": self._address(change.address), "action": self._action}
        if len(self.entries) > 1:
            row["count"] = len(self.entries)
            row["keys"] = _shown_keys(self.entries, self.secrets)
        if self.kind is Kind.DEFERRED:
            row["deferred"] = True
        if self._is_losing_data:
            row["danger"] = "it holds data"
        if reasons := [*self._reasons()]:
            row["why"] = "; ".join(reasons)
        if change.previous_address:
            row["moved_from"] = self._address(change.previous_address)
        return row | _imported(change, self.secrets)

    @cached_property
    def lines(self) -> Sequence[Line]:
        """The lines below the head: attributes, drift, and the generated configuration; of a huge row, the first."""
        drift = self.entries[0].drift
        return [*islice(chain(self._attribute_lines(), self._drift_lines(drift), self._config_lines()), _LINES)]

    def _attribute_lines(self) -> Iterator[Line]:
        """A line for each part of a difference; ids that are known after the apply share the last one."""
        later = []
        for difference in differences_of(self.entries[0]):
            if difference.is_plain_computed and not self._is_shown(difference):
                later.append(difference)
                continue
            for part in expanded(difference, self.secrets):
                yield partial(part.line, self.secrets, is_new=self.is_new)
        if later:
            yield partial(_known_later, later, self.secrets)

    def _is_shown(self, difference: Difference) -> bool:
        """Whether a value that becomes unknown is shown: where it belongs to one object that is kept."""
        return difference.before is not None and self.change.action is Action.UPDATE and len(self.entries) == 1

    def _drift_lines(self, drift: Change | None) -> Iterator[Line]:
        for difference in _drift_differences(drift):
            for part in expanded(difference, self.secrets):
                yield partial(_outside_line, part, self.secrets)

    def _config_lines(self) -> Iterator[Line]:
        for line in self.change.generated_config.splitlines():
            if line.strip():
                yield partial(_config_line, line, self.secrets)

    @property
    def _is_losing_data(self) -> bool:
        return self.kind is Kind.RESOURCE and holds_data(self.change.type) and self.change.action in _LOSING

    def _reasons(self) -> Iterator[str]:
        if reason := why(self.change, self.secrets):
            yield reason
        if drift := self.entries[0].drift:
            yield f"it was {_OUTSIDE.get(drift.action, 'changed')} outside of Terraform"

    def _address(self, address: str) -> str:
        shown = general_address(address) if len(self.entries) > 1 else address
        return shown_address(self.change, self.secrets, "" if shown == self.change.address else shown)

    @property
    def _action(self) -> str:
        change = self.change
        if change.action is Action.NO_OP:
            return "import" if change.importing is not None else "move" if change.previous_address else "no change"
        if self.kind is Kind.DRIFT:
            return f"{_OUTSIDE.get(change.action, 'changed')} outside of Terraform"
        if change.action is Action.UNKNOWN:
            return self.secrets.shown("+".join(change.actions), _ACTION)
        return change.action.value


_LOSING = {Action.UPDATE, Action.REPLACE, Action.DESTROY, Action.FORGET, Action.UNKNOWN}
_OUTSIDE = {Action.DESTROY: "deleted", Action.CREATE: "created"}


def _known_later(differences: Sequence[Difference], secrets: Secrets) -> str:
    paths = ", ".join(difference.shown_path(secrets) for difference in differences[:_PATHS])
    more = f" and {len(differences) - _PATHS} more" if len(differences) > _PATHS else ""
    return f"known after apply: {paths}{more}"


def _outside_line(difference: Difference, secrets: Secrets) -> str:
    return f"outside of Terraform: {difference.line(secrets)}"


def _drift_differences(drift: Change | None) -> Sequence[Difference]:
    return [] if drift is None or drift.action is Action.DESTROY else changed_values(drift)


def _config_line(line: str, secrets: Secrets) -> str:
    return f"generated config: {secrets.shown(line, _CONFIG)}"


def _imported(change: Change, secrets: Secrets) -> dict[str, Any]:
    """By what an object is imported: its id or its identity."""
    importing = change.importing
    if importing is None:
        return {}
    if importing.get("unknown") is True:
        return {"import_id": "(known after apply)"}
    found: dict[str, Any] = {}
    if identity := importing.get("identity"):
        found["import_identity"] = written(identity, secrets, _ID)
    if (id_ := importing.get("id")) or not found:
        found["import_id"] = secrets.shown(str(id_ or "(not given)"), _ID)
    return found


def rows(found: Iterable[Entry], secrets: Secrets) -> list[Row]:
    """One row for each change, or for siblings that are alike, at the position of the first of them.

    Where the keys of siblings are too long for one row, there are several.
    """
    families: dict[Sequence[object], list[Entry]] = {}
    for entry in found:
        families.setdefault(_family(entry), []).append(entry)
    alike: dict[tuple[int, str], list[Entry]] = {}
    for number, family in enumerate(families.values()):
        for entry in family:
            alike.setdefault((number, _likeness(entry) if len(family) > 1 else ""), []).append(entry)
    return [Row(part, secrets) for siblings in alike.values() for part in _with_short_keys(siblings, secrets)]


def _with_short_keys(siblings: Sequence[Entry], secrets: Secrets) -> Iterator[Sequence[Entry]]:
    """The siblings in parts whose keys fit into a row."""
    half = len(siblings) // 2
    if half == 0 or sum(len(key.encode()) + 3 for key in _shown_keys(siblings, secrets)) <= _KEYS_BYTES:
        yield siblings
        return
    yield from _with_short_keys(siblings[:half], secrets)
    yield from _with_short_keys(siblings[half:], secrets)


def _shown_keys(siblings: Sequence[Entry], secrets: Secrets) -> list[str]:
    return shown_keys([entry.change.address for entry in siblings], secrets)


def differences_of(entry: Entry) -> list[Difference]:
    """The attributes that change; there are none of an object that is destroyed or forgotten."""
    if entry.kind in {Kind.RESOURCE, Kind.DEFERRED, Kind.ACTION}:
        return differences(entry.change)
    if entry.kind is Kind.READ or (entry.kind is Kind.DRIFT and entry.change.action is Action.DESTROY):
        return []
    return changed_values(entry.change)


def _family(entry: Entry) -> Sequence[object]:
    """What the instances of a count or for_each that may change alike have in common."""
    change = entry.change
    general = general_address(change.address)
    # Siblings are imported by different ids; the same action may be invoked for several resources.
    own = _compact([change.importing, change.source.get("lifecycle_action_trigger")])
    if general == change.address or change.deposed or entry.kind is Kind.OUTPUT:
        return (entry.kind, change.address, change.deposed, change.actions, own, change.deferred)
    before = general_address(change.previous_address)
    return (entry.kind, general, before, own, change.actions, change.reason, change.deferred, change.is_invocation)


def _likeness(entry: Entry) -> str:
    """A text that is equal for those of a family that change alike."""
    found = [*differences_of(entry), *_drift_differences(entry.drift)]
    drifted = None if entry.drift is None else entry.drift.actions
    return likeness([[difference.key for difference in found], drifted, entry.change.generated_config])


def _compact(value: Any) -> str:
    return "" if value == [None, None] else json.dumps(value, sort_keys=True, default=encode_number)

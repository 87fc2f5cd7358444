"""The rows of a review: one for each change, or for all siblings of a count or for_each that change alike."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.dangers import holds_data, rank
from tfruns.review.differences import Difference, changed_values, differences
from tfruns.review.plan_document import Action, Change, PlanDocument
from tfruns.review.summary import shown_address
from tfruns.review.values import likeness
from tfruns.review.words import why

_KEYS = 10  # keys of siblings that are listed
_KEY = 40  # characters of one
_ID = 80
_PATHS = 5  # of attributes that are known after the apply

_INSTANCE_KEY = re.compile(r'\[(\d+|"(?:[^"\\]|\\.)*")\]')


class Kind(StrEnum):
    """Which part of a plan a change stands in."""

    RESOURCE = "resource"
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
        is_shown: whether it is in the review without being asked for.
    """

    kind: Kind
    change: Change
    is_shown: bool = True


def entries(document: PlanDocument, *, is_refresh_only: bool) -> list[Entry]:
    """Everything that can be shown of a plan: dangers first, then what else changes, outputs, and drift.

    Drift is shown where it is what the run is about, and else that of resources on which the plan's changes depend.
    """
    relevant = document.relevant
    drift = [
        Entry(Kind.DRIFT, change, is_refresh_only or bool({change.address, _without_keys(change.address)} & relevant))
        for change in document.drift
        if change.is_change
    ]
    changes = [change for change in sorted(document.changes, key=rank) if change.is_change]
    return [
        *(Entry(Kind.RESOURCE, change) for change in changes if not _is_read(change)),
        *(Entry(Kind.DEFERRED, change) for change in document.deferred),
        *(Entry(Kind.OUTPUT, output) for output in document.outputs if output.is_change),
        *drift,
        *(Entry(Kind.READ, change, is_shown=False) for change in changes if _is_read(change)),
    ]


def _is_read(change: Change) -> bool:
    return change.is_data or change.action is Action.READ


def _without_keys(address: str) -> str:
    return _INSTANCE_KEY.sub("", address)


@dataclass(frozen=True)
class Row:
    """One row: changes that are alike, at least one."""

    entries: Sequence[Entry]

    @cached_property
    def differences(self) -> Sequence[Difference]:
        """The attributes that change; what is gone has none."""
        return differences_of(self.entries[0])

    @property
    def change(self) -> Change:
        return self.entries[0].change

    @property
    def kind(self) -> Kind:
        return self.entries[0].kind

    @property
    def is_new(self) -> bool:
        return self.change.action is Action.CREATE

    def head(self, secrets: Secrets) -> dict[str, Any]:
        """The row without its differences: bounded, whatever the values."""
        change = self.change
        row: dict[str, Any] = {"address": self._address(change.address, secrets), "action": self._action(secrets)}
        if len(self.entries) > 1:
            row |= {
                "count": len(self.entries),
                "keys": _keys([entry.change.address for entry in self.entries], secrets),
            }
        if self.kind in {Kind.RESOURCE, Kind.DEFERRED} and holds_data(change.type) and change.action in _LOSING:
            row["danger"] = "it holds data"
        if reason := why(change):
            row["why"] = reason
        if change.previous_address:
            row["moved_from"] = self._address(change.previous_address, secrets)
        if change.import_id is not None:
            row["import_id"] = secrets.shown(change.import_id, _ID) or "(known after apply)"
        return row

    @cached_property
    def _split(self) -> tuple[Sequence[Difference], Sequence[Difference]]:
        """The differences that have a line of their own, and those that share one: what is known after the apply.

        The latter stand last.
        """
        known = [difference for difference in self.differences if difference.is_forcing or not difference.is_computed]
        return known, [*self.differences[len(known) :]]

    @property
    def size(self) -> int:
        """How many lines its attributes take."""
        known, later = self._split
        return len(known) + bool(later)

    def line(self, number: int, secrets: Secrets) -> str:
        """One of these lines."""
        known, later = self._split
        if number < len(known):
            return known[number].line(secrets, is_new=self.is_new)
        paths = ", ".join(difference.shown_path(secrets) for difference in later[:_PATHS])
        return f"known after apply: {paths}" + (f" and {len(later) - _PATHS} more" if len(later) > _PATHS else "")

    def _address(self, address: str, secrets: Secrets) -> str:
        general = _INSTANCE_KEY.sub("[*]", address) if len(self.entries) > 1 else address
        return shown_address(self.change, secrets, general)

    def _action(self, secrets: Secrets) -> str:
        change = self.change
        if change.action is Action.NO_OP:
            return "import" if change.import_id is not None else "move"
        if self.kind is Kind.DRIFT:
            return f"{_OUTSIDE.get(change.action, 'changed')} outside of Terraform"
        return secrets.shown("+".join(change.actions), _KEY) if change.action is Action.UNKNOWN else change.action.value


_LOSING = {Action.UPDATE, Action.REPLACE, Action.DESTROY, Action.FORGET, Action.UNKNOWN}
_OUTSIDE = {Action.DESTROY: "deleted", Action.CREATE: "created"}


def rows(found: Iterable[Entry]) -> list[Row]:
    """One row for each change, or for those that are alike: where the first of them stands."""
    families: dict[Sequence[object], list[Entry]] = {}
    for entry in found:
        families.setdefault(_family(entry), []).append(entry)
    alike: dict[tuple[int, str], list[Entry]] = {}
    for number, family in enumerate(families.values()):
        for entry in family:
            alike.setdefault((number, _likeness(entry) if len(family) > 1 else ""), []).append(entry)
    return [Row(entries) for entries in alike.values()]


def differences_of(entry: Entry) -> list[Difference]:
    """The attributes that change; what is gone has none."""
    if entry.kind is Kind.RESOURCE or entry.kind is Kind.DEFERRED:
        return differences(entry.change)
    if entry.kind is Kind.READ or (entry.kind is Kind.DRIFT and entry.change.action is Action.DESTROY):
        return []
    return changed_values(entry.change)


def _family(entry: Entry) -> Sequence[object]:
    """What the instances of a count or for_each that may change alike have in common."""
    change = entry.change
    general = _INSTANCE_KEY.sub("[*]", change.address)
    if general == change.address or change.deposed or entry.kind is Kind.OUTPUT:
        return (entry.kind, change.address, change.deposed, change.actions)
    before = _INSTANCE_KEY.sub("[*]", change.previous_address)
    return (entry.kind, general, before, change.import_id, change.actions, change.reason, change.deferred)


def _likeness(entry: Entry) -> str:
    """What is equal for those of a family that change alike."""
    return likeness([difference.key for difference in differences_of(entry)])


def _keys(addresses: Sequence[str], secrets: Secrets) -> list[str]:
    """The keys by which siblings differ; numbers that follow each other as a range."""
    keys = ["/".join(key.strip('"') for key in _INSTANCE_KEY.findall(address)) for address in addresses]
    if all(key.isdecimal() for key in keys):
        keys = list(_ranges(sorted(map(int, keys))))
    shown = [secrets.shown(key, _KEY) for key in keys[:_KEYS]]
    return shown + ([f"… {len(keys) - _KEYS} more"] if len(keys) > _KEYS else [])


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        together = [number for _, number in run]
        yield f"{together[0]}-{together[-1]}" if len(together) > 1 else str(together[0])

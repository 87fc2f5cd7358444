"""The summary of a plan: counts, dangerous changes, and the fingerprint that identifies it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.dangers import danger_of, danger_rank
from tfruns.review.differences import changed_values
from tfruns.review.exact_json import encode_number
from tfruns.review.instance_keys import format_keys, wildcard_address
from tfruns.review.plan_document import Action, Change, PlanDocument

# The sections that matter for the decision to apply. The change of a resource contains its import and its generated
# configuration.
_FINGERPRINTED = (
    "resource_changes",
    "resource_drift",
    "deferred_changes",
    "action_invocations",
    "deferred_action_invocations",
    "output_changes",
    "checks",
    "applyable",
    "complete",
    "errored",
)
_DESTRUCTIVE = {Action.DESTROY, Action.REPLACE}
_ADDRESS = 160  # characters of an address
_MAX_ADDRESS = 4_000
_MAX_DANGERS = 4_000  # characters of the dangerous changes in a confirmation prompt

NO_LIST = "the plan has no list of resource changes"
"""A doubt that the `has-changes` attribute of the run can resolve, because Terraform omits an empty list."""


@dataclass(frozen=True, slots=True)
class PlanCounts:
    """The number of managed resources that change, and of actions to invoke.

    A replacement only counts as `replace`. If the old object is forgotten instead of destroyed, it counts as one to add
    and one to forget, as in Terraform. An imported or moved resource may also count as a change.
    """

    add: int = 0
    change: int = 0
    destroy: int = 0
    replace: int = 0
    imported: int = 0
    move: int = 0
    forget: int = 0
    unknown: int = 0
    invoke: int = 0
    deferred: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counts that are not zero, by name. (`import` is a reserved word in Python.)"""
        values = {
            "add": self.add,
            "change": self.change,
            "destroy": self.destroy,
            "replace": self.replace,
            "import": self.imported,
            "move": self.move,
            "forget": self.forget,
            "unknown": self.unknown,
            "invoke": self.invoke,
            "deferred": self.deferred,
        }
        return {name: value for name, value in values.items() if value}

    @property
    def line(self) -> str:
        """Terraform's summary line, in which a replacement is one to add and one to destroy, plus other counts."""
        imported = f"{self.imported} to import, " if self.imported else ""
        more = {
            "to forget": self.forget,
            "to move": self.move,
            "with an unrecognized action": self.unknown,
        }
        others = "".join(f", {number} {label}" for label, number in more.items() if number)
        actions = f" Actions: {self.invoke} to invoke." if self.invoke else ""
        later = f" Deferred to a later run: {self.deferred}." if self.deferred else ""
        return (
            f"Plan: {imported}{self.add + self.replace} to add, {self.change} to change, "
            f"{self.destroy + self.replace} to destroy{others}.{actions}{later}"
        )


@dataclass(frozen=True, slots=True)
class DangerousChange:
    """A dangerous change of one resource or of several instances. Its strings are masked and on one line.

    Attributes:
        address: the address of the resource, with `[*]` in place of the keys of several instances.
        why: why the change is dangerous.
        keys: the keys of all instances; empty for a single resource.
        count: the number of resources.
    """

    address: str
    why: str
    keys: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class PlanSummary:
    """The summary of a plan.

    Attributes:
        counts: the counts of managed resources and actions.
        outputs: the number of outputs that change.
        drifted: the number of resources that were changed outside of Terraform.
        moved: the number of resources that a refresh-only plan moves. Other plans count a move as a change.
        dangers: all dangerous changes, the most dangerous first.
        doubts: why there may be more changes; empty if the plan is complete and recognized.
        fingerprint: a digest of the run, the plan and all changes, including sensitive values.
        is_destructive: whether a resource is destroyed or replaced, an action is invoked, or a part of the plan is
            unrecognized and may destroy something.
    """

    counts: PlanCounts
    outputs: int
    drifted: int
    moved: int
    dangers: tuple[DangerousChange, ...]
    doubts: tuple[str, ...]
    fingerprint: str
    is_destructive: bool


def summarize(document: PlanDocument, secrets: Secrets | None = None) -> PlanSummary:
    """Summarize a plan.

    Args:
        document: the plan.
        secrets: the secrets of the plan; collected from the plan if omitted.
    """
    secrets = secrets or Secrets.of_plan(document.source)
    changes = (*document.changes, *document.invocations)
    return PlanSummary(
        counts=count_changes(document),
        outputs=sum(output.is_change for output in document.outputs),
        drifted=sum(is_drift(change) and change.action is not Action.NO_OP for change in document.drift),
        moved=sum(is_drift(change) and change.action is Action.NO_OP for change in document.drift),
        dangers=tuple(_dangers(changes, secrets)),
        doubts=tuple(_doubts(document)),
        fingerprint=fingerprint(document),
        is_destructive=bool(document.unrecognized or document.invocations)
        or any(change.action in _DESTRUCTIVE for change in document.changes),
    )


def count_changes(document: PlanDocument) -> PlanCounts:
    """Count the changes of managed resources, and the actions to invoke."""
    managed = [change for change in document.changes if not change.is_data]
    actions = [change.action for change in managed]
    forgetting = sum(change.is_forgetting_replacement for change in managed)
    return PlanCounts(
        add=actions.count(Action.CREATE) + forgetting,
        change=actions.count(Action.UPDATE),
        destroy=actions.count(Action.DESTROY),
        replace=actions.count(Action.REPLACE) - forgetting,
        imported=sum(change.importing is not None for change in managed),
        move=sum(bool(change.previous_address) for change in managed),
        forget=actions.count(Action.FORGET) + forgetting,
        unknown=actions.count(Action.UNKNOWN),
        invoke=len(document.invocations),
        deferred=len(document.deferred),
    )


def is_drift(change: Change) -> bool:
    """Whether a drift entry contains a change. Terraform 0.15.2 to 1.0 also lists resources without a difference."""
    if change.action is Action.UPDATE:
        return bool(changed_values(change))
    return change.is_change


def danger_lines(dangers: Sequence[DangerousChange], length: int = _MAX_DANGERS) -> list[str]:
    """Format dangerous changes for a confirmation prompt, one line each, with the key of every instance.

    If the lines would exceed `length` characters, the list is truncated and its last line says so.
    """
    lines: list[str] = []
    is_complete = True
    for danger in dangers:
        room = length - sum(map(len, lines))
        if room <= 0:
            is_complete = False
            break
        keys = _keys_within(danger.keys, room)
        is_complete = is_complete and len(keys) == len(danger.keys)
        named = f" ({danger.count}: {', '.join(keys)}{' …' * (len(keys) < len(danger.keys))})" if keys else ""
        lines.append(f"- {danger.address}: {danger.why}{named}")
    total = sum(danger.count for danger in dangers)
    return lines if is_complete else [*lines, f"- this list is truncated: the review of the plan lists all {total}"]


def _keys_within(keys: Sequence[str], length: int) -> Sequence[str]:
    """The first keys that fit into `length` characters, at least one."""
    ends = accumulate(len(key) + 2 for key in keys)
    return keys[: max(1, sum(end <= length for end in ends))]


def _dangers(changes: Iterable[Change], secrets: Secrets) -> Iterator[DangerousChange]:
    """The dangerous changes, grouped by instances with the same danger, in order of the first one."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in sorted(changes, key=danger_rank):
        if why := danger_of(change):
            address = change.address if change.deposed else wildcard_address(change.address)
            groups.setdefault((f"{address} {change.deposed}", why), []).append(change)
    for (_, why), group in groups.items():
        first = group[0]
        if len(group) == 1:
            yield DangerousChange(shown_address(first, secrets), why)
            continue
        address = shown_address(first, secrets, wildcard_address(first.address))
        keys = tuple(format_keys([change.address for change in group], secrets))
        yield DangerousChange(address, why, keys if any(keys) else (), len(group))


def _doubts(document: PlanDocument) -> Iterator[str]:
    """Why there may be changes that are not counted."""
    if document.is_errored:
        yield "planning failed"
    if document.unrecognized:
        yield "tfruns does not recognize a part of the plan"
    if document.is_incomplete:
        yield "the plan is incomplete"
    if not document.has_resource_changes and document.source.get("applyable") is not False:
        yield NO_LIST


def shown_address(change: Change, secrets: Secrets, address: str = "", length: int = _ADDRESS) -> str:
    """The address of a change (or the given form of it), masked and on one line.

    A long address is shortened in the middle, because the resource is at its end.
    """
    deposed = f" (deposed object {change.deposed})" if change.deposed and not address else ""
    full = f"{address or change.address}{deposed}"
    shown = secrets.safe_line(full, _MAX_ADDRESS)
    start = length // 3
    return shown if len(shown) <= length else f"{shown[:start]}…{shown[start + 1 - length :]}"


def fingerprint(document: PlanDocument) -> str:
    """A digest of the run, the plan and all sections that matter for the decision to apply, sensitive values included.

    It is stable for one form of a plan. The redacted form contains other values, so its fingerprint differs.
    """
    digest = hashlib.sha256(_canonical([document.run_id, document.plan_id]))
    for name in _FINGERPRINTED:
        section = document.source.get(name)
        for item in section if isinstance(section, list) else [section]:  # item by item, because a section may be large
            digest.update(b"\n" + _canonical(item))
        digest.update(b"\n\n")
    return digest.hexdigest()[:32]


def _canonical(value: Any) -> bytes:
    """The canonical form of a JSON value: one line of ASCII with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=encode_number).encode()

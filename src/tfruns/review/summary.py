"""A plan in a few numbers, its dangers, and the fingerprint that identifies it."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.dangers import danger_of, rank
from tfruns.review.differences import changed_values
from tfruns.review.exact_json import encode_number
from tfruns.review.naming import general_address, shown_keys
from tfruns.review.plan_document import Action, Change, PlanDocument

# Everything of a plan that matters to whoever decides about it. A resource's change holds its import and its generated
# configuration, too.
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
_ADDRESS = 160  # characters of an address that are shown
_AT_STAKE = 4_000  # characters of the list of dangers in a question

NO_LIST = "it has no list of resource changes"
"""A doubt that `has-changes` of the API can remove: Terraform omits an empty list."""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many managed resources change, and how many actions are invoked.

    A replacement counts as `replace` alone. Where the old object is forgotten instead of destroyed, it is one to add
    and one to forget, as Terraform counts it. An import or a move may be a change as well.
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
        """Those that are not zero, by their names; `import` is no name for Python."""
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
        """The line as Terraform prints it, where a replacement is one to add and one to destroy, with all else."""
        imported = f"{self.imported} to import, " if self.imported else ""
        more = {
            "to forget": self.forget,
            "to move": self.move,
            "with an action that tfruns does not know": self.unknown,
        }
        others = "".join(f", {number} {what}" for what, number in more.items() if number)
        actions = f" Actions: {self.invoke} to invoke." if self.invoke else ""
        later = f" Deferred to a later run: {self.deferred}." if self.deferred else ""
        return (
            f"Plan: {imported}{self.add + self.replace} to add, {self.change} to change, "
            f"{self.destroy + self.replace} to destroy{others}.{actions}{later}"
        )


@dataclass(frozen=True, slots=True)
class Danger:
    """Changes that a person should know of: one, or those of siblings. The texts are without secrets, on one line.

    Attributes:
        address: of the resource, with `[*]` for the keys of several siblings.
        why: why the change is dangerous.
        keys: the keys of all siblings; none for a single resource.
        count: how many resources.
    """

    address: str
    why: str
    keys: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True, slots=True)
class Summary:
    """What to know about a plan before it is applied.

    Attributes:
        counts: of managed resources and actions.
        outputs: how many outputs change.
        drifted: how many resources were changed outside of Terraform.
        moved: how many resources a refresh-only plan moves; any other plan counts them as changes.
        dangers: all of them, the worst first.
        doubts: why it cannot be said that nothing else changes; empty if it can.
        fingerprint: a digest of the run, the plan and all its changes, sensitive values included.
        is_destructive: something is destroyed or replaced, an action is invoked, or the plan cannot be read well enough
            to say that nothing is destroyed.
    """

    counts: Counts
    outputs: int
    drifted: int
    moved: int
    dangers: tuple[Danger, ...]
    doubts: tuple[str, ...]
    fingerprint: str
    is_destructive: bool


def summary(document: PlanDocument, secrets: Secrets | None = None) -> Summary:
    """Sum up a plan.

    Args:
        document: the plan.
        secrets: the plan's, where they have been collected already.
    """
    secrets = secrets or Secrets.of_plan(document.source)
    changes = (*document.changes, *document.invocations)
    return Summary(
        counts=count(document),
        outputs=sum(output.is_change for output in document.outputs),
        drifted=sum(is_drift(change) and change.action is not Action.NO_OP for change in document.drift),
        moved=sum(is_drift(change) and change.action is Action.NO_OP for change in document.drift),
        dangers=tuple(_dangers(changes, secrets)),
        doubts=tuple(_doubts(document)),
        fingerprint=fingerprint(document),
        is_destructive=bool(document.unreadable or document.invocations)
        or any(change.action in _DESTRUCTIVE for change in document.changes),
    )


def count(document: PlanDocument) -> Counts:
    """Count the managed resources of a plan, and the actions that it invokes."""
    managed = [change for change in document.changes if not change.is_data]
    actions = [change.action for change in managed]
    forgetting = sum(change.is_forgetting_replacement for change in managed)
    return Counts(
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
    """Whether an entry of the drift is one; Terraform 0.15.2 to 1.0 lists resources without a difference, too."""
    if change.action is Action.UPDATE:
        return bool(changed_values(change))
    return change.is_change


def at_stake(dangers: Sequence[Danger], length: int = _AT_STAKE) -> list[str]:
    """The dangers of a plan for the question to a person, a line each: every instance is named.

    Where that takes more than so many characters, the last line says that some are not named.
    """
    lines: list[str] = []
    is_whole = True
    for danger in dangers:
        room = length - sum(map(len, lines))
        if room <= 0:
            is_whole = False
            break
        keys = _keys_within(danger.keys, room)
        is_whole = is_whole and len(keys) == len(danger.keys)
        named = f" ({danger.count}: {', '.join(keys)}{' …' * (len(keys) < len(danger.keys))})" if keys else ""
        lines.append(f"- {danger.address}: {danger.why}{named}")
    total = sum(danger.count for danger in dangers)
    return lines if is_whole else [*lines, f"- not all of these {total} are named here: review_run lists them all"]


def _keys_within(keys: Sequence[str], length: int) -> Sequence[str]:
    """The first of the keys, at least one, that fit into so many characters."""
    ends = accumulate(len(key) + 2 for key in keys)
    return keys[: max(1, sum(end <= length for end in ends))]


def _dangers(changes: Iterable[Change], secrets: Secrets) -> Iterator[Danger]:
    """The dangerous changes, those of siblings together where the first of them stands."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for change in sorted(changes, key=rank):
        if why := danger_of(change):
            address = change.address if change.deposed else general_address(change.address)
            groups.setdefault((f"{address} {change.deposed}", why), []).append(change)
    for (_, why), group in groups.items():
        first = group[0]
        if len(group) == 1:
            yield Danger(shown_address(first, secrets), why)
            continue
        address = shown_address(first, secrets, general_address(first.address))
        keys = tuple(shown_keys([change.address for change in group], secrets))
        yield Danger(address, why, keys if any(keys) else (), len(group))


def _doubts(document: PlanDocument) -> Iterator[str]:
    """Why it cannot be said that nothing changes but what is counted."""
    if document.is_errored:
        yield "planning failed"
    if document.unreadable:
        yield "tfruns does not know the form of a part of it"
    if document.is_incomplete:
        yield "it is incomplete"
    if not document.has_resource_changes and document.source.get("applyable") is not False:
        yield NO_LIST


def shown_address(change: Change, secrets: Secrets, address: str = "") -> str:
    """The address of a change, or another one of it, as it may be shown."""
    deposed = f" (deposed object {change.deposed})" if change.deposed and not address else ""
    return secrets.shown(f"{address or change.address}{deposed}", _ADDRESS)


def fingerprint(document: PlanDocument) -> str:
    """A digest of the run, the plan, and everything that matters to a decision, the sensitive values included.

    The same plan always has the same one; its redacted form has another, since other values are in it.
    """
    digest = hashlib.sha256(_canonical([document.run_id, document.plan_id]))
    for name in _FINGERPRINTED:
        section = document.source.get(name)
        for item in section if isinstance(section, list) else [section]:  # in parts: the whole may be large
            digest.update(b"\n" + _canonical(item))
        digest.update(b"\n\n")
    return digest.hexdigest()[:32]


def _canonical(value: Any) -> bytes:
    """The one way to write a JSON value: a line of ASCII, with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=encode_number).encode()

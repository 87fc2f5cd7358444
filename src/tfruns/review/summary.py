"""A plan in a few numbers, what is dangerous about it, and the fingerprint by which it is known again."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.dangers import danger_of, rank
from tfruns.review.plan_document import Action, Change, PlanDocument

_CHANGES = ("resource_changes", "resource_drift", "deferred_changes", "action_invocations", "output_changes")
_DESTRUCTIVE = {Action.DESTROY, Action.REPLACE}
_ADDRESS = 160  # characters of an address that are shown


@dataclass(frozen=True, slots=True)
class Counts:
    """How many managed resources. A replacement counts as such alone, but where the old one is only forgotten it is one
    to add and one to forget, as Terraform counts it. What is imported or moved may change besides.
    """

    add: int = 0
    change: int = 0
    destroy: int = 0
    replace: int = 0
    imported: int = 0
    move: int = 0
    forget: int = 0

    def as_dict(self) -> dict[str, int]:
        """Those that are not zero, by their names; `import` is no name for Python."""
        names = ("add", "change", "destroy", "replace", "import", "move", "forget")
        values = (self.add, self.change, self.destroy, self.replace, self.imported, self.move, self.forget)
        return {name: value for name, value in zip(names, values, strict=True) if value}

    @property
    def line(self) -> str:
        """As Terraform says it: there a replacement is one to add and one to destroy."""
        imported = f"{self.imported} to import, " if self.imported else ""
        forgotten = f", {self.forget} to forget" if self.forget else ""
        return (
            f"Plan: {imported}{self.add + self.replace} to add, {self.change} to change, "
            f"{self.destroy + self.replace} to destroy{forgotten}."
        )


@dataclass(frozen=True, slots=True)
class Danger:
    """A change that a person should know of. Both texts are one line, bounded, and without secrets."""

    address: str
    why: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What there is to know about a plan before it is applied.

    Attributes:
        counts: of managed resources.
        outputs: how many outputs change.
        dangers: all of them, the worst first: a thousand if a thousand resources are destroyed.
        fingerprint: a digest of the run, the plan and all its changes, sensitive values included.
        is_destructive: something is destroyed or replaced, or cannot be read well enough to say that nothing is.
    """

    counts: Counts
    outputs: int
    dangers: tuple[Danger, ...]
    fingerprint: str
    is_destructive: bool


def summary(document: PlanDocument, secrets: Secrets | None = None) -> Summary:
    """Sum a plan up.

    Args:
        document: the plan.
        secrets: of the plan, where they have been collected already.
    """
    secrets = secrets or Secrets.of_plan(document.source)
    dangers = [(change, why) for change in sorted(document.changes, key=rank) if (why := danger_of(change))]
    counts = count(document.changes)
    return Summary(
        counts=counts,
        outputs=sum(output.is_change for output in document.outputs),
        dangers=tuple(Danger(shown_address(change, secrets), why) for change, why in dangers),
        fingerprint=fingerprint(document),
        is_destructive=bool(document.unreadable) or any(change.action in _DESTRUCTIVE for change in document.changes),
    )


def count(changes: Iterable[Change]) -> Counts:
    """Count the managed resources of a plan."""
    managed = [change for change in changes if not change.is_data]
    actions = [change.action for change in managed]
    forgetting = sum(change.actions == ("create", "forget") for change in managed)
    return Counts(
        add=actions.count(Action.CREATE) + forgetting,
        change=actions.count(Action.UPDATE),
        destroy=actions.count(Action.DESTROY),
        replace=actions.count(Action.REPLACE) - forgetting,
        imported=sum(change.import_id is not None for change in managed),
        move=sum(bool(change.previous_address) for change in managed),
        forget=actions.count(Action.FORGET) + forgetting,
    )


def shown_address(change: Change, secrets: Secrets, address: str = "") -> str:
    """The address of a change, or another one of it, as it may be shown."""
    deposed = f" (deposed object {change.deposed})" if change.deposed and not address else ""
    return secrets.shown(f"{address or change.address}{deposed}", _ADDRESS)


def fingerprint(document: PlanDocument) -> str:
    """A digest of the run, the plan, and all that would change, the sensitive values included.

    The same plan has always the same one; the redacted form of it has another, since other values are in it.
    """
    digest = hashlib.sha256(_canonical([document.run_id, document.plan_id]))
    for name in _CHANGES:
        section = document.source.get(name)
        for item in section if isinstance(section, list) else [section]:  # in parts: the whole may be large
            digest.update(b"\n" + _canonical(item))
        digest.update(b"\n\n")
    return digest.hexdigest()[:32]


def _canonical(value: Any) -> bytes:
    """The one way to write a JSON value: a line of ASCII, with sorted keys."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

"""The table of consent, from the requirements in `gate/consent.py`: as Markdown, and as text for the help."""

from collections.abc import Iterator

from tfruns.gate.consent import REQUIREMENTS, Requirement
from tfruns.impact import ImpactKind
from tfruns.policy import Confirm

_COLUMNS = (Confirm.AUTO, Confirm.REVIEW, Confirm.ALWAYS, Confirm.PAGE)  # `never` requires nothing

# At most 42 characters, so that the help fits 80 columns.
_CALLS = {
    ImpactKind.UNSEEN_APPLY: "applies a plan that nobody has seen",
    ImpactKind.DESTRUCTIVE_APPLY: "applies a plan that destroys or replaces",
    ImpactKind.ACTION_APPLY: "applies a plan that invokes actions",
    ImpactKind.APPLY: "applies any other plan",
    ImpactKind.OVERRIDE: "overrides failed policies",
    ImpactKind.KILL_APPLY: "kills a running apply",
    ImpactKind.KILL: "kills a run that is not applying",
    ImpactKind.DISPLACE: "moves a run ahead of others",
    ImpactKind.DESTROY_PLAN: "plans to destroy all resources",
    ImpactKind.FORCE_UNLOCK: "removes the lock of another user or run",
    ImpactKind.AUTO_APPLY: "lets later runs apply automatically",
    ImpactKind.CHANGE_WORKSPACE: "changes settings or variables",
    ImpactKind.DELETE_WORKSPACE: "deletes a workspace",
    ImpactKind.ROLL_BACK_STATE: "rolls a state back",
    ImpactKind.INTERRUPT_APPLY: "interrupts a running apply",
    ImpactKind.DISCARD_PLAN: "discards a waiting plan",
}
_NEEDS = {
    Requirement.NOTHING: "-",
    Requirement.CLIENT_APPROVAL: "client",
    Requirement.CODE: "code",
    Requirement.REVIEW: "review",
    Requirement.PERSON: "person",
    Requirement.PAGE: "page",
}
_HEAD = ("a call that", *_COLUMNS)


def _rows() -> Iterator[tuple[str, ...]]:
    if missing := [kind.name for kind in REQUIREMENTS if kind not in _CALLS]:
        raise LookupError(f"scripts/consent_table.py has no short text for {', '.join(missing)}. Add it to _CALLS.")
    for kind, row in REQUIREMENTS.items():
        yield _CALLS[kind], *(_NEEDS[row[confirm]] for confirm in _COLUMNS)


def consent_markdown() -> str:
    """The table as Markdown."""
    head, rows = [_HEAD[0], *(f"`{confirm}`" for confirm in _HEAD[1:])], [list(row) for row in _rows()]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def consent_text() -> str:
    """The table as text, each line indented by four spaces."""
    return "\n".join(
        f"    {call:42}{''.join(f'{cell:9}' for cell in cells)}".rstrip() for call, *cells in (_HEAD, *_rows())
    )

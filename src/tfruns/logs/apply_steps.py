"""The steps of an apply, from its log: each creation, update and destruction of a resource.

Source: Terraform, "Machine-Readable UI", `apply_start`, `apply_complete`, `apply_errored`, `action_start` …; and the
lines that Terraform prints for people.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from tfruns.jsonapi import JSON
from tfruns.logs.lines import lines_of, text_of, whole_lines
from tfruns.logs.machine import OF_A_PROGRAM, objects_in


class Outcome(StrEnum):
    """The outcome of a step, as far as the log shows."""

    DONE = "done"
    FAILED = "failed"
    STARTED = "started"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an apply.

    Attributes:
        address: the address of the resource instance or action.
        action: `create`, `update`, `delete`, `replace`, `remove` or `invoke`.
    """

    address: str
    action: str

    @property
    def is_logged(self) -> bool:
        """Whether the log of an apply contains it. Terraform calls no hook for a forgotten resource."""
        return self.action != "remove"


Steps = dict[Step, Outcome]

_CHANGES = {"create", "update", "delete", "replace", "remove"}
_WORDS = {"replace": ("delete", "create"), "forget": ("remove",)}
_OUTCOMES = {"start": Outcome.STARTED, "complete": Outcome.DONE, "errored": Outcome.FAILED}
_STARTS = {
    "Creating": "create",
    "Modifying": "update",
    "Destroying": "delete",
    "Replacing": "replace",
    "Removing": "remove",
}
_ENDS = {
    "Creation": "create",
    "Modifications": "update",
    "Destruction": "delete",
    "Replacement": "replace",
    "Removal": "remove",
}
_START = re.compile(rf"(?P<address>\S.*): (?P<verb>{'|'.join(_STARTS)})\.\.\.(?: \[.*\])?")
_END = re.compile(rf"(?P<address>\S.*): (?P<verb>{'|'.join(_ENDS)}) complete after \S.*")
_DEPOSED = re.compile(r" \(deposed object [0-9a-f]{8}\)$")
_MAX_LINE = 4_000  # characters; longer than any address


def steps_in(data: bytes) -> Steps:
    """The steps in the complete lines of a log, in order."""
    lines = whole_lines(data)
    found = _machine_steps(lines)
    return found or _printed_steps(lines)


def planned_steps_in(data: bytes) -> list[Step]:
    """The steps that the machine-readable log of a plan announces."""
    steps: list[Step] = []
    for value in _messages(raw for raw in whole_lines(data) if b'"planned_' in raw):
        change, invocation = _object(value.get("change")), _object(value.get("invocation"))
        if value.get("type") == "planned_change":
            steps += steps_of(_address(change.get("resource")), [str(change.get("action"))])
        elif value.get("type") == "planned_action_invocation":
            steps += invocations_of([_address(invocation.get("action_addr"))])
    return steps


def invocations_of(addresses: Iterable[str]) -> list[Step]:
    """The steps for the actions that a plan invokes."""
    return [Step(address, "invoke") for address in addresses if address]


def steps_of(address: str, actions: Iterable[str]) -> list[Step]:
    """The steps for a planned change: the two of a replacement, none for a read or no change."""
    words = [word for action in actions for word in _WORDS.get(action, (action,))]
    return [Step(address, word) for word in words if address and word in _CHANGES]


def _machine_steps(lines: Iterable[bytes]) -> Steps:
    found: Steps = {}
    for value in _messages(raw for raw in lines if b'"apply_' in raw or b'"action_' in raw):
        kind, _, stage = str(value.get("type")).partition("_")
        hook = _object(value.get("hook"))
        if kind == "apply" and stage in _OUTCOMES and hook.get("action") in _CHANGES:
            step = Step(_address(hook.get("resource")), str(hook.get("action")))
        elif kind == "action" and stage in _OUTCOMES:
            step = Step(_address(hook.get("action")), "invoke")
        else:
            continue
        if step.address:
            found[step] = _OUTCOMES[stage]
    return found


def _printed_steps(lines: Iterable[bytes]) -> Steps:
    """The steps in a log for people, which has only lines for starts and ends; errors name the failed steps."""
    found: Steps = {}
    for raw in lines:
        if b": " not in raw or len(raw) > _MAX_LINE:
            continue
        for line in lines_of(raw):
            start, end = _START.fullmatch(line), _END.fullmatch(line)
            match, verbs, outcome = (end, _ENDS, Outcome.DONE) if end else (start, _STARTS, Outcome.STARTED)
            if match and not OF_A_PROGRAM.search(match["address"]):
                address = _DEPOSED.sub("", match["address"])  # not in the machine-readable log
                found[Step(address, verbs[match["verb"]])] = outcome
    return found


def _messages(lines: Iterable[bytes]) -> Iterator[Mapping[str, JSON]]:
    for raw in lines:
        yield from (part for part in objects_in(text_of(raw)) if not isinstance(part, str))


def _address(resource: JSON) -> str:
    found = _object(resource).get("addr")
    return found if isinstance(found, str) else ""


def _object(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}

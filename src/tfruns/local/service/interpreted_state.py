"""The readable part of a state that Terraform wrote, and whether it is complete.

Terraform's values have no limits; a database column, a JSON document and this program do. Values beyond these limits
are omitted here, and stay in the state itself.
"""

import json
from dataclasses import dataclass
from typing import Any

from tfruns.jsonapi import JSON
from tfruns.local.terraform.json_scan import top_level_scalars

MAX_SERIAL = 2**63 - 1  # the maximum of the column
MAX_LENGTHS = {"lineage": 80, "terraform_version": 40}
_MAX_DIGITS = 4000  # Python converts at most 4,300
_MAX_DEPTH = 100
_MAX_NAME = 1000  # characters of an output's name; the column is indexed

_UNREADABLE = object()


@dataclass(frozen=True, slots=True)
class InterpretedState:
    """The readable part of a state.

    Attributes:
        document: the readable parts of its lineage, version, outputs and resources.
        serial: its serial, if readable.
        is_complete: whether nothing was omitted.
    """

    document: dict[str, JSON]
    serial: int | None
    is_complete: bool


def interpret(state: bytes) -> InterpretedState:
    """Read the readable part of a state. Never fails."""
    try:
        found = json.loads(state, parse_int=_integer)
    except (ValueError, RecursionError):
        return _from_top_level(state)
    if not isinstance(found, dict):
        return InterpretedState({}, None, is_complete=False)
    outputs = found.get("outputs") or {}
    readable = (
        {name: value for name, value in outputs.items() if _is_output(name, value)} if isinstance(outputs, dict) else {}
    )
    texts = {name: found.get(name) for name in MAX_LENGTHS if _is_text(name, found.get(name))}
    document = {**texts, "outputs": readable, "resources": found.get("resources")}
    serial = found.get("serial")
    is_serial = isinstance(serial, int) and not isinstance(serial, bool) and 0 <= serial <= MAX_SERIAL
    is_complete = is_serial and len(texts) == len(MAX_LENGTHS) and readable == outputs
    return InterpretedState(document, serial if is_serial else None, is_complete=is_complete)


def _from_top_level(state: bytes) -> InterpretedState:
    """The serial and the texts of a state that cannot be parsed."""
    scalars = top_level_scalars(state) or {}
    serial = scalars.get(b"serial", b"")
    texts = {name: scalars.get(name.encode(), b"").decode(errors="replace") for name in MAX_LENGTHS}
    is_serial = serial.isdigit() and len(serial) < 20 and int(serial) <= MAX_SERIAL
    document = {name: text for name, text in texts.items() if text and _is_text(name, text)}
    return InterpretedState(document, int(serial) if is_serial else None, is_complete=False)


def _integer(digits: str) -> Any:
    return int(digits) if len(digits) <= _MAX_DIGITS else _UNREADABLE


def _is_text(name: str, value: JSON) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= MAX_LENGTHS[name])


def _is_output(name: str, output: JSON) -> bool:
    return isinstance(output, dict) and len(name) <= _MAX_NAME and _is_plain(output)


def _is_plain(value: JSON) -> bool:
    """Whether a value is not nested too deep, and all its parts are readable."""
    level: list[JSON] = [value]
    for _ in range(_MAX_DEPTH):
        if any(item is _UNREADABLE for item in level):
            return False
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return True
    return False

"""The state as Terraform keeps it in a file. Source: Terraform's state snapshot format, version 4."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class BadState(ValueError):
    """What should be a state is none."""


@dataclass(frozen=True)
class StateOutput:
    """An output's value, with its type as Terraform writes it."""

    value: Any = field(repr=False)
    type: Any
    is_sensitive: bool


@dataclass(frozen=True)
class State:
    """A state, as it stands in the file, and what one has to know of it."""

    raw: bytes = field(repr=False)
    serial: int
    lineage: str
    terraform_version: str
    outputs: Mapping[str, StateOutput]


def parse_state(raw: bytes) -> State:
    """Read a state.

    Raises:
        BadState: it is not JSON (a full disk cuts it off), or not a state.
    """
    try:
        document = json.loads(raw)
        return State(
            raw=raw,
            serial=int(document["serial"]),
            lineage=str(document["lineage"]),
            terraform_version=str(document.get("terraform_version", "")),
            outputs={
                name: StateOutput(output.get("value"), output.get("type"), bool(output.get("sensitive")))
                for name, output in (document.get("outputs") or {}).items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadState(f"This is not a Terraform state: {error}") from None


def newest_state(paths: Iterable[Path]) -> State | None:
    """The state with the highest serial among these files; None if none of them holds one."""
    newest: State | None = None
    for path in paths:
        try:
            state = parse_state(path.read_bytes())
        except (FileNotFoundError, BadState):
            continue
        if newest is None or state.serial > newest.serial:
            newest = state
    return newest

"""Terraform state files. A state is kept as bytes; only its serial is read, to choose between two files."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tfruns.local.terraform.json_scan import top_level_scalars


class BadState(ValueError):
    """A state file is missing, truncated or not a state."""


@dataclass(frozen=True)
class State:
    """A complete state file.

    Attributes:
        raw: the content that Terraform wrote.
        serial: the serial; -1 if it is unreadable.
    """

    raw: bytes = field(repr=False)
    serial: int


def parse_state(raw: bytes) -> State:
    """Parse a state.

    Raises:
        BadState: the content is not a complete JSON object. A full disk or a kill truncates it.
    """
    scalars = top_level_scalars(raw)
    if not scalars:
        raise BadState("The file is not a complete Terraform state.")
    serial = scalars.get(b"serial", b"")
    return State(raw, int(serial) if serial.isdigit() and len(serial) < 20 else -1)


def newest_state(paths: Iterable[Path]) -> State | None:
    """The state with the highest serial among these files; None if they contain no complete state."""
    newest: State | None = None
    for path in paths:
        try:
            state = parse_state(path.read_bytes())
        except (FileNotFoundError, BadState):
            continue
        if newest is None or state.serial > newest.serial:
            newest = state
    return newest

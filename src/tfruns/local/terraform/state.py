"""The state as Terraform keeps it in a file. It is bytes here: what is in it matters only where two files compete."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tfruns.local.terraform.json_scan import top_level_scalars


class BadState(ValueError):
    """The file of a state is missing, cut off, or holds something else."""


@dataclass(frozen=True)
class State:
    """A complete state file.

    Attributes:
        raw: as Terraform wrote it.
        serial: its serial; -1 if it cannot be read.
    """

    raw: bytes = field(repr=False)
    serial: int


def parse_state(raw: bytes) -> State:
    """Read a state.

    Raises:
        BadState: it is no complete JSON object: a full disk, or a kill, cuts it off.
    """
    scalars = top_level_scalars(raw)
    if not scalars:
        raise BadState("This is not a Terraform state, or only a part of one.")
    serial = scalars.get(b"serial", b"")
    return State(raw, int(serial) if serial.isdigit() and len(serial) < 20 else -1)


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

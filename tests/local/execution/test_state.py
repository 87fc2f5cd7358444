"""The state in its file."""

import json
from pathlib import Path

import pytest

from tfruns.local.execution.state import BadState, StateOutput, newest_state, parse_state


def state(serial: int = 3, **fields: object) -> bytes:
    document = {"version": 4, "serial": serial, "lineage": "l", "terraform_version": "1.11.4", "outputs": {}, **fields}
    return json.dumps(document).encode()


def test_a_state_is_read_with_its_outputs() -> None:
    raw = state(outputs={"a": {"value": 1, "type": "number"}, "b": {"value": "x", "type": "string", "sensitive": True}})
    parsed = parse_state(raw)
    assert (parsed.raw, parsed.serial, parsed.lineage, parsed.terraform_version) == (raw, 3, "l", "1.11.4")
    assert parsed.outputs == {"a": StateOutput(1, "number", False), "b": StateOutput("x", "string", True)}


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"{}", state()[:40], b'{"serial":"x","lineage":"l"}', b"\xff"]
)
def test_what_is_no_state_is_an_error(raw: bytes) -> None:
    with pytest.raises(BadState):
        parse_state(raw)


def test_the_newest_of_several_states_counts_and_a_damaged_one_does_not(tmp_path: Path) -> None:
    old, new, damaged = (tmp_path / name for name in ("old", "new", "damaged"))
    old.write_bytes(state(3))
    new.write_bytes(state(4))
    damaged.write_bytes(state(9)[:-5])
    found = newest_state([old, new, damaged, tmp_path / "missing"])
    assert found is not None
    assert found.serial == 4
    assert newest_state([damaged, tmp_path / "missing"]) is None

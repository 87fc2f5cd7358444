"""State files."""

import json
from pathlib import Path

import pytest

from tests.support.tables import rows
from tfruns.local.terraform.state import BadState, newest_state, parse_state


def state(serial: int = 3, **fields: object) -> bytes:
    document = {"version": 4, "serial": serial, "lineage": "l", "terraform_version": "1.11.4", "outputs": {}, **fields}
    return json.dumps(document).encode()


def test_state_has_its_content_and_its_serial() -> None:
    deep: object = 1
    for _ in range(900):
        deep = [deep]
    for raw, serial in (
        (state(), 3),
        (state(outputs={"serial": {"value": '\\"}{', "type": "string"}}), 3),
        (state(outputs={"deep": {"value": deep}}), 3),
        (state(1).replace(b'"outputs": {}', b'"outputs": {"huge": {"value": 1' + b"0" * 5000 + b"}}"), 1),
        (b'{"serial":"x","lineage":"l"}\n', -1),
        (b'{"version":4,"lineage":"l"}', -1),
    ):
        parsed = parse_state(raw)
        assert (parsed.raw, parsed.serial) == (raw, serial)


@rows(
    "raw",
    [b"", b"{", b"[]", b"null", b"{}", b"{]", state()[:40], state()[:-1], state() + b"}", b"\xff", b"x" + state()],
)
def test_incomplete_state_is_an_error(raw: bytes) -> None:
    with pytest.raises(BadState):
        parse_state(raw)


def test_newest_state_ignores_damaged_files(tmp_path: Path) -> None:
    old, new, damaged = (tmp_path / name for name in ("old", "new", "damaged"))
    old.write_bytes(state(3))
    new.write_bytes(state(4))
    damaged.write_bytes(state(9)[:-5])
    found = newest_state([old, new, damaged, tmp_path / "missing"])
    assert found is not None
    assert found.serial == 4
    assert newest_state([damaged, tmp_path / "missing"]) is None

"""What a caller sees of each tool is what was agreed on.

A difference here is a change of what every assistant reads. Where it is meant, write the snapshots anew, and let the
review look at them:

    TFRUNS_UPDATE_SNAPSHOTS=1 .venv/bin/pytest tests/tools/test_schema_snapshots.py
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.tables import rows
from tests.tools.listing import listed_tools
from tfruns.gate.registry import all_tools

SNAPSHOTS = Path(__file__).parent / "snapshots"
HOW = "to write the snapshots anew: TFRUNS_UPDATE_SNAPSHOTS=1"

# Read before the tests take away whatever variable is ours.
IS_UPDATE = os.environ.get("TFRUNS_UPDATE_SNAPSHOTS") == "1"

NAMES = [tool.name for tool in all_tools()]


def _text(shown: dict[str, Any]) -> str:
    return json.dumps(shown, indent=2, ensure_ascii=False) + "\n"


@pytest.fixture(scope="module", autouse=True)
def _update() -> None:
    if not IS_UPDATE:
        return
    SNAPSHOTS.mkdir(exist_ok=True)
    for path in SNAPSHOTS.iterdir():
        path.unlink()
    for name, shown in listed_tools().items():
        (SNAPSHOTS / f"{name}.json").write_text(_text(shown), encoding="utf-8")


@rows("name", NAMES)
def test_a_tool_shows_what_its_snapshot_says(name: str) -> None:
    path = SNAPSHOTS / f"{name}.json"
    assert path.exists(), f"{name} has no snapshot; {HOW}"
    snapshot = path.read_text(encoding="utf-8")
    assert _text(listed_tools()[name]) == snapshot, f"{name} shows something else than its snapshot; {HOW}"


def test_a_snapshot_holds_what_describes_a_tool() -> None:
    for path in SNAPSHOTS.glob("*.json"):
        assert set(json.loads(path.read_text(encoding="utf-8"))) == {
            "name",
            "title",
            "description",
            "inputSchema",
            "annotations",
        }


def test_every_snapshot_is_one_of_a_tool() -> None:
    stale = {path.name for path in SNAPSHOTS.iterdir()} - {f"{name}.json" for name in NAMES}
    assert not stale, f"of no tool: {', '.join(sorted(stale))}; {HOW}"

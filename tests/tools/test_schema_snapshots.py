"""The definition of each tool matches its snapshot.

A difference changes the text that every assistant reads. If it is intended, update the snapshots, and review them:

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
HOW = "to update the snapshots: TFRUNS_UPDATE_SNAPSHOTS=1"

# Read before the tests remove the variables of tfruns.
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
def test_tool_matches_its_snapshot(name: str) -> None:
    path = SNAPSHOTS / f"{name}.json"
    assert path.exists(), f"{name} has no snapshot; {HOW}"
    snapshot = path.read_text(encoding="utf-8")
    assert _text(listed_tools()[name]) == snapshot, f"{name} differs from its snapshot; {HOW}"


def test_snapshot_contains_the_description_of_a_tool() -> None:
    for path in SNAPSHOTS.glob("*.json"):
        assert set(json.loads(path.read_text(encoding="utf-8"))) == {
            "name",
            "title",
            "description",
            "inputSchema",
            "annotations",
        }


def test_every_snapshot_belongs_to_a_tool() -> None:
    stale = {path.name for path in SNAPSHOTS.iterdir()} - {f"{name}.json" for name in NAMES}
    assert not stale, f"without a tool: {', '.join(sorted(stale))}; {HOW}"

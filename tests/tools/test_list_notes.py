"""The notes of an empty list, and truncated messages."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer
from tests.support.tables import rows
from tests.tools.calls import ORGANIZATION, REQUIRED, WORKSPACE_ID, call

LISTS = {
    "list_runs_in_workspace": f"/workspaces/{WORKSPACE_ID}/runs",
    "list_runs_in_organization": f"/organizations/{ORGANIZATION}/runs",
}


async def _listed(tool: str, *runs: dict[str, Any], **arguments: Any) -> Any:
    api = FakeApi().on("GET", LISTS[tool], answer(samples.page(*runs)))
    return await call(tool, REQUIRED[tool] | arguments, api=api)


@pytest.mark.anyio
@rows("tool", LISTS)
@rows("operation", [None, "", " ", ",", " , "])
async def test_empty_list_without_an_operation_mentions_plan_only_runs(tool: str, operation: str | None) -> None:
    # Run API, "List Runs in a Workspace": without filter[operation], plan-only runs are excluded.
    view = await _listed(tool, filter_operation=operation)
    assert view["note"] == "No run was found. Plan-only runs are not included."
    arguments = {**REQUIRED[tool], "filter_operation": "plan_only"}
    assert view["next_actions"] == [{"tool": tool, "arguments": arguments, "reason": "lists plan-only runs"}]


@pytest.mark.anyio
@pytest.mark.parametrize("tool", LISTS)
async def test_empty_list_can_have_both_notes(tool: str) -> None:
    note = (await _listed(tool, filter_status="planing"))["note"]
    assert "planing" in note
    assert "Plan-only" in note


@pytest.mark.anyio
@pytest.mark.parametrize("tool", LISTS)
async def test_known_status_without_matches_is_not_called_misspelled(tool: str) -> None:
    view = await _listed(tool, filter_status="planned,applying", filter_operation="apply")
    assert view["note"] == "No run was found."


@pytest.mark.anyio
@pytest.mark.parametrize("tool", LISTS)
async def test_note_stays_short_for_many_statuses(tool: str) -> None:
    view = await _listed(tool, filter_status=",".join(f"unknown_{number}" for number in range(500)))
    assert len(view["note"]) < 300


@pytest.mark.anyio
@rows("tool", LISTS)
@rows(("length", "is_cut"), [(1, False), (80, False), (81, True), (10_000, True)])
async def test_message_is_truncated_only_if_it_is_too_long_for_a_row(tool: str, length: int, is_cut: bool) -> None:
    message = (await _listed(tool, samples.run(message="x" * length)))["runs"][0]["message"]
    assert message == ("x" * 79 + "…" if is_cut else "x" * length)

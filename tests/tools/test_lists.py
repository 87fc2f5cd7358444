"""The two lists of runs: filters, rows and pages, within the limit."""

import re
from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, query
from tests.tools.calls import ORGANIZATION, WORKSPACE_ID, call, compact, with_names

MAX_LIST_BYTES = 4_400

ROW = ["id", "status", "message", "operation", "created_at", "configuration_version_id"]

LISTS = {
    "list_runs_in_workspace": f"/workspaces/{WORKSPACE_ID}/runs",
    "list_runs_in_organization": f"/organizations/{ORGANIZATION}/runs",
}


async def listed(tool: str, document: dict[str, Any], **arguments: Any) -> Any:
    required = {"organization": ORGANIZATION} if "organization" in tool else {"workspace_id": WORKSPACE_ID}
    return await call(tool, required | arguments, api=FakeApi().on("GET", LISTS[tool], answer(document)))


def twenty(**attributes: Any) -> list[dict[str, Any]]:
    return [samples.run(f"run-CZcmD7eagjhyX{number:03d}", **attributes) for number in range(20)]


@pytest.mark.anyio
@pytest.mark.parametrize("tool", LISTS)
async def test_twenty_runs_stay_within_the_limit_with_distinct_rows(tool: str) -> None:
    document = samples.page(*twenty(), next_page=2, total=None if "organization" in tool else 41)
    view = await listed(tool, with_names(document) if "organization" in tool else document)
    assert len(view["runs"]) == 20
    assert len(compact(view)) <= MAX_LIST_BYTES
    # A value that all rows share is listed once.
    shared = {name: view[name] for name in ("organization", "workspace_id", "workspace_name") if name in view}
    of_organization = {"organization": ORGANIZATION, "workspace_name": "network"}
    assert shared == (of_organization if "organization" in tool else {"workspace_id": WORKSPACE_ID})
    for row in view["runs"]:
        assert set(ROW) <= set(row)
        assert not {"workspace_id", "workspace_name"} & set(row)
        assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", key) for key in row)
        assert all(value not in (None, "", [], {}) for value in row.values())


@pytest.mark.anyio
async def test_row_of_an_organization_has_the_name_of_its_workspace() -> None:
    view = await listed("list_runs_in_organization", with_names(samples.page(samples.run())))
    assert view["runs"][0]["workspace_name"] == "network"


@pytest.mark.anyio
@pytest.mark.parametrize("tool", LISTS)
async def test_list_shows_the_next_page_if_there_is_one(tool: str) -> None:
    first = await listed(tool, samples.page(samples.run(), next_page=2))
    assert (first["page"], first["next_page"]) == (1, 2)
    last = await listed(tool, samples.page(samples.run(), number=2), page_number=2)
    assert (last["page"], last["next_page"]) == (2, None)


@pytest.mark.anyio
async def test_list_has_the_totals_of_the_api() -> None:
    with_totals = await listed("list_runs_in_workspace", samples.page(samples.run(), total=41))
    assert (with_totals["total_count"], with_totals["total_pages"]) == (41, 3)
    without = await listed("list_runs_in_organization", samples.page(samples.run()))
    assert not {"total_count", "total_pages"} & set(without)


@pytest.mark.anyio
async def test_long_message_is_one_short_line_in_a_row() -> None:
    view = await listed("list_runs_in_workspace", samples.page(samples.run(message="Widen\n\n the " + "net " * 100)))
    message = view["runs"][0]["message"]
    assert message.startswith("Widen the net")
    assert "\n" not in message
    assert message.endswith("…")
    assert len(message) <= 80


@pytest.mark.anyio
@pytest.mark.parametrize("tool", LISTS)
async def test_each_filter_is_sent_under_its_api_name(tool: str) -> None:
    api = FakeApi().on("GET", LISTS[tool], answer(samples.page()))
    required = {"organization": ORGANIZATION} if "organization" in tool else {"workspace_id": WORKSPACE_ID}
    arguments = {
        "page_number": 3,
        "page_size": 50,
        "filter_operation": "plan,apply",
        "filter_status": "pending, planning,,warp_running",
        "filter_source": "tfe-ui,tfe-api",
        "filter_status_group": "running,pending",
        "filter_timeframe": "2026",
        "filter_agent_pool_names": "pool-a,pool-b",
        "search_user": "operator",
        "search_commit": "abc123",
        "search_basic": "network & more",
    }
    more = {"filter_workspace_names": "network,storage"} if "organization" in tool else {}
    await call(tool, {**required, **arguments, **more}, api=api)
    expected = {
        "page[number]": "3",
        "page[size]": "50",
        "filter[operation]": "plan_only,plan_and_apply",
        "filter[status]": "pending,planning,warp_running",
        "filter[source]": "tfe-ui,tfe-api",
        "filter[status_group]": "non_final",
        "filter[timeframe]": "2026",
        "filter[agent_pool_names]": "pool-a,pool-b",
        "search[user]": "operator",
        "search[commit]": "abc123",
        "search[basic]": "network & more",
    }
    if "organization" in tool:
        expected |= {"filter[workspace_names]": "network,storage", "include": "workspace"}
    assert query(api.requests[0]) == expected


@pytest.mark.anyio
@pytest.mark.parametrize("tool", LISTS)
async def test_unknown_status_without_matches_is_noted(tool: str) -> None:
    view = await listed(tool, samples.page(), filter_status="planned,planing", filter_operation="plan_and_apply")
    assert view["runs"] == []
    assert "planing" in view["note"]
    assert "misspelled" in view["note"]


@pytest.mark.anyio
@pytest.mark.parametrize("tool", LISTS)
async def test_unknown_status_with_matches_needs_no_note(tool: str) -> None:
    view = await listed(tool, samples.page(samples.run(status="warp_running")), filter_status="warp_running")
    assert view["runs"][0]["status"] == "warp_running"
    assert "note" not in view


@pytest.mark.anyio
async def test_note_of_an_empty_list_mentions_plan_only_runs() -> None:
    assert "Plan-only" in (await listed("list_runs_in_workspace", samples.page()))["note"]
    view = await listed("list_runs_in_workspace", samples.page(), filter_operation="plan_only", filter_status="planned")
    assert view["note"] == "No run was found."

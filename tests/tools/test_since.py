"""Lists of the runs that were created since a time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for
from tests.support.clock import FakeClock
from tests.support.tables import rows
from tests.tools.calls import ASSISTANT, ORGANIZATION, TOOLS, WORKSPACE_ID, failure_of
from tfruns.errors import InvalidInput
from tfruns.gate.pipeline import Gate
from tfruns.runs.since import parse_since
from tfruns.views.base import as_json, shown_time

NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)


@rows(
    ("text", "expected"),
    [
        ("90m", "2026-11-28T11:00:00Z"),
        ("24h", "2026-11-27T12:30:00Z"),
        (" 7d ", "2026-11-21T12:30:00Z"),
        ("1h30", "2026-11-28T11:00:00Z"),
        ("2 weeks", "2026-11-14T12:30:00Z"),
        ("today", "2026-11-28T00:00:00Z"),
        ("Yesterday", "2026-11-27T00:00:00Z"),
        ("2026-11-27", "2026-11-27T00:00:00Z"),
        ("2026-11-27T08:00:00Z", "2026-11-27T08:00:00Z"),
        ("2026-11-27T08:00", "2026-11-27T08:00:00Z"),
        ("2026-11-27 08:00:00+02:00", "2026-11-27T06:00:00Z"),
    ],
)
def test_since_is_a_duration_a_date_or_a_time(text: str, expected: str) -> None:
    assert shown_time(parse_since(text, NOW)) == expected


@rows(
    "text", ["", "soon", "2026", "24", "2026-13-01", "2026-11-27T25:00", "-1h", "24h ago maybe", "2027-01-01", "9" * 30]
)
def test_anything_else_is_refused_with_what_is_allowed(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_since(text, NOW)
    assert "24h" in refused.value.solution


def page(*hours: int, next_page: int | None = None, total: int | None = None) -> dict[str, Any]:
    """A page of runs that were created this many hours ago."""
    created = {number: shown_time(NOW - timedelta(hours=number)) for number in hours}
    runs = [samples.run(f"run-Ago{number:03}", created_at=at) for number, at in created.items()]
    return samples.page(*runs, next_page=next_page, total=total)


async def listed(tool: str, document: dict[str, Any], *, is_raw: bool = False, **arguments: Any) -> Any:
    required = {"organization": ORGANIZATION} if "organization" in tool else {"workspace_id": WORKSPACE_ID}
    path = f"/organizations/{ORGANIZATION}/runs" if "organization" in tool else f"/workspaces/{WORKSPACE_ID}/runs"
    api = FakeApi().on("GET", path, answer(document))
    async with client_for(api, FakeClock(now=NOW)) as client:
        return as_json(await Gate(client, ASSISTANT, is_raw=is_raw).call(TOOLS[tool], required | arguments))


TOOL = ("list_runs_in_workspace", "list_runs_in_organization")
NOTE = "Created since 2026-11-28T06:30:00Z. tfruns selects them, because the API cannot."


@pytest.mark.anyio
@rows("tool", TOOL)
async def test_older_runs_are_dropped_and_end_the_list(tool: str) -> None:
    view = await listed(tool, page(1, 5, 7, 9, next_page=2, total=90), since="6h")
    assert [row["id"] for row in view["runs"]] == ["run-Ago001", "run-Ago005"]
    assert (view["next_page"], view["note"]) == (None, NOTE)
    assert "total_count" not in view
    view = await listed(tool, page(1, 5, next_page=2, total=90), since="6h")
    assert ([row["id"] for row in view["runs"]], view["next_page"]) == (["run-Ago001", "run-Ago005"], 2)
    assert "total_count" not in view
    view = await listed(tool, page(7, 9), since="6h")
    assert view["runs"] == []
    assert view["note"] == f"{NOTE} No run was found. Plan-only runs are not included."
    assert view["next_actions"][0]["arguments"]["since"] == "6h"


@pytest.mark.anyio
@rows("tool", TOOL)
async def test_raw_document_has_the_same_runs(tool: str) -> None:
    document = await listed(tool, page(1, 7, next_page=2, total=90), since="6h", is_raw=True)
    assert [item["id"] for item in document["data"]] == ["run-Ago001"]
    assert document["meta"]["pagination"] == {"current-page": 1, "next-page": None}


@pytest.mark.anyio
@rows("tool", TOOL)
async def test_invalid_time_sends_nothing(tool: str) -> None:
    api = FakeApi()
    required = {"organization": ORGANIZATION} if "organization" in tool else {"workspace_id": WORKSPACE_ID}
    assert isinstance(await failure_of(tool, required | {"since": "soon"}, api=api), InvalidInput)
    assert api.requests == []

"""The history of a run: who did what, and when."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error
from tests.support.tables import rows
from tests.tools.calls import ASSISTANT, RUN_ID, TOOLS, compact
from tfruns.errors import InvalidInput
from tfruns.gate.pipeline import Gate
from tfruns.tools.get_run_history import timeline
from tfruns.views.base import as_json
from tfruns.views.history import TimelineStep

STAMPS = {
    "plan-queueable-at": "2026-01-02T03:00:00Z",
    "planning-at": "2026-01-02T03:00:05Z",
    "planned-at": "2026-01-02T03:01:05Z",
    "applied-at": "2026-01-02T04:00:00Z",
}


def event(
    number: int, action: str, *, by: str | None = "user-MA4GL63FmYRpSFxa", comment: str | None = None
) -> dict[str, Any]:
    return {
        "id": f"re-{number}",
        "type": "run-events",
        "attributes": {"action": action, "created-at": f"2026-01-02T03:{number // 60:02}:{number % 60:02}Z"},
        "relationships": {
            "actor": {"data": {"type": "users", "id": by} if by else None},
            "comment": {"data": {"type": "comments", "id": comment} if comment else None},
        },
    }


def api_with(*events: dict[str, Any], included: tuple[dict[str, Any], ...] = (), **attributes: Any) -> FakeApi:
    run = samples.run(**{"status": "applied", "status_timestamps": STAMPS, **attributes})
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": run, "included": [samples.user()]}))
    page = {**samples.page(*events), "included": [samples.user(), *included]}
    return api.on("GET", f"/runs/{RUN_ID}/run-events", answer(page))


async def history(api: FakeApi, **arguments: Any) -> Any:
    async with client_for(api) as client:
        view = as_json(await Gate(client, ASSISTANT).call(TOOLS["get_run_history"], {"run_id": RUN_ID, **arguments}))
    assert len(compact(view)) <= 9_200
    return view


@pytest.mark.anyio
async def test_events_are_shown_oldest_first_with_actor_and_comment() -> None:
    comment = samples.comment("wsc-1", body="looks\ngood \u202eevil")
    api = api_with(
        event(9, "applied", comment="wsc-1"), event(1, "queued"), event(5, "warped", by=None), included=(comment,)
    )
    view = await history(api)
    assert view["created_by"] == "operator"
    assert view["events"] == [
        {"at": "2026-01-02T03:00:01Z", "action": "queued", "by": "operator"},
        {"at": "2026-01-02T03:00:05Z", "action": "warped"},
        {"at": "2026-01-02T03:00:09Z", "action": "applied", "by": "operator", "comment": "looks good evil"},
    ]
    assert view["next_page"] is None


@pytest.mark.anyio
async def test_statuses_have_durations() -> None:
    assert (await history(api_with()))["timeline"] == [
        {"status": "plan_queueable", "at": "2026-01-02T03:00:00Z", "duration_s": 5},
        {"status": "planning", "at": "2026-01-02T03:00:05Z", "duration_s": 60},
        {"status": "planned", "at": "2026-01-02T03:01:05Z", "duration_s": 3535},
        {"status": "applied", "at": "2026-01-02T04:00:00Z"},
    ]


def test_last_status_of_an_unfinished_run_lasts_until_now() -> None:
    begin = datetime(2026, 1, 2, tzinfo=UTC)
    assert timeline({"planning-at": begin, "planned-at": None}, begin.replace(minute=2)) == [
        TimelineStep("planning", begin, 120)
    ]
    assert timeline({}, begin) == []


@pytest.mark.anyio
async def test_many_events_are_paged_and_long_comments_truncated() -> None:
    comments = tuple(samples.comment(f"wsc-{number}", body="ü" * 5_000) for number in range(120))
    api = api_with(*(event(number, "commented", comment=f"wsc-{number}") for number in range(120)), included=comments)
    seen: list[str] = []
    page: int | None = 1
    while page is not None:
        view = await history(api, page_number=page, page_size=50)
        seen += [row["at"] for row in view["events"]]
        page = view["next_page"]
    assert len(seen) == 120
    assert seen == sorted(seen)


@pytest.mark.anyio
async def test_comment_without_an_event_is_shown() -> None:
    api = api_with().on("GET", f"/runs/{RUN_ID}/comments", answer(samples.page(samples.comment(body="by the way"))))
    assert (await history(api))["comments"] == ["by the way"]


@pytest.mark.anyio
async def test_unreadable_comments_do_not_fail_the_history() -> None:
    api = api_with(event(1, "queued")).on("GET", f"/runs/{RUN_ID}/comments", error(404, "not found"))
    assert len((await history(api))["events"]) == 1


@pytest.mark.anyio
@rows("arguments", [{"page_number": 0}, {"page_size": 0}, {"page_size": 51}])
async def test_invalid_page_is_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(InvalidInput):
        await history(FakeApi(), **arguments)


@pytest.mark.anyio
@rows("text", ["\U0001f600", "\u8a9e", "x"])
async def test_page_is_limited_for_any_texts_and_notes_omissions(text: str) -> None:
    events, included = [], []
    for number in range(60):
        events.append(event(number, text * 100, by=f"user-{number}", comment=f"wsc-{number}"))
        events[-1]["attributes"]["description"] = text * 500
        included.append({"id": f"user-{number}", "type": "users", "attributes": {"username": text * 200}})
        included.append(samples.comment(f"wsc-{number}", body=text * 1_000))
    api = api_with(*events, included=tuple(included))
    others = [samples.comment(f"wsc-other{number}", body=text * 1_000) for number in range(60)]
    api.on("GET", f"/runs/{RUN_ID}/comments", answer(samples.page(*others)))
    view = await history(api, page_size=50)
    assert len(view["events"]) == 50
    assert view["note"] == "More comments exist, and are omitted."

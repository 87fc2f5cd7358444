"""Live updates: the events of a page, and one request for all pages of a run."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, cast

from tests.web.support import Browser, Pages, forms_of
from tfruns.errors import NotFound
from tfruns.tool import Tool
from tfruns.views.runs import RunView
from tfruns.web.feed import RunFeed, events, overview_events, streamed
from tfruns.web.log_lines import LogTextView

PERIOD_S = 0.01
LINES = ("first", "second", "third")


class Terraform:
    """A run whose log grows by a line with each request for what is not there yet."""

    def __init__(self, last_status: str = "applied") -> None:
        self.written = 1
        self.last_status = last_status
        self.calls: Counter[str] = Counter()

    async def call(self, tool: str, _: type[Any], /, **arguments: Any) -> Any:
        self.calls[tool] += 1
        await asyncio.sleep(0)
        return RunView("run-1", self.last_status if self.written > len(LINES) else "applying")

    async def call_tool(self, tool: Tool, _: type[Any], /, **arguments: Any) -> Any:
        self.calls[tool.name] += 1
        await asyncio.sleep(0)
        is_over = self.written > len(LINES)
        offset = arguments["offset"]
        lines = LINES[offset : self.written]
        if not lines:
            self.written += 1
        end = offset + len(lines)
        text = "\n".join(lines)
        return LogTextView("apply", text, len(text), next_offset=None if is_over and not lines else end)


def _texts(found: list[tuple[str, Any]]) -> list[str]:
    """The lines of the log in events."""
    lines = [line for name, data in found if name == "log" for line in data["lines"]]
    return ["".join(text for _, text in parts) for parts in lines]


async def _followed(feed: RunFeed, offset: int | None = 0) -> list[tuple[str, Any]]:
    async with asyncio.timeout(10):
        texts = [text async for text in events(feed, "applying", "apply", offset, lambda: True)]
    return [
        (name.removeprefix("event: "), json.loads(data[6:])) for name, data in (text.split("\n", 1) for text in texts)
    ]


async def test_a_page_gets_each_line_once_then_the_status_and_the_end() -> None:
    found = await _followed(RunFeed(Terraform(), "run-1", PERIOD_S))
    assert _texts(found) == list(LINES)
    assert [(name, data) for name, data in found if name != "log"] == [("status", {"status": "applied"}), ("end", {})]


async def test_many_pages_cost_as_many_requests_as_one() -> None:
    alone, shared = Terraform(), Terraform()
    await _followed(RunFeed(alone, "run-1", PERIOD_S))
    feed = RunFeed(shared, "run-1", PERIOD_S)
    pages = await asyncio.gather(*(_followed(feed) for _ in range(50)))
    assert all(_texts(page) == list(LINES) for page in pages)
    assert shared.calls.total() <= 2 * alone.calls.total()


async def test_a_closed_page_does_not_disturb_the_others() -> None:
    feed = RunFeed(Terraform(), "run-1", PERIOD_S)
    closed = asyncio.create_task(_followed(feed))
    other = asyncio.create_task(_followed(feed))
    await asyncio.sleep(0)
    closed.cancel()
    assert _texts(await other) == list(LINES)


async def test_a_page_of_a_final_run_gets_only_the_end() -> None:
    done = Terraform()
    done.written = len(LINES) + 1
    feed = RunFeed(cast("Any", done), "run-1", PERIOD_S)
    texts = [text async for text in events(feed, "applied", "", None, lambda: True)]
    assert texts == ["event: end\ndata: {}\n\n"]


async def test_line_breaks_in_a_log_cannot_forge_events() -> None:
    class Hostile(Terraform):
        async def call(self, tool: str, kind: type[Any], /, **arguments: Any) -> Any:
            return RunView("run-1", "applied")

        async def call_tool(self, tool: Tool, kind: type[Any], /, **arguments: Any) -> Any:
            text = "a\n\nevent: status\ndata: {}\n\n"
            return LogTextView("apply", text, len(text), next_offset=None)

    texts = [text async for text in events(RunFeed(Hostile(), "run-1", PERIOD_S), "applied", "apply", 0, lambda: True)]
    assert [text.split("\n")[0] for text in texts] == ["event: log", "event: end"]
    assert all(text.count("\n") == 3 for text in texts)


async def test_events_end_with_the_session_of_their_page() -> None:
    class Endless(Terraform):
        async def call(self, tool: str, kind: type[Any], /, **arguments: Any) -> Any:
            return RunView("run-1", "applying")

    class Overview:
        async def digest(self) -> str:
            return "seen"

        async def next_period(self) -> None:
            await asyncio.sleep(0)

    sessions = iter((True, True, True, False, False))
    async with asyncio.timeout(10):
        feed = RunFeed(Endless(), "run-1", PERIOD_S)
        texts = [text async for text in events(feed, "applying", "apply", 0, lambda: next(sessions))]
    assert [text.split("\n")[0] for text in texts] == ["event: log"]
    sessions = iter((True, True, False))
    async with asyncio.timeout(10):
        found = overview_events(cast("Any", Overview()), "seen", lambda: next(sessions))
        assert [text async for text in found] == []


async def test_an_error_ends_the_events() -> None:
    async def failing() -> AsyncIterator[str]:
        yield "event: log\ndata: {}\n\n"
        raise NotFound("The run was deleted.")

    assert [part async for part in streamed(failing()).body_iterator] == ["event: log\ndata: {}\n\n"]


async def test_events_that_cannot_begin_have_the_page_of_their_error(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    page = "/app/default/workspaces/network/runs"
    for path, status in (
        (f"{page}/run-nosuch00000000/events?status=planned", 404),
        ("/app/nosuch/events?status=x", 404),
        (f"{page}/{run['id']}/values?address=terraform_data.a", 404),  # the run has no plan
    ):
        response = await browser.get(path)
        assert response.status_code == status, path
        assert "<h1>Error</h1>" in response.text, path
    api = pages.api
    discard = forms_of((await browser.get(f"{page}/{run['id']}")).text)["Discard"]
    assert (await browser.post(discard.action, data=discard.fields)).status_code == 303
    assert await api.status(run) == "discarded"
    for offset in ("", "x", "-1", "9" * 30, "9" * 5000):
        response = await browser.get(f"{page}/{run['id']}/events?status=discarded&phase=plan&offset={offset}")
        assert (response.status_code, response.text) == (200, "event: end\ndata: {}\n\n"), offset[:40]

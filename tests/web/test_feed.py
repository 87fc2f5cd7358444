"""Live updates: the events of a page, and one request for all pages of a run."""

import asyncio
import json
from collections import Counter
from typing import Any, cast

from tfruns.views.logs import LogView
from tfruns.views.runs import RunView
from tfruns.web.feed import RunFeed, events

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
        is_over = self.written > len(LINES)
        if tool == "get_run_details":
            return RunView("run-1", self.last_status if is_over else "applying")
        offset = arguments["offset"]
        lines = LINES[offset : self.written]
        if not lines:
            self.written += 1
        end = offset + len(lines)
        return LogView("run-1", "applying", log="\n".join(lines), next_offset=None if is_over and not lines else end)


async def _followed(feed: RunFeed, offset: int | None = 0) -> list[tuple[str, Any]]:
    async with asyncio.timeout(10):
        texts = [text async for text in events(feed, "applying", "apply", offset)]
    return [
        (name.removeprefix("event: "), json.loads(data[6:])) for name, data in (text.split("\n", 1) for text in texts)
    ]


async def test_a_page_gets_each_line_once_then_the_status_and_the_end() -> None:
    found = await _followed(RunFeed(Terraform(), "run-1", PERIOD_S))
    assert "".join(data["text"] for name, data in found if name == "log").split() == list(LINES)
    assert [(name, data) for name, data in found if name != "log"] == [("status", {"status": "applied"}), ("end", {})]


async def test_many_pages_cost_as_many_requests_as_one() -> None:
    alone, shared = Terraform(), Terraform()
    await _followed(RunFeed(alone, "run-1", PERIOD_S))
    feed = RunFeed(shared, "run-1", PERIOD_S)
    pages = await asyncio.gather(*(_followed(feed) for _ in range(50)))
    assert all("".join(data["text"] for name, data in page if name == "log").split() == list(LINES) for page in pages)
    assert shared.calls.total() <= 2 * alone.calls.total()


async def test_a_closed_page_does_not_disturb_the_others() -> None:
    feed = RunFeed(Terraform(), "run-1", PERIOD_S)
    closed = asyncio.create_task(_followed(feed))
    other = asyncio.create_task(_followed(feed))
    await asyncio.sleep(0)
    closed.cancel()
    assert "".join(data["text"] for name, data in await other if name == "log").split() == list(LINES)


async def test_a_page_of_a_final_run_gets_only_the_end() -> None:
    done = Terraform()
    done.written = len(LINES) + 1
    feed = RunFeed(cast("Any", done), "run-1", PERIOD_S)
    texts = [text async for text in events(feed, "applied", "", None)]
    assert texts == ["event: end\ndata: {}\n\n"]


async def test_line_breaks_in_a_log_cannot_forge_events() -> None:
    class Hostile(Terraform):
        async def call(self, tool: str, kind: type[Any], /, **arguments: Any) -> Any:
            if tool == "get_run_details":
                return RunView("run-1", "applied")
            return LogView("run-1", "applied", log="a\n\nevent: status\ndata: {}\n\n", next_offset=None)

    texts = [text async for text in events(RunFeed(Hostile(), "run-1", PERIOD_S), "applied", "apply", 0)]
    assert [text.split("\n")[0] for text in texts] == ["event: log", "event: end"]
    assert all(text.count("\n") == 3 for text in texts)

"""Progress notifications are truncated before they are sanitized."""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tfruns.mcp.tool_handlers import ProgressNotifications


class Session:
    """Stores the messages that are sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def report_progress(self, done: float, total: float | None, message: str) -> None:
        self.sent.append(message)


@pytest.mark.anyio
async def test_long_message_is_truncated_before_it_is_sanitized() -> None:
    session = Session()
    progress = ProgressNotifications(cast("Any", SimpleNamespace(session=session)))
    began = time.process_time()
    for piece in ("a", "\u200b", "\u0643\u200d", "\x1b]", "https://a/"):
        await progress.report(piece * 1_000_000, done=1)
    assert time.process_time() - began < 0.5
    assert max(map(len, session.sent)) <= 400
    assert session.sent[0] == "a" * 399 + "…"


@pytest.mark.anyio
async def test_message_of_a_tool_is_sent_unchanged() -> None:
    session = Session()
    progress = ProgressNotifications(cast("Any", SimpleNamespace(session=session)))
    await progress.report("planning: " + "x" * 310, done=1, total=2)
    assert session.sent == ["planning: " + "x" * 310]

"""A whole log in large pieces: exact, also while it grows, and without secrets."""

from functools import partial

import pytest

from tests.support.api import client_for
from tests.tools.calls import RUN_ID
from tests.tools.test_get_run_logs import PLAN, SECRET, SILENT, Object, api_with
from tfruns.client.log_stream import LogStream
from tfruns.runs.masks import masker

pytestmark = pytest.mark.anyio


async def everything(log: Object, **options: object) -> tuple[list[str], bool]:
    async with client_for(api_with(log, **options)) as client:  # type: ignore[arg-type]
        stream = LogStream(client, RUN_ID, read_mask=partial(masker, client))
        lines: list[str] = []
        while found := await stream.more():
            lines += found
    return lines, stream.is_over


async def test_each_line_is_read_once_in_few_requests() -> None:
    expected = [f"line {number} {'x' * (number % 70)}" for number in range(100_000)]
    log = Object(b"\x02" + "\n".join(expected).encode() + b"\n\x03")
    assert await everything(log) == (expected, True)
    assert len(log.reads) < len(log.data) // 1_000_000 + 4
    assert await everything(Object(b"one\n" + SILENT + b"\nlast")) == (["one", "", "last"], True)
    assert await everything(Object(b"")) == ([], True)


async def test_growing_log_is_continued_and_an_incomplete_line_is_withheld() -> None:
    log = Object(b"one\ntw")
    async with client_for(api_with(log, phase_status="running")) as client:
        stream = LogStream(client, RUN_ID, read_mask=partial(masker, client))
        assert await stream.more() == ["one"]
        assert await stream.more() == []
        log.data += b"o\nthree\n"
        assert await stream.more() == ["two", "three"]
        assert not stream.is_over


async def test_secret_across_two_parts_is_masked_and_a_huge_line_omitted() -> None:
    begin = b"x" * (1_048_576 - 10)
    lines, _ = await everything(Object(begin + SECRET.encode() + b"\n"), plan=PLAN)
    assert SECRET not in lines[0]
    assert lines[0].endswith("(sensitive value)")
    huge = Object(b"before\n" + SECRET.encode() * 500_000 + b"\nafter\n")
    assert await everything(huge, plan=PLAN) == (["before", "[a line of more than 4 MB is omitted]", "after"], True)

"""The time to parse a log is proportional to its size, for any content."""

import json
import time

from tfruns.logs.apply_steps import steps_in
from tfruns.logs.diagnostics import diagnostics_in
from tfruns.logs.lines import render
from tfruns.logs.paging import Piece, page_from, shown_lines

PIECES = [
    "│\n",
    "╷\n│\n",
    "│ \n╵\n",
    "Error: x\n",
    "  with a,\n",
    "  on f line 1, in x:\n",
    "   1: x\n",
    ": Creating...\n",
    "x: Creating... [",
    ": Creation complete after ",
    " (local-exec): ",
    "\x1b[",
    '{"@message":"',
    '{"@message":"x","type":"diagnostic","diagnostic":{"summary":"a","detail":"b"}}\n',
    '{"type":"apply_start","hook":',
    '{"@message":"x","type":',
    '{"@message":"x"}',
    '{"a":{',
    "[[[[",
    " ",
    "a",
    "\n",
]


def unmasked(text: str) -> str:
    return text


def _read_all(data: bytes) -> None:
    render(data)
    steps_in(data)
    lines = data.decode().split("\n")
    list(diagnostics_in(["╷", *lines]))
    shown_lines(lines, unmasked, "creating")
    page_from(Piece(data, is_line_start=True, is_end=True, is_full=False), 8_400, unmasked, search="creating")


def _seconds(data: bytes) -> float:
    began = time.process_time()
    _read_all(data)
    return time.process_time() - began


def test_time_is_proportional_to_the_size_of_a_log() -> None:
    for piece in PIECES:
        small = (piece * (30_000 // len(piece))).encode()
        once, twice = _seconds(small), _seconds(small * 2)
        if twice >= 2.9 * once + 0.2:  # once more: the machine may have been busy
            once, twice = _seconds(small), _seconds(small * 2)
        assert twice < 2.9 * once + 0.2, (piece, once, twice)


def test_large_log_of_blank_boxes_is_read_quickly() -> None:
    blank = ["╷", *["│"] * 256_000]
    began = time.process_time()
    assert list(diagnostics_in(blank)) == []
    assert time.process_time() - began < 3


def test_message_nested_too_deeply_is_a_plain_line() -> None:
    line = json.dumps({"@message": "x"})[:-1] + ',"a":' + "[" * 100_000
    assert render(line.encode()).lines == [line]

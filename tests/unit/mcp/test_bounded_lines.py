"""Lines that are too long, and the id of a request that cannot be parsed."""

import io
import json
from functools import partial

from tests.support.growth import assert_linear
from tfruns.mcp.bounded_lines import BoundedLines, top_level_id


def test_id_is_that_of_the_request_and_not_of_a_nested_object() -> None:
    assert top_level_id('{"params":{"id":1,"x":["id",2]},"id":3}') == 3
    assert top_level_id('{"id" : "a-b" ,"params":[[[') == "a-b"
    assert top_level_id('{"method":"id","params":[') is None
    assert top_level_id('{"a":"\\",\\"id\\":5,","id":6}') == 6
    assert top_level_id('{"id":null,"params":[]}') is None
    assert top_level_id("[" * 100) is None


def _search(text: str, count: int) -> None:
    top_level_id("{" + text * count)


def test_search_for_the_id_takes_linear_time() -> None:
    for text in ('"', '\\"', "[", '"id":', '"id"', "{", "\\"):
        assert_linear(partial(_search, text), 50_000, text)


def test_line_within_the_limit_is_returned_unchanged() -> None:
    lines = BoundedLines(io.BytesIO(b"1234567\n12345678\n\xff\n\nlast"), max_bytes=8)
    assert [lines.readline() for _ in range(6)] == ["1234567\n", "12345678\n", "\ufffd\n", "\n", "last", ""]


def test_longer_line_is_dropped_and_its_id_is_found() -> None:
    text = "x" * 200_000
    cases: list[tuple[str, int | str | None]] = [
        (f'{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"text":"{text}"}}}}', 7),
        (f'{{"method":"ping","params":{{"id":1,"text":"{text}"}},"jsonrpc":"2.0","id":"seven"}}', "seven"),
        (f'{{"method":"ping","params":{{"text":"{text}"}} , "id" : 8 }} ', 8),
        (f'{{"method":"ping","params":{{"text":"{text}","id":9}}}}', None),
        (f'{{"jsonrpc":"2.0","id":7,"result":{{"text":"{text}"}}}}', None),
        (f'{{"result":{{"text":"{text}"}},"id":7}}', None),
        (f'{{"params":{{"method":"x","text":"{text}"}},"id":7}}', None),
        (f'{{"method":"ping","text":"{text},\\"id\\":9}}', None),
        (text, None),
        ('{"method":"ping","id":7}' + " " * 200_000, 7),
        ("[" * 200_000, None),
    ]
    for line, id_ in cases:
        lines = BoundedLines(io.BytesIO(f"{line}\nnext\n{line}".encode()), max_bytes=1_000)
        for _ in range(2):  # the last one ends with the input
            dropped = lines.readline()
            assert len(dropped) < 300
            assert lines.is_dropped(dropped), line[:60]
            assert lines.id_of_dropped(dropped) == id_, (line[:60], line[-60:])
            assert lines.readline() in {"next\n", ""}


def test_client_cannot_send_the_marker_of_a_dropped_line() -> None:
    stream = io.BytesIO(b"x" * 50 + b"\n" + json.dumps("dropped 0").encode() + b"\n")
    lines = BoundedLines(stream, max_bytes=20)
    first = lines.readline()
    assert lines.is_dropped(first)
    assert not lines.is_dropped(lines.readline())
    assert not BoundedLines(stream, max_bytes=20).is_dropped(first)

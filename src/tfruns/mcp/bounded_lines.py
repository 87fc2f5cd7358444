"""Lines of standard input with a limit on their length. A longer line is dropped before it is stored or parsed."""

import json
import logging
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

_log = logging.getLogger(__name__)

MAX_LINE_BYTES = 8 * 1024 * 1024
_KEPT_BYTES = 64 * 1024  # of the beginning and of the end of a dropped line
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]]')
_ID = re.compile(r'\s*:\s*(?P<id>-?[0-9]{1,18}|"[^"\\]{0,200}")\s*[,}]')
_ID_AT_END = re.compile(r'[{,]\s*"id"\s*:\s*(?P<id>-?[0-9]{1,18}|"[^"\\]{0,200}")\s*}\s*\Z')


class BoundedLines:
    """The lines of a stream. A line that is too long is dropped and replaced by a marker line.

    Args:
        stream: the stream to read.
        max_bytes: the maximum length of a line, without its line feed.
    """

    def __init__(self, stream: BinaryIO, *, max_bytes: int = MAX_LINE_BYTES) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self._mark = f"dropped {secrets.token_hex(16)} "  # a client cannot guess it

    def readline(self) -> str:
        """The next line; empty at the end of the input."""
        line = self._stream.readline(self._max_bytes + 1)
        if len(line) <= self._max_bytes or line.endswith(b"\n"):
            return line.decode("utf-8", errors="replace")
        head, tail = line[:_KEPT_BYTES], line[-_KEPT_BYTES:]
        del line
        size = self._max_bytes + 1
        while part := self._stream.readline(_KEPT_BYTES):
            size += len(part)
            tail = (tail + part)[-_KEPT_BYTES:]
            if part.endswith(b"\n"):
                break
        id_ = _id_of_request(head.decode("utf-8", errors="replace"), tail.decode("utf-8", errors="replace"))
        _log.warning("Refused a message of %d bytes: at most %d are accepted.", size, self._max_bytes)
        return f"{self._mark}{json.dumps(id_)}\n"

    def is_dropped(self, line: str) -> bool:
        """Whether a line is the marker of a dropped line."""
        return line.startswith(self._mark)

    def id_of_dropped(self, line: str) -> int | str | None:
        """The id of the dropped request; None if it is unknown, or if the line was not a request."""
        id_: int | str | None = json.loads(line.removeprefix(self._mark))
        return id_


@contextmanager
def standard_input() -> Iterator[BinaryIO]:
    """Standard input for the protocol only. In this block, it is empty for other code and for child processes."""
    private = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    try:
        yield os.fdopen(private, "rb", closefd=False)  # a thread may still be reading at the end
    finally:
        os.dup2(private, 0)


def top_level_id(line: str) -> int | str | None:
    """The id of a request that is nested too deeply, found without parsing the request."""
    for key, end in _top_level_texts(line):
        if key == '"id"' and (found := _ID.match(line, end)):
            return _value(found)
    return None


def _id_of_request(head: str, tail: str) -> int | str | None:
    """The id of a request, found in its beginning and end.

    The id can also be the last member, because the text before the last brace is at the top level. A message without a
    method is a response, whose id is that of a request of the server.
    """
    if not any(key == '"method"' for key, _ in _top_level_texts(head)):
        return None
    id_ = top_level_id(head)
    if id_ is None and (found := _ID_AT_END.search(tail)):
        return _value(found)
    return id_


def _top_level_texts(line: str) -> Iterator[tuple[str, int]]:
    """The strings directly in the outermost object or list, each with its end."""
    depth = 0
    for token in _TOKEN.finditer(line):
        if token[0] in "{[":
            depth += 1
        elif token[0] in "]}":
            depth -= 1
        elif depth == 1:
            yield token[0], token.end()


def _value(found: re.Match[str]) -> int | str:
    value: int | str = json.loads(found["id"])
    return value

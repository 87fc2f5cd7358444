"""Lines of standard input with a limit on their length: a longer one is dropped before it is kept whole or parsed."""

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
_KEPT_BYTES = 64 * 1024  # of the beginning and the end of a line that is dropped
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"?|[{}\[\]]')
_ID = re.compile(r'\s*:\s*(?P<id>-?[0-9]{1,18}|"[^"\\]{0,200}")\s*[,}]')
_ID_AT_END = re.compile(r'[{,]\s*"id"\s*:\s*(?P<id>-?[0-9]{1,18}|"[^"\\]{0,200}")\s*}\s*\Z')


class BoundedLines:
    """The lines of a stream. One that is too long is dropped, and another line stands for it.

    Args:
        stream: what is read.
        max_bytes: the longest line that is returned whole, without its line feed.
    """

    def __init__(self, stream: BinaryIO, *, max_bytes: int = MAX_LINE_BYTES) -> None:
        self._stream = stream
        self._max_bytes = max_bytes
        self._mark = f"dropped {secrets.token_hex(16)} "  # no client can send it

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
        """Whether a line stands for one that was too long."""
        return line.startswith(self._mark)

    def id_of_dropped(self, line: str) -> int | str | None:
        """The id of the request that was dropped; None where it is not known, or the line was no request."""
        id_: int | str | None = json.loads(line.removeprefix(self._mark))
        return id_


@contextmanager
def standard_input() -> Iterator[BinaryIO]:
    """Standard input for the protocol alone: whatever else reads it in this block, or is started, finds it empty."""
    private = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    try:
        yield os.fdopen(private, "rb", closefd=False)  # a thread may still wait for it at the end
    finally:
        os.dup2(private, 0)


def top_level_id(line: str) -> int | str | None:
    """The id of a request that is nested too deep to be parsed, found without parsing the rest."""
    for key, end in _top_level_texts(line):
        if key == '"id"' and (found := _ID.match(line, end)):
            return _value(found)
    return None


def _id_of_request(head: str, tail: str) -> int | str | None:
    """The id of a request of which the beginning and the end are known.

    An id may be its last member, too: what precedes the last brace of an object is at its top level. A response has an
    id as well, which is not the client's own.
    """
    if not any(key == '"method"' for key, _ in _top_level_texts(head)):
        return None
    id_ = top_level_id(head)
    if id_ is None and (found := _ID_AT_END.search(tail)):
        return _value(found)
    return id_


def _top_level_texts(line: str) -> Iterator[tuple[str, int]]:
    """The texts directly in the outermost object or list, each with its end."""
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

"""Bodies of answers, read within bounds: of time, and of size after decompression.

An answer has a minute, and a second more for every 100 kB that have arrived. So one that arrives byte by byte ends, and
one that never ends reaches its bound of size.
"""

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import httpx2

from tfruns.client.byte_budget import Reservation
from tfruns.errors import TooLarge

MAX_DOCUMENT_BYTES = 32_000_000  # the largest documents, pages of 100 runs, have some 1 MB
MAX_OBJECT_BYTES = 1_000_000_000  # a log that is read as a whole
_ANSWER_S = 60.0
_BYTES_A_SECOND = 100_000


class TimeLimit:
    """The time that is left for an answer."""

    def __init__(self, scope: anyio.CancelScope, allowed_s: float) -> None:
        self._scope = scope
        self._allowed_s = allowed_s
        self._begun = anyio.current_time()

    def received(self, size: int) -> None:
        """Allow more time for what has arrived in all."""
        self._scope.deadline = self._begun + self._allowed_s + size / _BYTES_A_SECOND

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Wait for something else than the server, which counts for nothing."""
        self._scope.deadline = math.inf
        yield
        self._begun = anyio.current_time()
        self.received(0)


@contextmanager
def time_limit(sent_bytes: int = 0) -> Iterator[TimeLimit]:
    """A bound on the time from the beginning of a request to the end of its answer.

    Raises:
        httpx2.ReadTimeout: the time is up.
    """
    allowed_s = _ANSWER_S + sent_bytes / _BYTES_A_SECOND
    with anyio.move_on_after(allowed_s) as scope:
        yield TimeLimit(scope, allowed_s)
        return
    raise httpx2.ReadTimeout("The answer took too long.")


async def read_body(
    response: httpx2.Response, max_bytes: int, limit: TimeLimit, room: Reservation | None = None
) -> bytes:
    """The decoded body of an answer that has begun.

    Args:
        response: the answer.
        max_bytes: how large it may be; no more of it is held in memory.
        limit: the time for it.
        room: the part of a shared budget in which its bytes are counted.

    Raises:
        TooLarge: it is larger than that; no more of it was read.
        httpx2.DecodingError: its compression is damaged, or not the one that was asked for.
    """
    announced = _announced_size(response)
    if announced is not None and announced > max_bytes:
        raise _too_large(max_bytes)
    if room is not None:
        with limit.paused():
            await room.reserve(announced)
    if response.is_stream_consumed:  # by a transport in this process
        return _within(response.content, max_bytes)
    decoder = _Gzip() if _encoding(response) == "gzip" else None
    parts: list[bytes] = []
    size = received = 0
    async for raw in response.aiter_raw():
        received += len(raw)
        limit.received(received)
        part = decoder.decode(raw, max_bytes - size + 1) if decoder else raw
        size += len(part)
        if size > max_bytes:
            raise _too_large(max_bytes)
        parts.append(part)
    if decoder is not None:
        decoder.check_end()
    return b"".join(parts)


class _Gzip:
    """A gzip stream that is decoded no further than it may be."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._has_begun = False

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """The decoded data, or as much of it as is allowed."""
        parts: list[bytes] = []
        while data and max_bytes:
            self._has_begun = True
            if self._inflate.eof:  # a further member
                self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
            try:
                part = self._inflate.decompress(data, max_bytes)
            except zlib.error:
                raise httpx2.DecodingError("The compression is damaged.") from None
            max_bytes -= len(part)
            parts.append(part)
            data = self._inflate.unused_data
        return b"".join(parts)

    def check_end(self) -> None:
        if self._has_begun and not self._inflate.eof:
            raise httpx2.DecodingError("The compressed data is not complete.")


def _encoding(response: httpx2.Response) -> str:
    names = response.headers.get("content-encoding", "").lower().split(",")
    encodings = [name.strip() for name in names if name.strip() not in {"", "identity"}]
    if not encodings:
        return ""
    if encodings in (["gzip"], ["x-gzip"]):
        return "gzip"
    raise httpx2.DecodingError("The encoding is not the one that was asked for.")


def _announced_size(response: httpx2.Response) -> int | None:
    """The size of the decoded body; None where the answer does not tell it."""
    text = response.headers.get("content-length", "")
    is_encoded = response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
    return int(text) if text.isdecimal() and len(text) < 20 and not is_encoded else None


def _within(data: bytes, max_bytes: int) -> bytes:
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return data


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The answer is larger than {max_bytes:,} bytes, and was not read.")

"""Response bodies, read within limits on time and on size after decompression.

A response may take one minute, plus one second for each 100 kB received. A response that trickles in byte by byte
times out, and an endless one reaches the size limit.
"""

import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import httpx2

from tfruns.client.byte_budget import Reservation
from tfruns.errors import TooLarge

MAX_DOCUMENT_BYTES = 32_000_000  # the largest documents, pages of 100 runs, have about 1 MB
MAX_OBJECT_BYTES = 1_000_000_000  # a whole log
_RESPONSE_S = 60.0
_BYTES_A_SECOND = 100_000


class TimeLimit:
    """The time that remains for a response."""

    def __init__(self, scope: anyio.CancelScope, allowed_s: float) -> None:
        self._scope = scope
        self._allowed_s = allowed_s
        self._begun = anyio.current_time()

    def received(self, size: int) -> None:
        """Extend the deadline for the bytes received so far."""
        self._scope.deadline = self._begun + self._allowed_s + size / _BYTES_A_SECOND

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Suspend the limit while waiting for something other than the server."""
        self._scope.deadline = math.inf
        yield
        self._begun = anyio.current_time()
        self.received(0)


@contextmanager
def time_limit(sent_bytes: int = 0) -> Iterator[TimeLimit]:
    """Limit the time from the start of a request to the end of its response.

    Raises:
        httpx2.ReadTimeout: the time is up.
    """
    allowed_s = _RESPONSE_S + sent_bytes / _BYTES_A_SECOND
    with anyio.move_on_after(allowed_s) as scope:
        yield TimeLimit(scope, allowed_s)
        return
    raise httpx2.ReadTimeout("The response took too long.")


async def read_body(
    response: httpx2.Response, max_bytes: int, limit: TimeLimit, room: Reservation | None = None
) -> bytes:
    """Read and decode the body of a response.

    Args:
        response: the response, with its headers received.
        max_bytes: limit of the decoded size; no more is held in memory.
        limit: the time limit.
        room: reservation in a shared memory budget.

    Raises:
        TooLarge: the body is larger than `max_bytes`.
        httpx2.DecodingError: the compression is damaged, or is not the requested one.
    """
    announced = _announced_size(response)
    if announced is not None and announced > max_bytes:
        raise _too_large(max_bytes)
    if room is not None:
        with limit.paused():
            await room.reserve(announced)
    if response.is_stream_consumed:  # by an in-process transport
        return _check_size(response.content, max_bytes)
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
    """A decoder of a gzip stream with a size limit."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
        self._has_begun = False

    def decode(self, data: bytes, max_bytes: int) -> bytes:
        """Decode data, up to `max_bytes` of output."""
        parts: list[bytes] = []
        while data and max_bytes:
            self._has_begun = True
            if self._inflate.eof:  # another member follows
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
            raise httpx2.DecodingError("The compressed data is incomplete.")


def _encoding(response: httpx2.Response) -> str:
    names = response.headers.get("content-encoding", "").lower().split(",")
    encodings = [name.strip() for name in names if name.strip() not in {"", "identity"}]
    if not encodings:
        return ""
    if encodings in (["gzip"], ["x-gzip"]):
        return "gzip"
    raise httpx2.DecodingError("The encoding is not the requested one.")


def _announced_size(response: httpx2.Response) -> int | None:
    """The size of the decoded body; None if the headers do not give it."""
    text = response.headers.get("content-length", "")
    is_encoded = response.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}
    return int(text) if text.isdecimal() and len(text) < 20 and not is_encoded else None


def _check_size(data: bytes, max_bytes: int) -> bytes:
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return data


def _too_large(max_bytes: int) -> TooLarge:
    return TooLarge(f"The response is larger than {max_bytes:,} bytes and was not read.")

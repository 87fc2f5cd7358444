"""Response bodies are limited in time and in decompressed size. Time is virtual."""

import gzip
import itertools
import zlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import anyio
import httpx2
import pytest

from tests.support.tables import rows
from tests.support.virtual_time import VirtualTimeLoop
from tfruns.client.bodies import read_body, time_limit
from tfruns.errors import TooLarge

MEGABYTE = 1_000_000


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"loop_factory": VirtualTimeLoop}


class Stream(httpx2.AsyncByteStream):
    """A body that arrives in parts with a delay before each. `sent` counts the requested parts."""

    def __init__(self, parts: Iterable[bytes], every_s: float = 0.0) -> None:
        self._parts, self._every_s = parts, every_s
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            await anyio.sleep(self._every_s)
            self.sent += 1
            yield part


async def body_of(stream: Stream, max_bytes: int = MEGABYTE, **headers: str) -> bytes:
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    with time_limit() as limit:
        return await read_body(httpx2.Response(200, headers=named, stream=stream), max_bytes, limit)


async def test_response_trickling_byte_by_byte_times_out_after_a_minute() -> None:
    begun = anyio.current_time()
    with pytest.raises(httpx2.ReadTimeout):
        await body_of(Stream(itertools.repeat(b"x"), every_s=0.5))
    assert 60.0 <= anyio.current_time() - begun <= 60.5


async def test_steady_response_has_the_time_it_needs() -> None:
    parts = [bytes(100_000)] * 100
    assert len(await body_of(Stream(parts, every_s=1.0), max_bytes=10 * MEGABYTE)) == 10 * MEGABYTE


async def test_response_that_does_not_start_times_out() -> None:
    begun = anyio.current_time()
    with pytest.raises(httpx2.ReadTimeout):
        await body_of(Stream([b"late"], every_s=1000.0))
    assert anyio.current_time() - begun == 60.0


@pytest.mark.parametrize("encoding", ["", "gzip"])
async def test_endless_response_is_read_only_to_its_limit(encoding: str) -> None:
    part = bytes(100_000)
    packer = zlib.compressobj(level=0, wbits=16 + zlib.MAX_WBITS)
    parts = itertools.repeat(part) if not encoding else (packer.compress(part) for _ in itertools.count())
    stream = Stream(parts)
    with pytest.raises(TooLarge, match="1,000,000 bytes"):
        await body_of(stream, content_encoding=encoding)
    assert stream.sent == 11


async def test_gzip_bomb_is_decoded_only_to_its_limit() -> None:
    bomb = gzip.compress(bytes(200 * MEGABYTE), 9)
    assert len(bomb) < MEGABYTE
    with pytest.raises(TooLarge):
        await body_of(Stream([bomb]), content_encoding="gzip")


@pytest.mark.parametrize("length", ["1000001", "9" * 19])
async def test_announced_length_over_the_limit_is_not_read(length: str) -> None:
    stream = Stream([b"x"])
    with pytest.raises(TooLarge):
        await body_of(stream, content_length=length)
    assert stream.sent == 0


@rows("encoding", ["br", "zstd", "deflate", "gzip, gzip", "gzip, br"])
async def test_unrequested_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(httpx2.DecodingError):
        await body_of(Stream([b"x"]), content_encoding=encoding)


async def test_gzip_in_any_chunks_is_decoded_if_complete() -> None:
    content = b"some text, " * 1000
    packed = gzip.compress(content) + gzip.compress(b"and more")
    for size in (1, 7, 100, len(packed)):
        parts = [packed[at : at + size] for at in range(0, len(packed), size)]
        assert await body_of(Stream(parts), content_encoding="gzip") == content + b"and more"
    assert await body_of(Stream([]), content_encoding="gzip") == b""
    assert await body_of(Stream([packed]), content_encoding="x-gzip, identity") == content + b"and more"
    for damaged in (packed[:-1], b"no gzip", packed[:100] + b"x" + packed[101:]):
        with pytest.raises(httpx2.DecodingError):
            await body_of(Stream([damaged]), content_encoding="gzip")

"""Clients that send requests continuously, in a separate process: `python -m bench.load_clients`.

Standard input is one JSON object: `url`, `token`, `seconds`, `readers`, `reads` (paths, requested in turn) and
`creators` (request bodies, one client each). Standard output is one JSON object: `read_ms` and `create_ms`, the
duration of each request in milliseconds.

Each client has one connection and a minimal HTTP implementation. A full HTTP client would use more processor time than
the server.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Sequence
from itertools import chain
from typing import Any
from urllib.parse import urlsplit

import uvloop

_FINAL = {"applied", "planned_and_finished", "errored", "canceled", "discarded"}
_POLL_S = 0.1


class _Client:
    """A client with one persistent connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._head = f"host: bench\r\nauthorization: Bearer {token}\r\n"

    @classmethod
    async def connect(cls, url: str, token: str) -> "_Client":
        parts = urlsplit(url)
        return cls(*await asyncio.open_connection(parts.hostname, parts.port), token)

    async def send(self, method: str, path: str, body: bytes = b"") -> bytes:
        head = f"{method} {path} HTTP/1.1\r\n{self._head}content-length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        response = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        status = int(response[9:12])
        length = int(response.partition(b"content-length:")[2].partition(b"\r\n")[0])
        content = await self._reader.readexactly(length)
        if not 200 <= status < 300:
            raise RuntimeError(f"{method} {path}: {status} {content[:300]!r}")
        return content


async def _read(client: _Client, paths: Sequence[str], first: int, until: float) -> list[float]:
    times, number = [], first
    while (start := time.perf_counter()) < until:
        await client.send("GET", paths[number % len(paths)])
        times.append((time.perf_counter() - start) * 1000)
        number += 1
    return times


async def _create(client: _Client, body: str, until: float) -> list[float]:
    """Create runs, each after the previous one is final."""
    times = []
    while (start := time.perf_counter()) < until:
        run = json.loads(await client.send("POST", "/api/v2/runs", body.encode()))["data"]
        times.append((time.perf_counter() - start) * 1000)
        while run["attributes"]["status"] not in _FINAL and time.perf_counter() < until:
            await asyncio.sleep(_POLL_S)
            run = json.loads(await client.send("GET", f"/api/v2/runs/{run['id']}"))["data"]
    return times


async def _work(job: dict[str, Any]) -> dict[str, list[float]]:
    count = job["readers"] + len(job["creators"])
    clients = [await _Client.connect(job["url"], job["token"]) for _ in range(count)]
    until = time.perf_counter() + job["seconds"]
    readers = [_read(client, job["reads"], number, until) for number, client in enumerate(clients[: job["readers"]])]
    creators = [
        _create(client, body, until) for client, body in zip(clients[job["readers"] :], job["creators"], strict=True)
    ]
    reads, creates = await asyncio.gather(asyncio.gather(*readers), asyncio.gather(*creators))
    return {"read_ms": list(chain(*reads)), "create_ms": list(chain(*creates))}


if __name__ == "__main__":
    found = json.dumps(uvloop.run(_work(json.load(sys.stdin))))
    os.set_blocking(sys.stdout.fileno(), True)  # uvloop may leave a pipe in non-blocking mode, and output would be lost
    print(found)

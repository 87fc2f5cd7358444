"""An HTTP server that responds to every GET with the same run: `python -m bench.single_run_api`.

It prints its port when it is ready, and announces a rate limit that no client reaches.
"""

import asyncio
import json

from tests.support import samples

_BODY = json.dumps({"data": samples.run()}).encode()
_RESPONSE = (
    b"HTTP/1.1 200 OK\r\n"
    b"content-type: application/vnd.api+json\r\n"
    b"x-ratelimit-limit: 100000\r\n"
    b"x-ratelimit-remaining: 99999\r\n"
    b"content-length: %d\r\n\r\n%s" % (len(_BODY), _BODY)
)


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *requests, self._received = (self._received + data).split(b"\r\n\r\n")
        self._transport.write(_RESPONSE * len(requests))


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())

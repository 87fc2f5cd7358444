"""Failures after which it is unknown whether a change happened."""

import httpx2

from tests.support.api import Script, error

AMBIGUOUS: dict[str, Script] = {
    "read timeout": httpx2.ReadTimeout("no answer"),
    "write timeout": httpx2.WriteTimeout("not taken"),
    "reset": httpx2.ReadError("reset"),
    "broken pipe": httpx2.WriteError("broken pipe"),
    "disconnected": httpx2.RemoteProtocolError("server disconnected"),
    "damaged": httpx2.DecodingError("damaged"),
    "502": error(502, "bad gateway"),
    "503": error(503, "unavailable"),
    "504": error(504, "gateway timeout"),
    "502 page": httpx2.Response(502, html="<title>Bad gateway</title>"),
    "cut 201": httpx2.Response(201, content=b'{"data": {"id": "run-CZ', headers={"content-type": "application/json"}),
}

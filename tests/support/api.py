"""A scripted API behind the client's transport, for responses that a real API cannot be made to give."""

import json
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import httpx2

from tests.support.clock import FakeClock
from tfruns.client.client import Client

HOST = "tfe.example.com"
ADDRESS = f"https://{HOST}"
TOKEN = "fakeToken1234.atlasv1.neverShownAnywhere5678"

Script = httpx2.Response | Exception | Callable[[httpx2.Request], httpx2.Response]


class FakeApi(httpx2.AsyncBaseTransport):
    """Responds to requests from a script; a request that is not in the script gets a 404.

    Each route has a queue of responses. The last one is repeated. The response to a creation contains the options that
    were sent, unless its script is a function. `requests` contains all received requests.
    """

    def __init__(self, *, is_length_announced: bool = True) -> None:
        self._is_length_announced = is_length_announced
        self.requests: list[httpx2.Request] = []
        self.routes: dict[tuple[str, str], deque[Script]] = {}

    def on(self, method: str, path: str, *answers: Script) -> "FakeApi":
        """Script a path below /api/v2, or an absolute address."""
        url = path if "://" in path else f"{ADDRESS}/api/v2{path}"
        self.routes.setdefault((method, url), deque()).extend(answers)
        return self

    def off(self, method: str, path: str) -> "FakeApi":
        """Remove a path from the script."""
        del self.routes[method, path if "://" in path else f"{ADDRESS}/api/v2{path}"]
        return self

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await request.aread()
        self.requests.append(request)
        answers = self.routes.get((request.method, str(request.url).partition("?")[0]))
        if not answers:
            return error(404, "not found")
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        response = answer(request) if callable(answer) else with_what_was_sent(answer, _sent(request))
        # A response can be read only once, but a script may return it many times.
        given = httpx2.Response(response.status_code, headers=response.headers, content=response.content)
        if not self._is_length_announced:
            del given.headers["content-length"]
        return given

    def sent(self, method: str, path: str = "") -> list[httpx2.Request]:
        """The received requests with this method and this end of the path."""
        return [r for r in self.requests if r.method == method and r.url.path.endswith(path)]


class ConnectionTo:
    """A connection of the MCP server with an existing client."""

    organization: str | None = None

    def __init__(self, client: Client) -> None:
        self._client = client

    async def client(self) -> Client:
        return self._client

    def replace(self, client: Client) -> None:
        """Use another client from now on."""
        self._client = client

    async def aclose(self) -> None:
        """Leave the client open for its owner."""


def client_for(api: FakeApi, clock: FakeClock | None = None, **settings: Any) -> Client:
    """A client of a scripted API, with a clock that does not wait."""
    options: dict[str, Any] = {"address": ADDRESS, "token": TOKEN, **settings}
    return Client(http_transport=api, clock=clock or FakeClock(), **options)


def answer(document: Any, status: int = 200, **headers: str) -> httpx2.Response:
    """A JSON:API response."""
    return httpx2.Response(
        status,
        content=json.dumps(document).encode(),
        headers={
            "content-type": "application/vnd.api+json",
            "x-request-id": "req-123",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        },
    )


def error(status: int, title: str, detail: str | None = None, **headers: str) -> httpx2.Response:
    """A JSON:API error."""
    body = {"status": str(status), "title": title} | ({"detail": detail} if detail else {})
    return answer({"errors": [body]}, status, **headers)


def _sent(request: httpx2.Request) -> Any:
    return body(request) if request.method == "POST" else None


def with_what_was_sent(response: httpx2.Response, sent: Any) -> httpx2.Response:
    """The response to a creation, with the options that were sent."""
    if not response.is_success or not isinstance(sent, dict) or "data" not in sent or not response.content:
        return response
    try:
        document = json.loads(response.content)
        resource, wanted = document["data"], sent["data"]
        if resource["type"] != wanted["type"]:
            return response
        for part in ("attributes", "relationships"):
            resource[part] = resource.get(part, {}) | wanted.get(part, {})
    except (ValueError, KeyError, TypeError, AttributeError):
        return response  # a script that is not a JSON:API document
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return httpx2.Response(response.status_code, headers=headers, content=json.dumps(document))


def accepted() -> httpx2.Response:
    """The response to an action: 202 without a body."""
    return httpx2.Response(202)


def query(request: httpx2.Request) -> dict[str, str]:
    """The query parameters of a request."""
    return dict(parse_qsl(request.url.query.decode(), keep_blank_values=True))


def body(request: httpx2.Request) -> Any:
    """The JSON body of a request."""
    return json.loads(request.content) if request.content else None

"""The token is sent only to its origin, and no text shows it or a signed URL."""

import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from tests.support.api import ADDRESS, HOST, TOKEN, FakeApi, Script, answer, client_for, error, query
from tests.support.clock import FakeClock
from tests.support.samples import RUN_ID, run
from tests.support.tables import rows
from tfruns.client.client import Client
from tfruns.client.retries import AttemptFailed
from tfruns.client.settings import load_settings
from tfruns.client.transport import Transport
from tfruns.errors import NotFound, OutcomeUnknown, TfrunsError, TooLarge, UnexpectedResponse
from tfruns.wire.plans import Plan

RUN_PATH = f"/runs/{RUN_ID}"
RUN_URL = f"{ADDRESS}/api/v2{RUN_PATH}"
PLAN_JSON = "/plans/plan-8F5JFydVYAmtTjET/json-output"
OBJECT_KEY = "dmF1bHQ6djE6c2lnbmVkT2JqZWN0S2V5"
OPAQUE_TOKEN = "opaque-c0ffee-neverShown"

SIGNED = {
    "archivist": f"https://archivist.terraform.io/v1/object/{OBJECT_KEY}",
    "terraform-enterprise": f"{ADDRESS}/_archivist/v1/object/{OBJECT_KEY}",
    "query-signed": f"https://logs.s3.example.com/plan.log?X-Amz-Expires=900&X-Amz-Signature={OBJECT_KEY}",
}


def moved(location: str, status: int = 302) -> httpx2.Response:
    return httpx2.Response(status, headers={"location": location, "x-request-id": "req-123"})


def transport_for(api: httpx2.AsyncBaseTransport, *, token: str = TOKEN) -> Transport:
    return Transport(load_settings(ADDRESS, token), http_transport=api, clock=FakeClock())


def plan_with_log(address: str) -> Plan:
    return Plan.from_wire(
        {"id": "plan-1", "type": "plans", "attributes": {"status": "finished", "log-read-url": address}}
    )


async def failed(transport: Transport, method: str) -> TfrunsError:
    """The error of a request. For a change it is ambiguous: the server may have acted before the redirect."""
    path = f"/api/v2{RUN_PATH}"
    if method == "GET":
        with pytest.raises(UnexpectedResponse) as caught:
            await transport.get(path)
        return caught.value
    with pytest.raises(AttemptFailed) as ambiguous:
        await transport.post(path, {})
    assert ambiguous.value.is_ambiguous
    return ambiguous.value.error


# -- redirects of API requests ----------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("status", [301, 302, 303, 307, 308])
@rows(
    "location",
    [
        "/api/v2/moved",
        f"{ADDRESS}/api/v2/moved",
        f"https://{HOST}:443/api/v2/moved",
        f"https://{HOST.upper()}/api/v2/moved",
        f"//{HOST}/api/v2/moved",
    ],
)
@rows("method", ["GET", "POST"])
async def test_document_request_does_not_follow_a_redirect_in_the_api(method: str, status: int, location: str) -> None:
    api = FakeApi().on(method, RUN_PATH, moved(location, status)).on(method, "/moved", answer({"data": run()}))
    failure = await failed(transport_for(api), method)
    assert [str(request.url) for request in api.requests] == [RUN_URL]
    assert failure.status == status
    assert "a redirect, which is not followed" in failure.message


@pytest.mark.anyio
@rows("status", [301, 302, 303, 307, 308])
@rows(
    "location",
    [
        "https://evil.example.com/api/v2/runs",
        f"http://{HOST}/api/v2/runs",
        f"https://{HOST}:8443/api/v2/runs",
        f"https://{HOST}.evil.example.com/",
        f"https://{HOST}@evil.example.com/",
        f"https://operator:password@{HOST}/api/v2/runs",
        "//evil.example.com/api/v2/runs",
        "ftp://evil.example.com/runs",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:text/plain,hello",
        "https://[::1",
        "http://evil.example.com:99999/",
    ],
)
@rows("method", ["GET", "POST"])
async def test_document_request_does_not_follow_a_redirect_elsewhere(method: str, location: str, status: int) -> None:
    api = FakeApi().on(method, RUN_PATH, moved(location, status))
    failure = await failed(transport_for(api), method)
    assert [str(request.url) for request in api.requests] == [RUN_URL], "sent once, to no other host"
    assert "password" not in str(failure)


@pytest.mark.anyio
async def test_redirect_to_another_host_has_status_and_request_id() -> None:
    api = FakeApi().on("GET", RUN_PATH, moved("https://sso.example.com/login?state=secretState"))
    with pytest.raises(UnexpectedResponse, match="redirect") as caught:
        await transport_for(api).get(f"/api/v2{RUN_PATH}")
    assert caught.value.status == 302
    assert caught.value.request_id == "req-123"
    assert "secretState" not in str(caught.value)


@pytest.mark.anyio
@rows("method", ["GET", "POST"])
async def test_redirect_to_another_host_names_the_address_to_set(method: str) -> None:
    api = FakeApi().on(method, RUN_PATH, moved("https://new.example.com:8443/api/v2/runs?state=secretState", 308))
    failure = await failed(transport_for(api), method)
    assert failure.solution == "If https://new.example.com:8443 is the API, set TFE_ADDRESS to it."
    assert "secretState" not in str(failure)


@pytest.mark.anyio
@rows("status", [301, 302, 303, 307, 308])
async def test_redirected_change_is_sent_once_and_searched(status: int) -> None:
    api = FakeApi().on("POST", "/runs", moved("https://new.example.com/api/v2/runs", status))
    with pytest.raises(OutcomeUnknown) as caught:
        await client_for(api).runs.create("ws-LLGHCr4SWy28wyGN")
    assert len(api.sent("POST")) == 1
    assert "set TFE_ADDRESS to it" in caught.value.solution


@pytest.mark.anyio
@rows("status", [300, 302, 304, 307])
async def test_redirect_without_a_target_is_unexpected(status: int) -> None:
    api = FakeApi().on("GET", RUN_PATH, httpx2.Response(status))
    with pytest.raises(UnexpectedResponse) as caught:
        await transport_for(api).get(f"/api/v2{RUN_PATH}")
    assert caught.value.status == status
    assert len(api.requests) == 1


# -- downloads --------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("address", SIGNED.values(), ids=SIGNED.keys())
async def test_log_is_downloaded_without_the_token(address: str) -> None:
    api = FakeApi().on("GET", address.partition("?")[0], httpx2.Response(200, content=b"\x02log\x03"))
    assert await client_for(api).plans.read_log(plan_with_log(address)) == b"\x02log\x03"
    (request,) = api.requests
    assert "authorization" not in request.headers
    assert TOKEN not in str(request.headers)
    assert query(request).items() >= dict(httpx2.URL(address).params).items()


@pytest.mark.anyio
async def test_log_download_needs_no_token() -> None:
    api = FakeApi().on("GET", SIGNED["archivist"], httpx2.Response(200, content=b"log"))
    assert await client_for(api, token=None).plans.read_log(plan_with_log(SIGNED["archivist"])) == b"log"


@pytest.mark.anyio
@rows("address", SIGNED.values(), ids=SIGNED.keys())
async def test_token_is_sent_to_the_api_but_not_to_the_blob(address: str) -> None:
    api = FakeApi().on("GET", PLAN_JSON, moved(address, 307))
    api.on("GET", address.partition("?")[0], httpx2.Response(200, content=b"{}"))
    assert await client_for(api).plans.read_json("plan-8F5JFydVYAmtTjET") == b"{}"
    assert [request.headers.get("authorization") for request in api.requests] == [f"Bearer {TOKEN}", None]


@pytest.mark.anyio
@rows(
    "elsewhere",
    [
        "https://evil.example.com/api/v2/object",
        f"https://{HOST}:8443/api/v2/object",
        f"http://{HOST}/api/v2/object",
        f"https://{HOST}.evil.example.com/api/v2/object",
    ],
)
async def test_api_like_path_on_another_origin_gets_no_token(elsewhere: str) -> None:
    api = FakeApi().on("GET", PLAN_JSON, moved(elsewhere, 307))
    api.on("GET", elsewhere, httpx2.Response(200, content=b"{}"))
    await client_for(api).plans.read_json("plan-8F5JFydVYAmtTjET")
    assert [request.headers.get("authorization") for request in api.requests] == [f"Bearer {TOKEN}", None]


@pytest.mark.anyio
@rows("is_announced", [True, False])
async def test_oversized_object_is_not_read_into_memory(is_announced: bool) -> None:
    def blob(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=b"x" * 101)

    api = FakeApi(is_length_announced=is_announced).on("GET", SIGNED["archivist"], blob)
    assert await transport_for(api).download(SIGNED["archivist"], max_bytes=101) == b"x" * 101
    with pytest.raises(TooLarge, match="larger than 100 bytes"):
        await transport_for(api).download(SIGNED["archivist"], max_bytes=100)
    assert len(api.requests) == 2  # not a transient failure


@pytest.mark.anyio
async def test_redirect_back_to_an_object_of_the_api_sends_no_token() -> None:
    api = FakeApi().on("GET", SIGNED["archivist"], moved(f"{ADDRESS}/_archivist/v1/object/{OBJECT_KEY}"))
    api.on("GET", f"{ADDRESS}/_archivist/v1/object/{OBJECT_KEY}", httpx2.Response(200, content=b"log"))
    assert await transport_for(api).download(SIGNED["archivist"]) == b"log"
    assert [request.headers.get("authorization") for request in api.requests] == [None, None]


@pytest.mark.anyio
@rows("location", ["ftp://blobs.example.com/x", "file:///etc/passwd", "javascript:alert(1)"])
async def test_download_redirected_to_a_non_http_url_is_unexpected(location: str) -> None:
    api = FakeApi().on("GET", PLAN_JSON, moved(location, 307))
    with pytest.raises(UnexpectedResponse):
        await client_for(api).plans.read_json("plan-8F5JFydVYAmtTjET")
    assert len(api.requests) == 1, "it will not be another one a moment later"


@pytest.mark.anyio
async def test_download_redirected_in_a_loop_fails() -> None:
    api = FakeApi().on("GET", PLAN_JSON, moved(f"{ADDRESS}/api/v2{PLAN_JSON}", 307))
    with pytest.raises(UnexpectedResponse, match="in a loop"):
        await client_for(api).plans.read_json("plan-8F5JFydVYAmtTjET")
    assert len(api.requests) <= 10


@pytest.mark.anyio
async def test_missing_plan_json_is_none() -> None:
    api = FakeApi().on("GET", PLAN_JSON, httpx2.Response(204))
    assert await client_for(api).plans.read_json("plan-8F5JFydVYAmtTjET") is None


@pytest.mark.anyio
async def test_hidden_plan_json_names_the_permission() -> None:
    api = FakeApi().on("GET", PLAN_JSON, error(404, "not found"))
    with pytest.raises(NotFound) as caught:
        await client_for(api).plans.read_json("plan-8F5JFydVYAmtTjET")
    assert "admin" in caught.value.cause
    assert caught.value.request_id == "req-123"


@pytest.mark.anyio
@rows("status", [429, 502, 503, 504])
async def test_busy_object_store_is_retried(status: int) -> None:
    api = FakeApi().on(
        "GET",
        SIGNED["archivist"],
        httpx2.Response(status, headers={"retry-after": "1"}),
        httpx2.Response(200, text="x"),
    )
    assert await transport_for(api).download(SIGNED["archivist"]) == b"x"
    assert len(api.requests) == 2


@pytest.mark.anyio
@rows("status", [400, 403, 404, 410])
async def test_refused_object_is_reported_as_expired(status: int) -> None:
    api = FakeApi().on("GET", SIGNED["archivist"], httpx2.Response(status, text=f"<Error>{OBJECT_KEY}</Error>"))
    with pytest.raises(UnexpectedResponse, match="expired") as caught:
        await transport_for(api).download(SIGNED["archivist"])
    assert caught.value.status == status
    assert "again" in caught.value.solution
    assert len(api.requests) == 1


@pytest.mark.anyio
async def test_object_store_path_is_never_shown() -> None:
    address = f"https://blobs.example.com/api/v1/{OBJECT_KEY}"
    api = FakeApi().on("GET", address, error(403, "denied"))
    with pytest.raises(TfrunsError) as caught:
        await transport_for(api).download(address)
    assert OBJECT_KEY not in f"{caught.value} {caught.value.as_dict()}"


@pytest.mark.anyio
@rows(
    ("options", "sent", "expected"),
    [
        ({}, {}, b"0123456789"),
        ({"offset": 4}, {}, b"456789"),
        ({"offset": 2, "max_bytes": 3}, {"limit": "3", "offset": "2"}, b"234"),
        ({"max_bytes": 3}, {"limit": "3", "offset": "0"}, b"012"),
    ],
)
async def test_log_is_read_whole_or_in_part(options: dict[str, int], sent: dict[str, str], expected: bytes) -> None:
    api = FakeApi().on("GET", SIGNED["archivist"], httpx2.Response(200, content=b"0123456789"))
    assert await client_for(api).plans.read_log(plan_with_log(SIGNED["archivist"]), **options) == expected
    assert query(api.requests[0]) == sent


@pytest.mark.anyio
async def test_range_parameters_are_added_to_the_signed_query() -> None:
    address = SIGNED["query-signed"]
    api = FakeApi().on("GET", address.partition("?")[0], httpx2.Response(200, content=b"01"))
    await client_for(api).plans.read_log(plan_with_log(address), max_bytes=2)
    sent = query(api.requests[0])
    assert sent["X-Amz-Signature"] == OBJECT_KEY
    assert sent["limit"] == "2"


@pytest.mark.anyio
async def test_signed_url_is_requested_unchanged() -> None:
    """The signature may cover the exact query string."""
    address = "https://logs.example.com/a%20b/plan.log?sig=a%2Fb%20c+d%3D&se=2026-01-02T03%3A04%3A05Z&flag&empty="
    api = FakeApi().on("GET", address.partition("?")[0], httpx2.Response(200, content=b"log"))
    assert await client_for(api).plans.read_log(plan_with_log(address)) == b"log"
    assert str(api.requests[0].url) == address


@pytest.mark.anyio
@rows("address", ["", "nonsense", "https://[::1", "https://", "ftp://x/y", "https://x:99999/", "http://a b/", "\x00"])
async def test_invalid_log_url_is_unexpected(address: str) -> None:
    api = FakeApi()
    with pytest.raises(UnexpectedResponse):
        await client_for(api).plans.read_log(plan_with_log(address))
    assert len(api.requests) <= 1


@pytest.mark.anyio
async def test_log_that_has_not_started_is_empty() -> None:
    api = FakeApi()
    plan = Plan.from_wire({"id": "plan-1", "type": "plans", "attributes": {"status": "pending"}})
    assert await client_for(api).plans.read_log(plan) == b""
    assert api.requests == []


# -- what is never shown ----------------------------------------------------------------------------------------------


def all_texts_of(failure: BaseException) -> str:
    """Everything that a person, a program or a traceback can see of an error."""
    shown = [str(failure), repr(failure), *traceback.format_exception(failure)]
    if isinstance(failure, TfrunsError):
        shown += [repr(failure.as_dict()), failure.message, failure.cause, failure.solution]
    return "\n".join(shown)


def _words(token: str) -> str:
    return f"The token {token} (Bearer {token}) may not read {SIGNED['archivist']} nor {SIGNED['query-signed']}"


def _failures(token: str) -> dict[str, Script]:
    shown = _words(token)
    request = httpx2.Request("GET", SIGNED["query-signed"], headers={"authorization": f"Bearer {token}"})
    kinds: list[type[httpx2.RequestError]] = [
        httpx2.ConnectError,
        httpx2.ConnectTimeout,
        httpx2.PoolTimeout,
        httpx2.ProxyError,
        httpx2.ReadTimeout,
        httpx2.ReadError,
        httpx2.WriteError,
        httpx2.WriteTimeout,
        httpx2.CloseError,
        httpx2.RemoteProtocolError,
        httpx2.LocalProtocolError,
        httpx2.UnsupportedProtocol,
        httpx2.DecodingError,
    ]
    table: dict[str, Script] = {kind.__name__: kind(shown, request=request) for kind in kinds}
    for status in (400, 401, 403, 404, 409, 422, 429, 500, 502, 503, 504):
        table[str(status)] = error(status, shown, shown)
    table["html"] = httpx2.Response(200, html=f"<title>{shown}</title>{shown}")
    table["html-error"] = httpx2.Response(503, html=f"<title>{shown}</title>{shown}")
    table["text"] = httpx2.Response(200, text=shown)
    table["truncated"] = httpx2.Response(200, text=f'{{"data": "{shown}')
    table["another-type"] = answer({"data": {"type": shown, "id": shown}})
    table["wrong-values"] = answer({"data": run(variables=shown, message=[shown], created_at=shown)})
    table["redirect"] = moved(SIGNED["query-signed"])
    table["redirect-off-the-web"] = moved(f"ftp://{token}@files.example.com/{OBJECT_KEY}")
    return table


_ASK: dict[str, Callable[[Client], Awaitable[Any]]] = {
    "read": lambda client: client.runs.read(RUN_ID),
    "list": lambda client: client.runs.list_for_workspace("ws-1").page(),
    "create": lambda client: client.runs.create("ws-1"),
    "action": lambda client: client.runs.cancel(RUN_ID),
    "log": lambda client: client.plans.read_log(plan_with_log(SIGNED["query-signed"])),
    "plan json": lambda client: client.plans.read_json("plan-8F5JFydVYAmtTjET"),
}


@pytest.mark.anyio
@rows("token", [TOKEN, OPAQUE_TOKEN], ids=["api-token", "opaque-token"])
@rows("ask", _ASK)
@rows("kind", _failures(TOKEN))
async def test_errors_and_logs_show_no_token_and_no_signed_url(
    kind: str, ask: str, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    failure = _failures(token)[kind]

    class AlwaysFails(FakeApi):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if isinstance(failure, Exception):
                raise failure
            assert isinstance(failure, httpx2.Response)
            return httpx2.Response(failure.status_code, headers=failure.headers, content=failure.content)

    client = client_for(AlwaysFails(), token=token)
    shown = ""
    try:
        await _ASK[ask](client)
    except TfrunsError as caught:
        shown = all_texts_of(caught)
    shown += caplog.text + "".join(repr(record.args) for record in caplog.records)
    assert token not in shown
    assert OBJECT_KEY not in shown


@pytest.mark.anyio
async def test_log_line_of_a_download_hides_its_url(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    api = FakeApi().on("GET", PLAN_JSON, moved(SIGNED["archivist"], 307))
    api.on("GET", SIGNED["archivist"], httpx2.Response(200, content=b"{}"))
    await client_for(api).plans.read_json("plan-8F5JFydVYAmtTjET")
    assert OBJECT_KEY not in caplog.text
    assert "archivist.terraform.io" in caplog.text, "the host of an address stays readable"


@pytest.mark.anyio
async def test_ambiguous_failure_hides_the_http_librarys_text() -> None:
    shown = _words(TOKEN)
    api = FakeApi().on("POST", "/runs", httpx2.ReadTimeout(shown))
    with pytest.raises(AttemptFailed) as caught:
        await transport_for(api).post("/api/v2/runs", {})
    assert TOKEN not in f"{caught.value} {caught.value!r} {all_texts_of(caught.value.error)}"


def test_repr_never_shows_the_token() -> None:
    client = client_for(FakeApi())
    parts = [client, client.settings, client.settings.credentials, client.settings.credentials.token, client.runs]
    assert TOKEN not in repr(parts) + str([vars(part) for part in (client, client.runs)])


def test_repr_of_a_plan_hides_the_log_url() -> None:
    assert OBJECT_KEY not in repr(plan_with_log(SIGNED["archivist"]))

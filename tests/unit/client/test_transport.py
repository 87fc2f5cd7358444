"""Requests on the wire, and the expected responses."""

import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx2
import pytest

from tests.support.api import ADDRESS, HOST, TOKEN, FakeApi, answer, body, client_for, error, query
from tests.support.clock import FakeClock
from tests.support.samples import RUN_ID, page, run, user
from tests.support.tables import rows
from tfruns.client.retries import AttemptFailed
from tfruns.client.settings import load_settings
from tfruns.client.transport import ExpectedResponse, Transport
from tfruns.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NoCredentials,
    NotFound,
    RateLimited,
    ServerError,
    TfrunsError,
    Unauthorized,
    UnexpectedResponse,
    UnprocessableEntity,
)

RUN_PATH = f"/runs/{RUN_ID}"


def transport_for(api: httpx2.AsyncBaseTransport, *, token: str | None = TOKEN) -> Transport:
    return Transport(load_settings(ADDRESS, token), http_transport=api, clock=FakeClock())


def raw(status: int, content: bytes, content_type: str = "application/vnd.api+json") -> httpx2.Response:
    return httpx2.Response(status, content=content, headers={"content-type": content_type, "x-request-id": "req-123"})


# -- what is sent -----------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_read_sends_the_token_and_accepts_json_api() -> None:
    api = FakeApi().on("GET", RUN_PATH, answer({"data": run()}))
    await transport_for(api).get(f"/api/v2{RUN_PATH}", {"include": "plan,workspace", "page[size]": 5})
    (request,) = api.requests
    assert str(request.url).startswith(f"{ADDRESS}/api/v2{RUN_PATH}?")
    assert query(request) == {"include": "plan,workspace", "page[size]": "5"}
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert request.headers["accept"] == "application/vnd.api+json"
    assert request.headers["user-agent"].startswith("tfruns/")
    assert request.headers["host"] == HOST
    assert request.content == b""
    assert "content-type" not in request.headers


@pytest.mark.anyio
async def test_change_is_sent_as_json_api() -> None:
    api = FakeApi().on("POST", "/runs", answer({"data": run()}, 201))
    await transport_for(api).post("/api/v2/runs", {"data": {"type": "runs"}})
    (request,) = api.requests
    assert request.headers["content-type"] == "application/vnd.api+json"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert body(request) == {"data": {"type": "runs"}}


@pytest.mark.anyio
async def test_every_phase_of_a_request_has_a_timeout() -> None:
    api = FakeApi().on("GET", "/account/details", answer({"data": user()}))
    await transport_for(api).get("/api/v2/account/details")
    timeouts = api.requests[0].extensions["timeout"]
    assert set(timeouts) == {"connect", "read", "write", "pool"}
    assert all(isinstance(seconds, float) and 0 < seconds <= 60 for seconds in timeouts.values())


_CALLS: dict[str, Callable[[Transport], Awaitable[object]]] = {
    "get": lambda transport: transport.get("/api/v2/runs"),
    "post": lambda transport: transport.post("/api/v2/runs", {}),
    "download": lambda transport: transport.download("/api/v2/plans/plan-1/json-output"),
}


@pytest.mark.anyio
@pytest.mark.parametrize("call", _CALLS)
async def test_missing_token_sends_nothing_and_explains_how_to_set_one(call: str) -> None:
    api = FakeApi()
    with pytest.raises(NoCredentials) as caught:
        await _CALLS[call](transport_for(api, token=None))
    assert api.requests == []
    assert HOST in caught.value.message
    for way in ("terraform login", "TFE_TOKEN", "TF_TOKEN_", "TF_CLI_CONFIG_FILE"):
        assert way in caught.value.solution


# -- what an answer has to be -----------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_response_has_its_document_and_the_servers_time() -> None:
    api = FakeApi().on("GET", RUN_PATH, answer({"data": run()}, date="Fri, 02 Jan 2026 03:04:05 GMT"))
    got = await transport_for(api).get(f"/api/v2{RUN_PATH}")
    assert got.document == {"data": run()}
    assert got.date is not None
    assert got.date.isoformat() == "2026-01-02T03:04:05+00:00"


@pytest.mark.anyio
@rows(
    "date",
    [
        None,
        "",
        "yesterday",
        "Fri, 32 Jan 2026 03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04:05",
        "Fri, 02 Jan 99999999999999999999 03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04:05 +99999999999999999999",
    ],
)
async def test_missing_or_malformed_date_header_is_ignored(date: str | None) -> None:
    response = answer({"data": run()})
    if date is not None:
        response.headers["date"] = date
    got = await transport_for(FakeApi().on("GET", RUN_PATH, response)).get(f"/api/v2{RUN_PATH}")
    assert got.document == {"data": run()}
    assert got.date is None or got.date.tzinfo is not None


@pytest.mark.anyio
@rows(
    "response",
    [
        pytest.param(raw(200, b'{"data": {"id": "run-'), id="truncated"),
        pytest.param(raw(200, b""), id="empty"),
        pytest.param(httpx2.Response(204, headers={"x-request-id": "req-123"}), id="204"),
        pytest.param(raw(200, b"ok", "text/plain"), id="text"),
        pytest.param(raw(200, b"\xff\xfe{}"), id="not-unicode"),
        pytest.param(raw(200, b"[" * 100_000), id="deeply-nested-and-open"),
        pytest.param(raw(200, b"[" * 100_000 + b"]" * 100_000), id="deeply-nested"),
    ],
)
async def test_read_without_json_fails_with_status_and_request_id(response: httpx2.Response) -> None:
    with pytest.raises(UnexpectedResponse) as caught:
        await transport_for(FakeApi().on("GET", RUN_PATH, response)).get(f"/api/v2{RUN_PATH}")
    assert caught.value.status == response.status_code
    assert caught.value.request_id == "req-123"
    assert RUN_ID in caught.value.message


@pytest.mark.anyio
@rows(
    "document",
    [
        None,
        5,
        "text",
        [],
        {},
        {"data": None},
        {"data": []},
        {"data": 5},
        {"data": {"type": "runs"}},
        {"data": {"type": "workspaces", "id": "ws-1", "attributes": {}}},
        {"data": {"type": "runs", "id": None, "attributes": {"status": "planned"}}},
        {"data": {"type": "runs", "id": 5, "attributes": {"status": "planned"}}},
        {"data": {"type": "runs", "id": RUN_ID, "attributes": []}},
        {"data": {"type": "runs", "id": RUN_ID, "attributes": ["status"]}},
        {"data": {"type": "runs", "id": RUN_ID, "attributes": {"status": 5}}},
        {"data": {"type": "runs", "id": RUN_ID, "attributes": {"status": "planned", "created-at": "soon"}}},
        {"data": {"type": "runs", "id": RUN_ID, "attributes": {"status": "planned", "actions": 7}}},
        {"data": {"type": "runs", "id": RUN_ID, "attributes": {"status": "planned"}, "relationships": "none"}},
    ],
    ids=lambda document: json.dumps(document)[:60],
)
async def test_json_that_is_not_a_run_is_unexpected(document: Any) -> None:
    client = client_for(FakeApi().on("GET", RUN_PATH, answer(document)))
    with pytest.raises(UnexpectedResponse):
        await client.runs.read(RUN_ID)


@pytest.mark.anyio
@rows("included", [None, 5, "text", {}, [5], [{"type": [], "id": {}}], [{"type": "plans"}]], ids=str)
async def test_malformed_included_resources_are_ignored_or_unexpected(included: Any) -> None:
    client = client_for(FakeApi().on("GET", RUN_PATH, answer({"data": run(), "included": included})))
    with contextlib.suppress(UnexpectedResponse):
        assert (await client.runs.read(RUN_ID)).id == RUN_ID


@pytest.mark.anyio
async def test_shape_error_does_not_repeat_values() -> None:
    odd = run(variables=[{"key": "password", "value": ["hunter2-the-secret"]}])
    with pytest.raises(UnexpectedResponse) as caught:
        await client_for(FakeApi().on("GET", RUN_PATH, answer({"data": odd}))).runs.read(RUN_ID)
    assert "hunter2" not in f"{caught.value!r} {caught.value} {caught.value.as_dict()}"
    assert "variables" in caught.value.message


@pytest.mark.anyio
@rows("field", sorted(set(run()["attributes"]) - {"status"}))
async def test_null_field_counts_as_omitted(field: str) -> None:
    resource = run()
    resource["attributes"][field] = None
    got = await client_for(FakeApi().on("GET", RUN_PATH, answer({"data": resource}))).runs.read(RUN_ID)
    assert got.id == RUN_ID


@pytest.mark.anyio
async def test_sign_in_page_is_unexpected_and_its_title_is_shown() -> None:
    html = raw(200, b"<html><head><title>\n Sign in to Acme\n</title></head></html>", "text/html; charset=utf-8")
    with pytest.raises(UnexpectedResponse) as caught:
        await transport_for(FakeApi().on("GET", RUN_PATH, html)).get(f"/api/v2{RUN_PATH}")
    assert "Sign in to Acme" in caught.value.message
    assert "HTML" in caught.value.message
    assert caught.value.request_id == "req-123"


@pytest.mark.anyio
async def test_change_response_may_have_no_body() -> None:
    api = FakeApi().on("POST", f"{RUN_PATH}/actions/apply", httpx2.Response(202))
    expected = ExpectedResponse(empty_status=202)
    answered = await transport_for(api).post(f"/api/v2{RUN_PATH}/actions/apply", {}, expected=expected)
    assert answered.document is None


# -- what the API refuses ---------------------------------------------------------------------------------------------

_REFUSALS: list[tuple[int, type[ApiError], str, bool]] = [
    (400, BadRequest, "bad_request", False),
    (401, Unauthorized, "unauthorized", False),
    (403, Forbidden, "forbidden", False),
    (404, NotFound, "not_found", False),
    (409, Conflict, "conflict", False),
    (410, ApiError, "api_error", False),
    (422, UnprocessableEntity, "unprocessable_entity", False),
    (429, RateLimited, "rate_limited", True),
    (500, ServerError, "server_error", True),
    (502, ServerError, "server_error", True),
    (503, ServerError, "server_error", True),
    (504, ServerError, "server_error", True),
    (599, ServerError, "server_error", True),
]


@pytest.mark.anyio
@rows(("status", "kind", "code", "is_retryable"), _REFUSALS)
async def test_refusal_has_all_fields_of_an_error(
    status: int, kind: type[ApiError], code: str, is_retryable: bool
) -> None:
    api = FakeApi().on("GET", RUN_PATH, error(status, "the title", "the detail"))
    with pytest.raises(TfrunsError) as caught:
        await transport_for(api).get(f"/api/v2{RUN_PATH}")
    failure = caught.value
    assert type(failure) is kind
    assert (failure.status, failure.code, failure.is_retryable) == (status, code, is_retryable)
    assert "the title" in failure.message
    assert "the detail" in failure.message
    assert failure.cause
    assert failure.solution
    assert failure.request_id == "req-123"
    assert failure.as_dict()["request_id"] == "req-123"
    assert failure.as_dict()["status"] == status


@pytest.mark.anyio
@rows(("status", "kind", "code", "is_retryable"), _REFUSALS)
@rows("content", [b"", b"upstream failed", b"null", b"[]", b'{"errors": [null, 5]}', b'{"err'])
async def test_refusal_without_a_text_has_its_status(
    status: int, kind: type[ApiError], code: str, is_retryable: bool, content: bytes
) -> None:
    api = FakeApi().on("GET", RUN_PATH, raw(status, content))
    with pytest.raises(kind) as caught:
        await transport_for(api).get(f"/api/v2{RUN_PATH}")
    assert str(status) in caught.value.message
    assert caught.value.status == status


@pytest.mark.anyio
@rows("status", [500, 502, 503, 504])
async def test_html_page_with_a_5xx_is_a_server_error(status: int) -> None:
    api = FakeApi().on("GET", RUN_PATH, raw(status, b"<title>Bad gateway</title>", "text/html"))
    with pytest.raises(ServerError) as caught:
        await transport_for(api).get(f"/api/v2{RUN_PATH}")
    assert caught.value.status == status
    assert "HTML" in caught.value.message


@pytest.mark.anyio
async def test_html_404_page_suggests_a_wrong_address() -> None:
    api = FakeApi().on("GET", RUN_PATH, raw(404, b"<title>Page not found</title>", "text/html"))
    with pytest.raises(UnexpectedResponse, match="Page not found") as caught:
        await transport_for(api).get(f"/api/v2{RUN_PATH}")
    assert caught.value.status == 404
    assert "TFE_ADDRESS" in caught.value.solution


# -- the life of a client ---------------------------------------------------------------------------------------------


class CountedApi(FakeApi):
    """Count the number of slow closes."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = 0
        self.on("GET", RUN_PATH, answer({"data": run()}))

    async def __aenter__(self) -> "CountedApi":
        await anyio.lowlevel.checkpoint()
        return self

    async def aclose(self) -> None:
        await anyio.lowlevel.checkpoint()
        self.closed += 1


@pytest.mark.anyio
async def test_unused_client_can_be_closed() -> None:
    api = CountedApi()
    async with client_for(api):
        pass
    assert api.closed == 0


@pytest.mark.anyio
async def test_concurrent_calls_share_one_connection_pool() -> None:
    api = CountedApi()
    async with client_for(api) as client, anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(client.runs.read, RUN_ID)
    assert len(api.requests) == 5
    assert api.closed == 1


@pytest.mark.anyio
async def test_closed_client_can_be_closed_again_and_reused() -> None:
    api = CountedApi()
    client = client_for(api)
    await client.runs.read(RUN_ID)
    await client.aclose()
    await client.aclose()
    assert api.closed == 1
    assert (await client.runs.read(RUN_ID)).id == RUN_ID
    await client.aclose()
    assert api.closed == 2


@pytest.mark.anyio
async def test_call_started_during_close_keeps_its_connections() -> None:
    closing, reused = anyio.Event(), anyio.Event()

    class SlowToClose(CountedApi):
        async def aclose(self) -> None:
            if not closing.is_set():
                closing.set()
                await reused.wait()
            await super().aclose()

    api = SlowToClose()
    client = client_for(api)
    await client.runs.read(RUN_ID)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.aclose)
            await closing.wait()
            await client.runs.read(RUN_ID)
            reused.set()
    assert api.closed == 1
    await client.aclose()
    assert api.closed == 2


@pytest.mark.parametrize("calls_at_once", [1, 3])
def test_closed_client_works_in_another_event_loop(calls_at_once: int) -> None:
    api = FakeApi().on("GET", RUN_PATH, answer({"data": run()}))
    client = client_for(api)

    async def use() -> None:
        async with client, anyio.create_task_group() as tasks:
            for _ in range(calls_at_once):
                tasks.start_soon(client.runs.read, RUN_ID)

    anyio.run(use)
    anyio.run(use)
    assert len(api.requests) == 2 * calls_at_once


@pytest.mark.anyio
async def test_clients_share_no_state() -> None:
    first, second = FakeApi(), FakeApi()
    for api in (first, second):
        api.on("GET", RUN_PATH, answer({"data": run()}))
    async with client_for(first) as one, client_for(second, token="another.atlasv1.token") as other:
        await one.aclose()
        await other.runs.read(RUN_ID)
    assert first.requests == []
    assert second.requests[0].headers["authorization"] == "Bearer another.atlasv1.token"


@pytest.mark.anyio
async def test_cancelled_call_leaves_the_client_usable() -> None:
    never = anyio.Event()

    class HangsOnce(FakeApi):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if not self.requests:
                self.requests.append(request)
                await never.wait()
            return await super().handle_async_request(request)

    api = HangsOnce()
    api.on("GET", RUN_PATH, answer({"data": run()}))
    client = client_for(api)
    with anyio.move_on_after(0.01) as scope:
        await client.runs.read(RUN_ID)
    assert scope.cancelled_caught
    assert len(api.requests) == 1
    assert (await client.runs.read(RUN_ID)).id == RUN_ID


# -- what the environment can spoil -----------------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSL_CERT_FILE", "/no/such/file.pem"),
        ("TFE_CA_FILE", "/no/such/file.pem"),
        ("HTTPS_PROXY", "ftp://proxy.example.com"),
        ("ALL_PROXY", "socks5://proxy.example.com:1080"),
    ],
)
async def test_unusable_environment_setting_is_named_in_the_error(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    transport = Transport(load_settings("https://tfe.invalid", TOKEN), clock=FakeClock())
    with pytest.raises(TfrunsError) as caught:
        await transport.get("/api/v2/account/details")
    await transport.aclose()
    assert name in f"{caught.value} {caught.value.cause}"


@pytest.mark.anyio
async def test_ambiguous_change_raises_attempt_failed() -> None:
    api = FakeApi().on("POST", "/runs", httpx2.ReadTimeout("no answer"))
    with pytest.raises(AttemptFailed) as caught:
        await transport_for(api).post("/api/v2/runs", {})
    assert caught.value.is_ambiguous
    assert len(api.requests) == 1


@pytest.mark.anyio
async def test_list_is_read_with_the_requested_size() -> None:
    api = FakeApi().on("GET", "/organizations/acme/runs", answer(page(run())))
    listed = await client_for(api).runs.list_for_organization("acme").page(3, size=7)
    assert [item.id for item in listed.items] == [RUN_ID]
    assert query(api.requests[0]) == {"page[number]": "3", "page[size]": "7"}

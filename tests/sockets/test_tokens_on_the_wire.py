"""The servers that receive the token."""

import logging
from collections.abc import Callable

import pytest

from tests.sockets.servers import Answer, Received, document, web_server
from tests.support.api import TOKEN
from tests.support.samples import RUN_ID, run
from tfruns.client.client import Client
from tfruns.errors import OutcomeUnknown, UnexpectedResponse

Connect = Callable[[str], Client]
OBJECT_KEY = "dmF1bHQ6djE6c2lnbmVkT2JqZWN0S2V5"
PLAN_ID = "plan-8F5JFydVYAmtTjET"


def redirect(location: str, status: int = 307) -> Answer:
    return Answer(status, b"", {"location": location})


def carries_token(request: Received) -> bool:
    return any(TOKEN in value for value in (*request.headers.values(), request.path, request.body.decode()))


@pytest.mark.anyio
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_to_another_port_is_not_followed(status: int, connect: Connect) -> None:
    with (
        web_server(document({"data": run()})) as other,
        web_server(lambda request: redirect(f"{other.address}{request.path}", status)) as api,
    ):
        async with connect(api.address) as client:
            with pytest.raises(UnexpectedResponse, match="redirect"):
                await client.runs.read(RUN_ID)
            with pytest.raises(OutcomeUnknown, match="redirect"):
                await client.runs.create("ws-1234")
        assert other.received == []
        assert other.connections == 0
        assert all(carries_token(request) for request in api.received)


@pytest.mark.anyio
async def test_download_follows_a_redirect_in_the_api_with_the_token(connect: Connect) -> None:
    def respond(request: Received) -> Answer:
        return Answer(200, b"{}") if request.path == "/api/v2/moved" else redirect("/api/v2/moved")

    with web_server(respond) as api:
        async with connect(api.address) as client:
            assert await client.plans.read_json(PLAN_ID) == b"{}"
        assert [carries_token(request) for request in api.received] == [True, True]


@pytest.mark.anyio
async def test_log_download_sends_no_token_and_logs_no_url(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with web_server(Answer(200, b"\x02a log\x03")) as store:
        signed = f"{store.address}/_archivist/v1/object/{OBJECT_KEY}"
        attributes = {"status": "finished", "log-read-url": signed}
        plan = document({"data": {"id": PLAN_ID, "type": "plans", "attributes": attributes}})
        with web_server(plan) as api:
            async with connect(api.address) as client:
                log = await client.plans.read_log(await client.plans.read(PLAN_ID), offset=0, max_bytes=100)
            assert log == b"\x02a log\x03"
            assert carries_token(api.received[0])
        assert [request.path for request in store.received] == [
            f"/_archivist/v1/object/{OBJECT_KEY}?limit=100&offset=0"
        ]
        assert not carries_token(store.received[0])
    assert TOKEN not in caplog.text
    assert OBJECT_KEY not in caplog.text


@pytest.mark.anyio
async def test_blob_download_sends_no_token_and_logs_no_url(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        web_server(Answer(200, b"{}")) as store,
        web_server(redirect(f"{store.address}/blob?X-Amz-Signature={OBJECT_KEY}")) as api,
    ):
        async with connect(api.address) as client:
            assert await client.plans.read_json(PLAN_ID) == b"{}"
        assert [carries_token(request) for request in api.received] == [True]
        assert [request.path for request in store.received] == [f"/blob?X-Amz-Signature={OBJECT_KEY}"]
        assert not carries_token(store.received[0])
    assert TOKEN not in caplog.text
    assert OBJECT_KEY not in caplog.text


@pytest.mark.anyio
async def test_api_cookie_is_not_sent_to_the_object_store(connect: Connect) -> None:
    with web_server(Answer(200, b"{}")) as store:
        signed_in = Answer(
            307, b"", {"location": f"{store.address}/blob", "set-cookie": "session=secretCookie; Path=/"}
        )
        with web_server(signed_in) as api:
            async with connect(api.address) as client:
                await client.plans.read_json(PLAN_ID)
        assert "cookie" not in store.received[0].headers

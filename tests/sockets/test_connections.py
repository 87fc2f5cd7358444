"""Connections: refused, unresolvable, kept alive, lost."""

import gzip
import json
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import anyio
import pytest

from tests.sockets.servers import Answer, Received, cut, document, unused_port, web_server
from tests.support.samples import RUN_ID, WORKSPACE_ID, page, run, user
from tfruns.client.client import Client
from tfruns.errors import (
    ConnectionFailed,
    ConnectionLost,
    HostNotFound,
    InvalidInput,
    OutcomeUnknown,
    UnexpectedResponse,
)
from tfruns.wire.run_params import RunParams

Connect = Callable[[str], Client]
ACCOUNT = document({"data": user()})


# -- no connection ----------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_closed_port_refuses_the_connection(connect: Connect) -> None:
    port = unused_port()
    async with connect(f"http://127.0.0.1:{port}") as client:
        with anyio.fail_after(20), pytest.raises(ConnectionFailed, match="refused") as caught:
            await client.account.read()
    assert type(caught.value) is ConnectionFailed
    assert f"127.0.0.1:{port}" in caught.value.message
    assert caught.value.is_retryable


@pytest.mark.anyio
async def test_run_is_certainly_not_created_without_a_connection(connect: Connect) -> None:
    async with connect(f"http://127.0.0.1:{unused_port()}") as client:
        with anyio.fail_after(20), pytest.raises(ConnectionFailed):
            await client.runs.create(WORKSPACE_ID)


@pytest.mark.anyio
async def test_unresolvable_host_is_host_not_found(connect: Connect) -> None:
    # RFC 6761: names below .invalid never resolve
    async with connect("https://tfe.invalid") as client:
        with anyio.fail_after(60), pytest.raises(HostNotFound, match=r"tfe\.invalid") as caught:
            await client.account.read()
    assert "TFE_ADDRESS" in caught.value.solution


# -- keep-alive -------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_many_reads_use_one_connection(connect: Connect) -> None:
    with web_server(ACCOUNT) as server:
        async with connect(server.address) as client:
            for _ in range(50):
                assert (await client.account.read()).username == "operator"
        assert len(server.received) == 50
        assert server.connections == 1


@pytest.mark.anyio
async def test_calls_at_once_use_as_many_connections_as_they_need_and_keep_them(connect: Connect) -> None:
    with web_server(ACCOUNT) as server:
        async with connect(server.address) as client:
            for _ in range(5):
                async with anyio.create_task_group() as tasks:
                    for _ in range(10):
                        tasks.start_soon(client.account.read)
        assert len(server.received) == 50
        assert server.connections <= 10


@pytest.mark.anyio
async def test_closed_client_reconnects_when_used_again(connect: Connect) -> None:
    with web_server(ACCOUNT) as server:
        client = connect(server.address)
        await client.account.read()
        await client.aclose()
        assert await anyio.to_thread.run_sync(server.closed.wait, 5)
        await client.account.read()
        await client.aclose()
        assert server.connections == 2


def test_client_works_in_several_event_loops_if_closed_between(connect: Connect) -> None:
    async def use() -> None:
        async with client, anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(client.account.read)

    with web_server(ACCOUNT) as server:
        client = connect(server.address)
        anyio.run(use)
        anyio.run(use)
        assert len(server.received) == 6


@pytest.mark.anyio
async def test_connection_closed_by_the_server_is_replaced(
    connect: Connect,
) -> None:
    def respond(request: Received) -> Answer:
        if request.method == "POST":
            return document({"data": run()}, 201)
        return Answer(200, ACCOUNT.body, ACCOUNT.headers, is_closed=True)

    with web_server(respond) as server:
        async with connect(server.address) as client:
            await client.account.read()
            assert await anyio.to_thread.run_sync(server.closed.wait, 5)
            await anyio.sleep(0.05)  # the end of the connection is on its way through the kernel
            assert (await client.runs.create(WORKSPACE_ID)).id == RUN_ID
        assert [request.method for request in server.received] == ["GET", "POST"]
        assert server.connections == 2


# -- broken answers ---------------------------------------------------------------------------------------------------

_BREAKS = {
    "cut in mid-body": cut(200, b'{"data": {"id"', 5000),
    "cut before the body": cut(200, b"", 5000),
    "reset": Answer(is_reset=True),
    "cut in a chunk": Answer(
        200, b"ff\r\n{", {"content-type": "application/json", "transfer-encoding": "chunked"}, is_closed=True
    ),
}


@pytest.mark.anyio
@pytest.mark.parametrize("kind", _BREAKS)
async def test_read_with_lost_connections_is_retried_and_fails(connect: Connect, kind: str) -> None:
    with web_server(_BREAKS[kind]) as server:
        async with connect(server.address) as client:
            with anyio.fail_after(20), pytest.raises(ConnectionLost):
                await client.account.read()
        assert 3 <= len(server.received) <= 6


@pytest.mark.anyio
@pytest.mark.parametrize("kind", _BREAKS)
async def test_read_with_one_lost_connection_succeeds(connect: Connect, kind: str) -> None:
    answers = [_BREAKS[kind], ACCOUNT]
    with web_server(lambda _: answers.pop(0)) as server:
        async with connect(server.address) as client:
            with anyio.fail_after(20):
                assert (await client.account.read()).username == "operator"


@pytest.mark.anyio
@pytest.mark.parametrize("break_", [*_BREAKS.values(), cut(201, b'{"data": {"id": "run-', 5000)])
async def test_run_of_a_lost_response_is_found_by_the_servers_clock(connect: Connect, break_: Answer) -> None:
    """The client's clock is a year off; every response has the server's time."""

    def respond(request: Received) -> Answer:
        if request.method == "POST":
            return break_
        made = page(
            run(
                message="Queued manually via the Terraform Enterprise API",
                refresh=True,
                created_at=datetime.now(UTC).isoformat(),
            )
        )
        return document(made)

    with web_server(respond) as server:
        async with connect(server.address) as client:
            with anyio.fail_after(20):
                assert (await client.runs.create(WORKSPACE_ID)).id == RUN_ID
        assert [request.method for request in server.received].count("POST") == 1


@pytest.mark.anyio
@pytest.mark.parametrize("kind", _BREAKS)
async def test_missing_run_of_a_lost_response_is_never_created_twice(connect: Connect, kind: str) -> None:
    with web_server(lambda request: _BREAKS[kind] if request.method == "POST" else document(page())) as server:
        async with connect(server.address) as client:
            with anyio.fail_after(20), pytest.raises(OutcomeUnknown):
                await client.runs.create(WORKSPACE_ID)
        assert [request.method for request in server.received].count("POST") == 1


@pytest.mark.anyio
async def test_truncated_json_of_the_announced_length_is_an_unexpected_response(connect: Connect) -> None:
    truncated = Answer(200, b'{"data": {"id": "user-', {"content-type": "application/vnd.api+json"})
    with web_server(truncated) as server:
        async with connect(server.address) as client:
            with pytest.raises(UnexpectedResponse, match="JSON"):
                await client.account.read()


@pytest.mark.anyio
async def test_sign_in_page_is_unexpected_with_its_title(connect: Connect) -> None:
    html = Answer(200, b"<html><title>Sign in to Acme</title></html>", {"content-type": "text/html"})
    with web_server(html) as server:
        async with connect(server.address) as client:
            with pytest.raises(UnexpectedResponse, match="Sign in to Acme"):
                await client.account.read()


@pytest.mark.anyio
async def test_compressed_response_is_read(connect: Connect) -> None:
    compressed = Answer(200, gzip.compress(ACCOUNT.body), {**ACCOUNT.headers, "content-encoding": "gzip"})
    with web_server(compressed) as server:
        async with connect(server.address) as client:
            assert (await client.account.read()).username == "operator"


@pytest.mark.anyio
async def test_damaged_compression_is_unexpected(connect: Connect) -> None:
    damaged = Answer(200, b"not gzip at all", {**ACCOUNT.headers, "content-encoding": "gzip"})
    with web_server(damaged) as server:
        async with connect(server.address) as client:
            with anyio.fail_after(20), pytest.raises(UnexpectedResponse, match="cannot be decompressed"):
                await client.account.read()


@pytest.mark.anyio
async def test_response_that_is_not_http_is_a_tfruns_error(connect: Connect) -> None:
    with web_server(Answer(200, b"", {"transfer-encoding": "gibberish"}, is_closed=True)) as server:
        async with connect(server.address) as client:
            with anyio.fail_after(20), pytest.raises((ConnectionLost, UnexpectedResponse)):
                await client.account.read()


@pytest.mark.anyio
async def test_call_cancelled_while_waiting_leaves_the_client_usable(connect: Connect) -> None:
    thinking, done = threading.Event(), threading.Event()

    def respond(request: Received) -> Answer:
        if not thinking.is_set():
            thinking.set()
            done.wait(5)
        return ACCOUNT

    with web_server(respond) as server:
        async with connect(server.address) as client:
            with anyio.move_on_after(5) as scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(client.account.read)
                    await anyio.to_thread.run_sync(thinking.wait, 5)
                    scope.cancel()
            assert scope.cancelled_caught
            assert (await client.account.read()).username == "operator"
            done.set()


@pytest.mark.anyio
async def test_localhost_on_another_machine_gets_no_token(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0)), (socket.AF_INET, 1, 6, "", ("10.0.0.1", 0))]

    async def resolved(*_: object, **__: object) -> object:
        return found

    monkeypatch.setattr(anyio, "getaddrinfo", resolved)
    with web_server(document({"data": run()})) as server:
        async with connect(server.address.replace("127.0.0.1", "localhost")) as client:
            with pytest.raises(InvalidInput, match="localhost resolves to another machine"):
                await client.runs.read(RUN_ID)
            with pytest.raises(InvalidInput, match="localhost resolves to another machine"):
                await client.runs.apply(RUN_ID)
            found.pop()
            assert (await client.runs.read(RUN_ID)).id == RUN_ID
        assert len(server.received) == 1


@pytest.mark.anyio
async def test_duplicate_response_never_answers_the_next_request(connect: Connect) -> None:
    """The second response arrives before the next request is sent, and would be read as its response."""
    created: list[str] = []

    def respond(request: Received) -> Answer:
        if request.method == "GET":
            content = json.dumps({"data": run(request.path.rsplit("/", 1)[1])}).encode()
        else:
            created.append(f"run-{len(created)}")
            attributes = json.loads(request.body)["data"]["attributes"]
            content = json.dumps({"data": run(created[-1], **attributes, workspace_id="ws-1")}).encode()
        again = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(content)
        return Answer(200, content + again + content, {"content-length": str(len(content))})

    with web_server(respond) as server:
        async with connect(server.address) as client:
            for number in range(20):
                made = await client.runs.create("ws-1", RunParams(message=f"m{number}"))
                assert (made.id, made.message) == (f"run-{number}", f"m{number}")
                assert (await client.runs.read(f"run-r{number}")).id == f"run-r{number}"
    assert len(created) == 20

"""Proxies from the environment."""

import base64
from collections.abc import Callable

import anyio
import pytest

from tests.sockets.conftest import Certificate
from tests.sockets.servers import document, proxy, unused_port, web_server
from tests.support.api import TOKEN
from tests.support.samples import user
from tfruns.client.client import Client
from tfruns.errors import ConnectionFailed, TfrunsError

Connect = Callable[[str], Client]
ACCOUNT = document({"data": user()})
NAME = "tfe.example.test"  # RFC 6761: never resolves, so only a proxy can lead there


@pytest.mark.anyio
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
async def test_https_goes_through_a_tunnel_in_which_the_proxy_sees_no_token(
    variable: str, connect: Connect, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFE_CA_FILE", str(certificate.ca_file))
    with (
        web_server(ACCOUNT, context=certificate.context) as server,
        proxy(upstream_port=server.server_port) as between,
    ):
        monkeypatch.setenv(variable, f"http://{between.netloc}")
        async with connect(f"https://{NAME}") as client:
            for _ in range(3):
                assert (await client.account.read()).username == "operator"
        assert len(between.heads) == 1, "one tunnel, kept alive"
        assert between.heads[0].startswith(f"CONNECT {NAME}:443 ")
        assert TOKEN not in between.heads[0]
        assert server.received[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert server.received[0].headers["host"] == NAME


@pytest.mark.anyio
async def test_plain_http_where_it_is_allowed_goes_through_its_own_proxy(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFRUNS_ALLOW_HTTP", "1")
    with proxy() as between:
        monkeypatch.setenv("HTTP_PROXY", f"http://{between.netloc}")
        async with connect(f"http://{NAME}") as client:
            assert (await client.account.read()).username == "operator"
        assert between.heads[0].startswith(f"GET http://{NAME}/api/v2/account/details HTTP/1.1")


@pytest.mark.anyio
@pytest.mark.parametrize("exceptions", ["127.0.0.1", "*", "example.com, 127.0.0.1 ,other.test"])
async def test_proxy_is_not_used_for_an_excluded_host(
    exceptions: str, connect: Connect, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFE_CA_FILE", str(certificate.ca_file))
    with web_server(ACCOUNT, context=certificate.context) as server, proxy() as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{between.netloc}")
        monkeypatch.setenv("NO_PROXY", exceptions)
        async with connect(server.address) as client:
            assert (await client.account.read()).username == "operator"
        assert between.heads == []


@pytest.mark.anyio
@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_plain_http_to_this_machine_never_leaves_it_through_a_proxy(
    host: str, variable: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain HTTP to loopback stays on the machine; a proxy would send the token over the network."""
    with web_server(ACCOUNT) as server, proxy() as between:
        monkeypatch.setenv(variable, f"http://{between.netloc}")
        async with connect(f"http://{host}:{server.server_port}") as client:
            with anyio.fail_after(20):
                await client.account.read()
        assert between.heads == []
        assert len(server.received) == 1


@pytest.mark.anyio
@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "502 Bad Gateway"])
async def test_refused_tunnel_is_reported_and_creates_no_run(
    status: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = f"HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
    with proxy(refusal=refusal) as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://{between.netloc}")
        async with connect(f"https://{NAME}") as client:
            with anyio.fail_after(20), pytest.raises(ConnectionFailed, match="proxy") as caught:
                await client.runs.create("ws-1234")
    assert "HTTPS_PROXY" in caught.value.solution


@pytest.mark.anyio
async def test_proxy_password_appears_in_no_error(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    with proxy(refusal=refusal) as between:
        monkeypatch.setenv("HTTPS_PROXY", f"http://operator:hunter2secret@{between.netloc}")
        async with connect(f"https://{NAME}") as client:
            with anyio.fail_after(20), pytest.raises(ConnectionFailed) as caught:
                await client.account.read()
        encoded = base64.b64encode(b"operator:hunter2secret").decode()
        assert f"basic {encoded}".lower() in between.heads[0].lower()
    shown = f"{caught.value} {caught.value!r} {caught.value.as_dict()} {caplog.text}"
    assert "hunter2secret" not in shown
    assert encoded not in shown


@pytest.mark.anyio
@pytest.mark.parametrize("where", ["127.0.0.1", "proxy.invalid"])
async def test_missing_proxy_is_not_reported_as_the_api(
    where: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that blames the API's host would be misleading."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://{where}:{unused_port()}")
    async with connect("https://app.terraform.io") as client:
        with anyio.fail_after(60), pytest.raises(TfrunsError) as caught:
            await client.account.read()
    assert isinstance(caught.value, ConnectionFailed)
    assert "proxy" in f"{caught.value.message} {caught.value.solution}".lower()

"""TLS: trusted certificates, and that nothing is sent to an untrusted server."""

import socket
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.sockets.conftest import Certificate, MakeCertificate
from tests.sockets.servers import document, web_server
from tests.support.api import TOKEN
from tests.support.clock import FakeClock
from tests.support.samples import user
from tfruns.client.client import Client
from tfruns.errors import ConnectionFailed, InvalidInput, TlsFailed

Connect = Callable[[str], Client]
ACCOUNT = document({"data": user()})


@pytest.mark.anyio
async def test_unknown_authority_is_rejected_and_nothing_is_sent(connect: Connect, certificate: Certificate) -> None:
    with web_server(ACCOUNT, context=certificate.context) as server:
        async with connect(server.address) as client:
            with anyio.fail_after(20), pytest.raises(TlsFailed, match="self-signed certificate") as caught:
                await client.account.read()
        assert server.received == []
        assert server.connections == 1, "it will not be trusted a moment later either"
    assert isinstance(caught.value, ConnectionFailed)
    assert not caught.value.is_retryable
    assert "TFE_CA_FILE" in caught.value.solution


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["TFE_CA_FILE", "SSL_CERT_FILE"])
async def test_private_authority_is_trusted_through_the_environment(
    name: str, connect: Connect, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(certificate.ca_file))
    with web_server(ACCOUNT, context=certificate.context) as server:
        async with connect(server.address) as client:
            assert (await client.account.read()).username == "operator"
        assert server.received[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.anyio
async def test_private_authority_is_trusted_through_the_argument(certificate: Certificate) -> None:
    with web_server(ACCOUNT, context=certificate.context) as server:
        async with Client(server.address, TOKEN, ca_file=certificate.ca_file, clock=FakeClock()) as client:
            assert (await client.account.read()).username == "operator"


@pytest.mark.anyio
async def test_private_bundle_is_added_to_the_machines_authorities(
    connect: Connect, certificate: Certificate, make_certificate: MakeCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.ca_file))
    monkeypatch.setenv("TFE_CA_FILE", str(make_certificate("127.0.0.1").ca_file))
    with web_server(ACCOUNT, context=certificate.context) as server:
        async with connect(server.address) as client:
            assert (await client.account.read()).username == "operator"


@pytest.mark.anyio
async def test_another_private_authority_does_not_help(
    connect: Connect, certificate: Certificate, make_certificate: MakeCertificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFE_CA_FILE", str(make_certificate("127.0.0.1").ca_file))
    with web_server(ACCOUNT, context=certificate.context) as server:
        async with connect(server.address) as client:
            with anyio.fail_after(20), pytest.raises(TlsFailed):
                await client.account.read()
        assert server.received == []


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("names", "days", "words"), [(["other.example.test"], 1, "127.0.0.1"), (["127.0.0.1"], -1, "expired")]
)
async def test_trusted_certificate_must_match_the_host_and_be_valid(
    names: list[str],
    days: int,
    words: str,
    connect: Connect,
    make_certificate: MakeCertificate,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = make_certificate(*names, days=days)
    monkeypatch.setenv("TFE_CA_FILE", str(made.ca_file))
    with web_server(ACCOUNT, context=made.context) as server:
        async with connect(server.address) as client:
            with anyio.fail_after(20), pytest.raises(TlsFailed, match=words):
                await client.account.read()
        assert server.received == []


@pytest.mark.anyio
async def test_server_without_tls_gets_no_token(connect: Connect) -> None:
    with web_server(ACCOUNT) as server:
        async with connect(server.address.replace("http://", "https://")) as client:
            with anyio.fail_after(20), pytest.raises(TlsFailed):
                await client.account.read()
        assert server.received == []


@pytest.mark.anyio
async def test_closed_handshake_is_a_failed_connection(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)

        def hang_up() -> None:
            for _ in range(10):
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        async with connect(f"https://127.0.0.1:{listener.getsockname()[1]}") as client:
            with anyio.fail_after(20):
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(anyio.to_thread.run_sync, hang_up)
                    with pytest.raises(ConnectionFailed):
                        await client.runs.create("ws-1234")
                    listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.anyio
@pytest.mark.parametrize("content", [None, b"", b"no certificates here"])
@pytest.mark.parametrize("name", ["TFE_CA_FILE", "SSL_CERT_FILE"])
async def test_unusable_bundle_is_named(
    name: str, content: bytes | None, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_bytes(content)
    monkeypatch.setenv(name, str(bundle))
    async with connect("https://127.0.0.1:9") as client:
        with pytest.raises(InvalidInput, match=name) as caught:
            await client.account.read()
    assert str(bundle) in caught.value.message

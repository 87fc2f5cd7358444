"""Requests that violate HTTP or its limits, over a real socket: each is rejected, and the server keeps running."""

import socket

import httpx2

from tests.support.local_server import LocalServer
from tests.support.stdio import PATIENCE_S

AUTHORIZED = "GET /api/v2/ping HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
POST = "POST /api/v2/runs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n"
LOCK = '{{"data": {{}}}}'

# Requests, and the status of each response until the server closes the connection.
REQUESTS: dict[str, tuple[str, list[int]]] = {
    "a valid request": (AUTHORIZED + "connection: close\r\n\r\n", [204]),
    "two requests in one packet": (AUTHORIZED + "\r\n" + AUTHORIZED + "connection: close\r\n\r\n", [204, 204]),
    "a length with an encoding": (
        POST + "content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", [400]
    ),
    "an encoding with a length": (
        POST + "transfer-encoding: chunked\r\ncontent-length: 3\r\n\r\n0\r\n\r\n", [400]
    ),
    "an encoding other than chunked": (POST + "transfer-encoding: gzip\r\n\r\n", [400]),
    "a chunked encoding that is not the last": (POST + "transfer-encoding: chunked, gzip\r\n\r\n", [400]),
    "two lengths": (POST + "content-length: 3\r\ncontent-length: 4\r\n\r\nabcd", [400]),
    "a negative length": (POST + "content-length: -1\r\n\r\n", [400]),
    "a length that is not a number": (POST + "content-length: x\r\n\r\n", [400]),
    "a length that is out of range": (POST + "content-length: " + "9" * 50 + "\r\n\r\n", [400]),
    "a length of a terabyte": (POST + "content-length: 1099511627776\r\nconnection: close\r\n\r\n", [413]),
    "a chunk size that is not a number": (POST + "transfer-encoding: chunked\r\n\r\nxyz\r\n", [400]),
    "a chunk size that is out of range": (POST + "transfer-encoding: chunked\r\n\r\n" + "f" * 50 + "\r\n", [400]),
    "a header without a colon": (AUTHORIZED + "nothing\r\n\r\n", [400]),
    "a header with a NUL": (AUTHORIZED + "x: a\0b\r\n\r\n", [400]),
    "a space before the colon": (AUTHORIZED + "content-length : 3\r\n\r\nabc", [400]),
    "a folded header": (AUTHORIZED + "x: a\r\n b\r\nconnection: close\r\n\r\n", [400]),
    "not HTTP": ("hello\r\n\r\n", [400]),
    "TLS": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [400]),
    "HTTP/2": ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", [400]),
    "HTTP/9.9": ("GET / HTTP/9.9\r\n\r\n", [400]),
    "an unknown method": ("HELLO /api/v2/ping HTTP/1.1\r\nhost: x\r\n\r\n", [400]),
    "another method": ("TRACE /api/v2/ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", [405]),
    "a tunnel": ("CONNECT example.com:443 HTTP/1.1\r\nhost: x\r\n\r\n", [400]),
    "an invalid path": ("GET \\\\ HTTP/1.1\r\nhost: x\r\n\r\n", [400]),
    "a path in UTF-8": ("GET /ä HTTP/1.1\r\nhost: x\r\n\r\n", [400]),
    "an absolute URL": ("GET http://example.com/api/v2/ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n", [401]),
    "an upgrade": (AUTHORIZED + "connection: upgrade, close\r\nupgrade: websocket\r\n\r\n", [204]),
    "a search of 60,000 characters": (
        AUTHORIZED.replace("ping", "organizations/default/workspaces?search[name]=" + "x" * 60_000)
        + "connection: close\r\n\r\n", [414]
    ),
    "a search of 100,000 characters": (
        AUTHORIZED.replace("ping", "organizations/default/workspaces?search[name]=" + "x" * 100_000) + "\r\n", [431]
    ),
    "a header of 100,000 characters": (AUTHORIZED + "x: " + "x" * 100_000 + "\r\n\r\n", [431]),
    "100,000 headers": (AUTHORIZED + "x: x\r\n" * 100_000 + "\r\n", [431]),
}  # fmt: skip
HOSTS = ("", "[", "a:b:c", "a:99999999", "[::1", 'a"b', "a b", "a/b", "@", "a#b", "a?b", "ä", "%00", "x" * 5000)


def responses(server: LocalServer, request: bytes) -> bytes:
    """Everything that the server sends in response, until it closes the connection."""
    host, _, port = server.url.partition("://")[2].rpartition(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=PATIENCE_S) as client:
        try:
            client.sendall(request)
            while part := client.recv(1 << 16):
                received += part
        except (ConnectionResetError, BrokenPipeError):
            pass
    return received


def statuses(received: bytes) -> list[int]:
    return [int(part[:3]) for part in received.split(b"HTTP/1.1 ")[1:]]


def test_requests_that_violate_http_are_rejected(server: LocalServer) -> None:
    for name, (text, expected) in REQUESTS.items():
        request = text.replace("{token}", server.token).encode("utf-8" if "UTF-8" in name else "latin-1")
        assert statuses(responses(server, request)) == expected, name
    assert httpx2.get(f"{server.url}/.well-known/terraform.json").is_success
    assert "Traceback" not in server.stderr
    assert len(server.stderr) < 20_000


def test_no_host_header_causes_a_server_error(server: LocalServer) -> None:
    for host in HOSTS:
        text = AUTHORIZED.replace("{token}", server.token).replace("ping", "organizations/default/runs")
        request = text.replace("host: x", f"host: {host}") + "connection: close\r\n\r\n"
        (status,) = statuses(responses(server, request.encode()))
        assert status in {200, 400}, host
    assert "Traceback" not in server.stderr

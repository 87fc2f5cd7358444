"""The server's side of foreign clients: certificate, CLI configuration, run page, log."""

import ssl
import stat
import subprocess
from pathlib import Path

import httpx2
import pytest

import tfruns.local
from tests.foreign.conftest import EXPECTED, trouble
from tests.foreign.terraform_cli import cli_environment
from tests.support.local_server import LocalServer
from tests.support.stdio import PATIENCE_S, environment
from tests.support.stdio import tfruns as command


@pytest.fixture(scope="module")
def arguments() -> tuple[str, ...]:
    return ("--self-signed",)


@pytest.fixture(scope="module")
def trusting(server: LocalServer) -> ssl.SSLContext:
    """A strict client (as in Python 3.13) that trusts only the server's certificate."""
    context = ssl.create_default_context(cafile=server.data_dir / "tls" / "certificate.pem")
    context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
    return context


# -- the certificate --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_certificate_is_valid_for_this_machines_names(server: LocalServer, trusting: ssl.SSLContext, host: str) -> None:
    port = server.url.rpartition(":")[2]
    found = httpx2.get(f"https://{host}:{port}/.well-known/terraform.json", verify=trusting)
    assert found.json()["tfe.v2"] == "/api/v2/"


def test_key_is_private_and_the_log_names_the_certificate(server: LocalServer) -> None:
    tls = server.data_dir / "tls"
    assert stat.S_IMODE((tls / "key.pem").stat().st_mode) == 0o600
    assert str(tls / "certificate.pem") in server.stderr
    assert "SSL_CERT_FILE" in server.stderr
    assert "PRIVATE" not in server.stderr


@pytest.mark.anyio
async def test_tfruns_itself_trusts_the_certificate_of_a_server_it_attaches_to(server: LocalServer) -> None:
    async with tfruns.local.client(server.data_dir) as client:
        assert server.url.startswith("https://")
        assert (await client.account.read()).username


# -- the block --------------------------------------------------------------------------------------------------------


def test_cli_block_names_the_running_server_without_the_token(server: LocalServer, tmp_path: Path) -> None:
    env = cli_environment(server, tmp_path)
    printed = Path(env["TF_CLI_CONFIG_FILE"]).read_text()
    assert f'"{server.url}/api/v2/"' in printed
    assert server.token not in printed
    assert env["TF_TOKEN_tfruns_local"] == server.token
    assert env["SSL_CERT_FILE"] == str(server.data_dir / "tls" / "certificate.pem")


@pytest.mark.processes
def test_cli_block_requires_a_known_port(tmp_path: Path) -> None:
    done = subprocess.run(
        [command(), "server", "--print-cli-config", "--port", "0", "--data-dir", str(tmp_path)],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "--port" in done.stderr


# -- the page of a run, and what is not served ------------------------------------------------------------------------


def test_page_that_terraform_prints_asks_to_sign_in_and_shows_nothing(
    server: LocalServer, trusting: ssl.SSLContext
) -> None:
    for path in ("/app/default/network/runs/run-abc", "/app/default/workspaces/network/runs/run-abc"):
        page = httpx2.get(server.url + path, verify=trusting)
        assert page.status_code == 401
        assert "tfruns web link" in page.text
        assert path in page.text
        assert server.token not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
    hostile = httpx2.get(f"{server.url}/app/default/network/runs/run-%3Cscript%3E", verify=trusting)
    assert hostile.status_code == 401
    assert "<script>" not in hostile.text


def test_unserved_request_is_logged(server: LocalServer, trusting: ssl.SSLContext) -> None:
    assert httpx2.get(f"{server.url}/api/v2{EXPECTED}", verify=trusting).status_code == 404
    assert f"GET /api/v2{EXPECTED} is not served (404)" in server.stderr
    assert trouble(server) == []

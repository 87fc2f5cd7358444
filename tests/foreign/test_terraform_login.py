"""`terraform login` against the server: the stored token works, and no other client can get one."""

import base64
import hashlib
import json
import re
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from tests.foreign.terraform_cli import Project
from tests.support.local_server import LocalServer
from tests.support.stdio import environment

pytestmark = pytest.mark.anyio

REDIRECT = "http://localhost:10003/login"


@pytest.fixture(scope="module")
def arguments() -> tuple[str, ...]:
    return ("--self-signed",)


@pytest.fixture
async def browser(server: LocalServer) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser: without a token, following redirects."""
    trust = ssl.create_default_context(cafile=str(server.certificate))
    async with httpx2.AsyncClient(verify=trust, base_url=server.url, trust_env=False) as client:
        yield client


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the PATH")
async def test_terraform_login_stores_a_token_that_works(
    server: LocalServer, browser: httpx2.AsyncClient, tmp_path: Path
) -> None:
    host = server.url.removeprefix("https://").replace("127.0.0.1", "localhost")
    env = {**environment(tmp_path), "SSL_CERT_FILE": str(server.certificate), "CHECKPOINT_DISABLE": "1", "BROWSER": ""}
    (tmp_path / ".terraform.d").mkdir()
    with Project(tmp_path, env).terminal("login", host) as terminal:
        terminal.answer("Enter a value:", "yes")
        terminal.expect("Terraform will now wait")
        url = re.findall(r"https://\S+", terminal.text)[-1]
        form = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert "API token" in (await browser.get(url)).text
        answer = await browser.post(urlsplit(url).path, data={**form, "token": server.token})
        assert answer.status_code == 303
        await browser.get(answer.headers["location"])
        terminal.expect("Terraform has obtained and saved an API token")
        assert terminal.end() == 0
    stored = json.loads((tmp_path / ".terraform.d" / "credentials.tfrc.json").read_text())
    token = stored["credentials"][host]["token"]
    assert token != server.token
    for known in (token, server.token):
        answer = await browser.get("/api/v2/account/details", headers={"authorization": f"Bearer {known}"})
        assert answer.json()["data"]["attributes"]["username"] == "admin"


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def login(**changes: str) -> dict[str, str]:
    return {
        "client_id": "terraform-cli",
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "state": 's t&<"',
        "code_challenge": challenge("v" * 43),
        "code_challenge_method": "S256",
        **changes,
    }


async def test_login_of_another_client_is_refused(browser: httpx2.AsyncClient, server: LocalServer) -> None:
    wrong = [
        {"client_id": "another"},
        {"response_type": "token"},
        {"redirect_uri": "https://evil.example/login"},
        {"redirect_uri": "http://localhost:10003/login?x="},
        {"redirect_uri": "http://localhost:10003@evil.example/login"},
        {"code_challenge_method": "plain"},
        {"code_challenge": ""},
    ]
    for changes in wrong:
        for answer in (
            await browser.get("/oauth/authorize", params=login(**changes)),
            await browser.post("/oauth/authorize", data={**login(**changes), "token": server.token}),
        ):
            assert answer.status_code == 400, changes
            assert "location" not in answer.headers


async def test_only_a_user_token_is_accepted(browser: httpx2.AsyncClient) -> None:
    page = await browser.get("/oauth/authorize", params=login())
    assert 'value="s t&amp;&lt;&quot;"' in page.text
    assert page.headers["cache-control"] == "no-store"
    answer = await browser.post("/oauth/authorize", data={**login(), "token": "nobody.atlasv1.has-it"})
    assert answer.status_code == 401
    assert "not an API token of this server" in answer.text
    assert "nobody.atlasv1" not in answer.text


async def test_code_is_exchanged_only_by_the_requesting_program(
    browser: httpx2.AsyncClient, server: LocalServer
) -> None:
    answer = await browser.post("/oauth/authorize", data={**login(), "token": server.token})
    code = parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
    right = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": "v" * 43
    }  # fmt: skip
    for name in right:
        answer = await browser.post("/oauth/token", data={**right, name: "x"})
        assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"}), name
    answer = await browser.post("/oauth/token", data=right)
    assert (answer.status_code, answer.json()["token_type"]) == (200, "bearer")
    # It is a code, and neither an API token nor the permission to read an object.
    assert (await browser.get("/api/v2/ping", headers={"authorization": f"Bearer {code}"})).status_code == 401
    assert (await browser.get(f"/_archivist/v1/object/{code}")).status_code == 404


async def test_token_page_explains_where_the_token_is(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/app/settings/tokens", params={"source": "terraform-login"})
    assert answer.status_code == 200
    assert "<code>token</code>" in answer.text

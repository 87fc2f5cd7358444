"""The sources of the token, and the errors without one."""

import json
from pathlib import Path

import pytest

from tests.e2e.calls import RUN, script
from tests.e2e.conftest import Start
from tests.support.api import TOKEN
from tests.support.http_api import HttpApi
from tests.support.stdio import StdioServer, environment


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def tokenless(start: Start, api: HttpApi, home: Path) -> StdioServer:
    """A server without a token."""
    script(api)
    return start(env=environment(home, TFE_ADDRESS=api.address))


def test_call_without_a_token_explains_how_to_set_one(tokenless: StdioServer, api: HttpApi) -> None:
    assert len(tokenless.result("tools/list")["tools"]) >= 9
    for _ in range(2):
        result = tokenless.call("get_run_details", {"run_id": RUN})
        assert result["isError"] is True
        view = result["structuredContent"]
        assert view["error"] == "no_credentials"
        assert api.hostname in view["message"]
        for way in ("TFE_TOKEN", "TFE_ADDRESS", "TF_TOKEN_", "terraform login", "TF_CLI_CONFIG_FILE", ".terraformrc"):
            assert way in view["solution"]
    assert api.requests == []


def test_login_after_the_start_is_used_by_the_next_call(tokenless: StdioServer, api: HttpApi, home: Path) -> None:
    assert tokenless.call("get_run_details", {"run_id": RUN})["isError"] is True
    directory = home / ".terraform.d"
    directory.mkdir()
    document = {"credentials": {api.hostname: {"token": TOKEN}}}
    (directory / "credentials.tfrc.json").write_text(json.dumps(document), encoding="utf-8")
    assert tokenless.call("get_run_details", {"run_id": RUN})["structuredContent"]["id"] == RUN
    assert api.requests[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_credentials_block_of_the_cli_configuration_is_used(
    start: Start, api: HttpApi, home: Path, tmp_path: Path
) -> None:
    script(api)
    configuration = tmp_path / "cli.tfrc"
    configuration.write_text(f'credentials "{api.hostname}" {{\n  token = "{TOKEN}"\n}}\n', encoding="utf-8")
    server = start(env=environment(home, TFE_ADDRESS=api.address, TF_CLI_CONFIG_FILE=str(configuration)))
    assert server.call("get_run_details", {"run_id": RUN})["structuredContent"]["id"] == RUN


def test_token_of_another_host_is_not_used(start: Start, api: HttpApi, home: Path) -> None:
    script(api)
    env = environment(home, TFE_ADDRESS=api.address, TF_TOKEN_app_terraform_io=TOKEN)
    result = start(env=env).call("get_run_details", {"run_id": RUN})
    assert result["structuredContent"]["error"] == "no_credentials"
    assert api.requests == []


@pytest.mark.parametrize(
    ("address", "words"),
    [("ftp://tfe.example.com", "TFE_ADDRESS"), ("http://tfe.example.com", "unencrypted"), ("https://", "TFE_ADDRESS")],
)
def test_invalid_address_is_a_failed_result(address: str, words: str, start: Start, home: Path) -> None:
    server = start(env=environment(home, TFE_ADDRESS=address, TFE_TOKEN=TOKEN))
    result = server.call("get_run_details", {"run_id": RUN})
    assert result["isError"] is True
    assert words in result["structuredContent"]["message"]
    assert server.result("ping") == {}

"""Real clients connect with the documented configurations, and those with a model API do a whole job.

No account is needed: the model is a script (`scripted_model.py`). The runs are executed by real Terraform.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.conformance.clients import ClientHome
from tests.conformance.installed import require
from tests.conformance.node_tools import TOOLS
from tests.conformance.scripted_model import Model, Step, serving
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tests.tools.listing import default_tools

CLOSED = "the client closed the question without an answer"


@pytest.fixture(scope="module", autouse=True)
def _installed(processes: None) -> None:
    require(TOOLS)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("clients") / "data") as started:
        yield started


@pytest.fixture
def home(server: LocalServer, tmp_path: Path) -> ClientHome:
    """A home whose environment has the address and the token of the server."""
    return ClientHome(tmp_path, TFE_ADDRESS=server.url, TFE_TOKEN=server.token)


# -- the connection ---------------------------------------------------------------------------------------------------


def test_claude_code_connects(home: ClientHome) -> None:
    home.run_documented("claude")
    assert "tfruns: tfruns mcp - ✔ Connected" in home.run("claude", "mcp", "list").stdout


def test_gemini_cli_connects(home: ClientHome) -> None:
    home.run_documented("gemini")
    home.env["GEMINI_CLI_TRUST_WORKSPACE"] = "true"
    assert "✓ tfruns: tfruns mcp (stdio) - Connected" in home.run("gemini", "mcp", "list").stderr


def test_opencode_connects(home: ClientHome) -> None:
    home.configure("opencode", ".config/opencode/opencode.json")
    shown = home.run("opencode", "mcp", "list").stdout
    assert "✓ tfruns" in shown
    assert "connected" in shown


def test_mcporter_lists_all_tools(home: ClientHome) -> None:
    home.configure("Windsurf", ".mcporter/mcporter.json")  # the usual form
    [listed] = json.loads(home.run("mcporter", "list", "--json").stdout)["servers"]
    assert listed["status"] == "ok"
    assert {tool["name"] for tool in listed["tools"]} == set(default_tools())


def test_codex_lists_all_tools_with_their_schemas(home: ClientHome) -> None:
    home.run_documented("codex")
    [status] = mcp_servers(home)
    assert status["name"] == "tfruns"
    assert {name: tool["inputSchema"] for name, tool in status["tools"].items()} == {
        name: tool["inputSchema"] for name, tool in default_tools().items()
    }


def mcp_servers(home: ClientHome) -> list[dict[str, Any]]:
    """The MCP servers that the app server of Codex reports."""
    with home.start("codex", "app-server") as process:
        requests, responses = process.stdin, process.stdout
        assert requests is not None
        assert responses is not None

        def send(**message: Any) -> None:
            requests.write(json.dumps(message) + "\n")
            requests.flush()

        def response(number: int) -> Any:
            messages = map(json.loads, responses)
            return next(message["result"] for message in messages if message.get("id") == number)

        client = {"name": "conformance", "title": "Conformance", "version": "1"}
        send(id=1, method="initialize", params={"clientInfo": client})
        response(1)
        send(method="initialized")
        send(id=2, method="mcpServerStatus/list", params={})
        servers: list[dict[str, Any]] = response(2)["data"]
        return servers


# -- a whole job ------------------------------------------------------------------------------------------------------


@contextmanager
def job(server: LocalServer, workspace: str) -> Iterator[Model]:
    """A model that creates a run in a new workspace, reviews it, and applies it: without a proof, then with one."""

    async def prepare() -> None:
        async with lab_on(server) as lab:
            await lab.workspace('resource "terraform_data" "a" { input = "x" }', name=workspace)

    def script(results: list[str]) -> Step | None:
        if not results:
            return "create_run", {"workspace_id": f"default/{workspace}", "params": {"message": "From a client"}}
        run = {"run_id": json.loads(results[0])["id"]}
        if len(results) > 3 and '"accepted":true' in results[-1]:
            return "wait_for_run", {**run, "until": "final"}
        steps: dict[int, Step] = {1: ("wait_for_run", run), 2: ("review_run", run), 3: ("apply_run", run)}
        if len(results) == 4:
            return "apply_run", {**run, "fingerprint": json.loads(results[2])["fingerprint"]}
        return steps.get(len(results))

    anyio.run(prepare)
    with serving(script) as model:
        yield model


def outcomes(model: Model) -> list[dict[str, Any]]:
    """The results of apply_run. The client sent all tools, and the run is applied."""
    assert set(model.tools) == set(default_tools())
    for name, schema in model.tools.items():
        assert set(schema["properties"]) >= set(default_tools()[name]["inputSchema"]["properties"]), name
    results = [json.loads(result) for result in model.results]
    assert results[-1]["status"] == "applied", results
    return results[3:-1]


def test_claude_code_without_a_terminal_applies_with_a_fingerprint(home: ClientHome, server: LocalServer) -> None:
    with job(server, "claude") as model:
        home.run_documented("claude")
        home.env |= {
            "ANTHROPIC_BASE_URL": model.url,
            "ANTHROPIC_API_KEY": "not-a-key",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "ENABLE_TOOL_SEARCH": "false",  # send all tools at once
            "MCP_CONNECTION_NONBLOCKING": "0",  # wait for the server
            "MCP_CONNECT_TIMEOUT_MS": "60000",
        }
        home.run("claude", "-p", "Do the job.", "--allowedTools", "mcp__tfruns")
    refused, applied = outcomes(model)
    assert CLOSED in refused["message"]
    assert refused["error"] == "confirmation_needed"
    assert applied["accepted"] is True


def test_codex_without_a_terminal_applies_with_a_fingerprint(home: ClientHome, server: LocalServer) -> None:
    with job(server, "codex") as model:
        home.configure("Codex", ".codex/config.toml", "toml")
        provider = f'{{name="scripted",base_url="{model.url}/v1",wire_api="responses"}}'
        settings = {
            "model": '"scripted"',
            "model_provider": '"scripted"',
            "model_providers.scripted": provider,
            "mcp_servers.tfruns.args": '["mcp","--confirm","review"]',
            "mcp_servers.tfruns.env_vars": '["TFE_TOKEN","TFE_ADDRESS"]',
            "mcp_servers.tfruns.required": "true",
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        alone = ["--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
        home.run("codex", "exec", *alone, *options, "Do the job.")
    refused, applied = outcomes(model)
    assert refused["error"] == "declined"
    assert "before a person could read the question" in refused["cause"]
    assert applied["accepted"] is True


def test_gemini_cli_applies_without_questions(home: ClientHome, server: LocalServer) -> None:
    with job(server, "gemini") as model:
        home.configure("Gemini CLI", ".gemini/settings.json", security={"auth": {"selectedType": "gemini-api-key"}})
        home.env |= {
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GEMINI_API_KEY": "not-a-key",
            "GOOGLE_GEMINI_BASE_URL": model.url,
        }
        home.run("gemini", "-m", "gemini-2.5-pro", "--approval-mode", "yolo", "-p", "Do the job.")
    [applied] = outcomes(model)
    assert applied["accepted"] is True

"""The configurations, programs and commands in the documentation work."""

import ast
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import ROOT
from tests.docs.client_configurations import (
    PLACEHOLDERS,
    ConfiguredServer,
    added_server,
    configurations,
    server_of,
)
from tests.docs.pages import Block, blocks, commands
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tests.support.stdio import PATIENCE_S, StdioServer, environment, tfruns
from tests.support.tables import rows

_JSON = [pytest.param(block, id=block.id) for block in blocks("json")]
_PYTHON = [pytest.param(block, id=block.id) for block in blocks("python")]
_PROGRAMS = [
    pytest.param(block, id=block.id)
    for block in blocks("python")
    if re.search(r"^(asyncio\.run\(|with (tfruns\.sync\.local\.c|C)lient\(\))", block.code, re.MULTILINE)
]

_DIRECTORY = "/path/to/configurations"

# Only checked with `make -n`: these commands install packages and run all tests.
_MAKE = re.compile(r"make [a-z]+")
# Covered by tests/packaging.
_INSTALL = {"pip install '.[local]'", "uvx --from '.[local]' tfruns --version"}
# Covered by tests/foreign.
_TERRAFORM = re.compile(r"terraform (init|plan|apply|destroy)( -[\w-]+)*")
_EXPORT = re.compile(r"export (?P<name>\w+)=")


def test_documentation_has_examples() -> None:
    assert len(_JSON) >= 5
    assert len(_PROGRAMS) >= 2
    assert len(commands()) >= 8


@rows("block", _JSON)
def test_json_block_is_valid(block: Block) -> None:
    assert json.loads(block.code)


@rows("block", _PYTHON)
def test_python_block_is_valid(block: Block) -> None:
    assert ast.parse(block.code).body


@pytest.mark.processes
@pytest.mark.parametrize("block", [pytest.param(block, id=block.id) for block in configurations()])
def test_mcp_client_configuration_starts_a_server(block: Block, tmp_path: Path) -> None:
    _start(server_of(block), tmp_path)


def test_each_client_has_a_configuration() -> None:
    page = (ROOT / "docs" / "mcp-clients.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    configured = [name for name, text in sections.items() if "```json" in text or "```toml" in text]
    assert configured == [
        "Claude Code",
        "Claude Desktop",
        "VS Code",
        "Cursor",
        "Codex",
        "Gemini CLI",
        "opencode",
        "Windsurf",
        "Zed",
    ]
    assert [name for name in configured if "Source: [" not in sections[name]] == []


def _start(server: ConfiguredServer, home: Path) -> None:
    assert server.words[:2] == ["tfruns", "mcp"]
    assert set(server.env.values()) <= PLACEHOLDERS
    arguments = [str(home) if word == _DIRECTORY else word for word in server.words[2:]]
    env = environment(home, **dict.fromkeys(server.env, "not-a-token"))
    with StdioServer(*arguments, env=env, log=home / "log") as started:
        assert started.result("tools/list")["tools"]


def test_vs_code_inputs_match_their_use() -> None:
    documents = [json.loads(block.code) for block in blocks("json") if '"servers"' in block.code]
    assert documents
    for document in documents:
        asked = {entry["id"] for entry in document["inputs"] if entry["type"] == "promptString" and entry["password"]}
        assert set(re.findall(r"\$\{input:([\w-]+)\}", json.dumps(document["servers"]))) == asked


@pytest.mark.processes
@pytest.mark.parametrize("block", _PROGRAMS)
async def test_program_runs_on_the_local_backend(block: Block, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(block.code.replace("my-organization", "default"), encoding="utf-8")
    if "tfruns.local" in block.code or "tfruns.sync.local" in block.code:
        _run(program, environment(tmp_path, TFRUNS_DATA_DIR=str(tmp_path / "data")))
        return
    with LocalServer(tmp_path / "data") as server:
        async with lab_on(server) as lab:
            workspace_id = await lab.workspace('output "greeting" { value = "hello" }', name="network")
            await lab.client.runs.discard((await lab.planned(workspace_id)).id)
        printed = _run(program, environment(tmp_path, TFE_ADDRESS=server.url, TFE_TOKEN=server.token))
        assert printed.splitlines()[-1].startswith("run-")


def _run(program: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, str(program)], env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.processes
@pytest.mark.parametrize(("page", "command"), commands())
def test_documented_command_works(page: str, command: str, tmp_path: Path) -> None:
    if command in _INSTALL or _TERRAFORM.fullmatch(command):
        return
    if exported := _EXPORT.match(command):
        name = re.sub(r"(?<=^TF_TOKEN_).+", "<host>", exported["name"])
        assert f"`{name}`" in (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
        return
    if _MAKE.fullmatch(command):
        subprocess.run(
            ["make", "-n", command.split()[1]], cwd=ROOT, capture_output=True, check=True, timeout=PATIENCE_S
        )
        return
    if added := added_server(command):
        _start(added, tmp_path)
        return
    _run_command(shlex.split(re.split(r" [|<>] ", command, maxsplit=1)[0]), tmp_path)


def _run_command(words: list[str], home: Path) -> None:
    """Run a tfruns command: a server until it is ready, any other command until it exits."""
    assert words[0] == "tfruns", f"no test covers {shlex.join(words)}"
    starts_server = words[1] == "server" and not {"status", "stop", "--print-cli-config"} & {*words}
    if starts_server:
        with LocalServer(home / "data", *words[2:]) as server:
            assert server.stop() == 0
    elif words[1] == "mcp":
        with StdioServer(*words[2:], env=environment(home), log=home / "log") as started:
            assert started.result("tools/list")["tools"]
    else:
        done = subprocess.run(
            [tfruns(), *words[1:]], env=environment(home), capture_output=True, timeout=PATIENCE_S, check=False
        )
        assert done.returncode == 0, done.stderr.decode()

"""The MCP bundle is valid for the tool that Claude Desktop uses, and its server starts from the unpacked bundle."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from mcp import StdioServerParameters
from mcp.client import Client
from mcp.client.stdio import stdio_client

from tests.conformance.installed import require
from tests.conformance.node_tools import MCPB, ROOT, command, node
from tests.support.stdio import environment
from tests.tools.listing import default_tools
from tfruns._version import __version__

# The environment of the person who runs the tests, in which uv finds its cache and the package index.
OWN_ENVIRONMENT = dict(os.environ)
SCHEMA = MCPB.parents[2] / "schemas" / "mcpb-manifest-v0.4.schema.json"
_EXPAND = """
const { getMcpConfigForManifest } = await import(process.argv[1]);
const [manifest, extensionPath, userConfig] = process.argv.slice(2, 5);
console.log(JSON.stringify(await getMcpConfigForManifest({
  manifest: JSON.parse(manifest), extensionPath, userConfig: JSON.parse(userConfig), systemDirs: {}, pathSeparator: "/",
})));
"""


@pytest.fixture(scope="module", autouse=True)
def _installed(processes: None) -> None:
    require([MCPB])


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The content of a new bundle."""
    directory = tmp_path_factory.mktemp("bundle")
    _run(sys.executable, str(ROOT / "scripts" / "build_bundle.py"), str(directory))
    with zipfile.ZipFile(directory / f"tfruns-{__version__}.mcpb") as archive:
        archive.extractall(directory / "unpacked")
    return directory / "unpacked"


def _run(*words: str) -> str:
    done = subprocess.run(
        words, env=OWN_ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _manifest(unpacked: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((unpacked / "manifest.json").read_text(encoding="utf-8"))
    return manifest


def test_manifest_is_valid_for_the_tool_and_the_published_schema(unpacked: Path) -> None:
    assert "Manifest schema validation passes!" in _run(*command(MCPB), "validate", str(unpacked / "manifest.json"))
    jsonschema.validate(_manifest(unpacked), json.loads(SCHEMA.read_text(encoding="utf-8")))


def test_manifest_describes_this_version_and_hides_the_token(unpacked: Path) -> None:
    manifest = _manifest(unpacked)
    assert (manifest["manifest_version"], manifest["server"]["type"], manifest["version"]) == ("0.4", "uv", __version__)
    assert [tool["name"] for tool in manifest["tools"]] == list(default_tools())
    asked = manifest["user_config"]
    assert list(asked) == ["address", "token", "organization", "local", "directories"]
    assert [name for name, setting in asked.items() if setting.get("sensitive")] == ["token"]


@pytest.mark.anyio
@pytest.mark.parametrize("is_local", [False, True])
async def test_server_starts_from_the_unpacked_bundle(is_local: bool, unpacked: Path, tmp_path: Path) -> None:
    settings = {"local": True, "directories": [str(tmp_path)]} if is_local else {"token": "not-a-token"}
    expanded = _run(
        str(node()),
        "--input-type=module",
        "-e",
        _EXPAND,
        (MCPB.parents[1] / "shared" / "config.js").as_uri(),
        json.dumps(_manifest(unpacked)),
        str(unpacked),
        json.dumps(settings),
    )
    server = json.loads(expanded)
    has_uv = shutil.which("uv") is not None
    if has_uv:
        _run("uv", "sync", "--quiet", "--directory", str(unpacked))
    words = (
        [server["command"], *server["args"]]
        if has_uv
        else [sys.executable, str(unpacked / "server.py"), *server["args"][4:]]
    )
    env = environment(tmp_path, **server["env"], TFRUNS_DATA_DIR=str(tmp_path / "data"), UV_OFFLINE="1")
    parameters = StdioServerParameters(command=words[0], args=words[1:], env=env)
    with (tmp_path / "stderr.log").open("w+") as log:
        async with Client(stdio_client(parameters, errlog=log)) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == set(default_tools())
            if is_local:
                listed = await client.call_tool("list_workspaces", {"organization": "default"})
                assert (listed.structured_content or {})["workspaces"] == []

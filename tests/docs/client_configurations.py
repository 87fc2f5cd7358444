"""The servers in the configurations of MCP clients that the documentation shows: JSON, TOML and commands."""

import json
import re
import shlex
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.docs.pages import Block, blocks

# Replaced by the reader or by the client.
PLACEHOLDERS = {
    "your-token",
    "$TFE_TOKEN",
    "${TFE_TOKEN}",
    "${env:TFE_TOKEN}",
    "{env:TFE_TOKEN}",
    "${input:tfe-token}",
}
_TABLES = ("mcpServers", "servers", "context_servers", "mcp_servers", "mcp")
_KEYS = {"type", "command", "args", "env", "environment", "env_vars"}
_ADD = re.compile(r"(?P<client>claude|codex|gemini) mcp add (?P<words>.*)")


@dataclass(frozen=True, slots=True)
class ConfiguredServer:
    """A server in the configuration of a client.

    Attributes:
        words: its command line.
        env: the variables that it gets, with placeholders.
    """

    words: list[str]
    env: Mapping[str, str] = field(default_factory=dict)


def configurations() -> list[Block]:
    """The JSON and TOML blocks that configure a client."""
    return [
        block
        for language in ("json", "toml")
        for block in blocks(language)
        if '"mcp' in block.code or "mcp_" in block.code
    ]


def document_of(block: Block) -> dict[str, Any]:
    """The content of a JSON or TOML block."""
    document: dict[str, Any] = tomllib.loads(block.code) if block.language == "toml" else json.loads(block.code)
    return document


def server_of(block: Block) -> ConfiguredServer:
    """The server that a block configures."""
    document = document_of(block)
    [table] = [document[name] for name in _TABLES if name in document]
    [server] = table.values()
    assert set(server) <= _KEYS, server
    assert server.get("type", "stdio") in {"stdio", "local"}
    command, env = server["command"], server.get("env", {}) | server.get("environment", {})
    words = command if isinstance(command, list) else [command, *server["args"]]
    return ConfiguredServer(words, env | dict.fromkeys(server.get("env_vars", ()), "your-token"))


def added_server(command: str) -> ConfiguredServer | None:
    """The server that a command such as `claude mcp add tfruns -- tfruns mcp` adds; None for any other command."""
    found = _ADD.fullmatch(command)
    if found is None:
        return None
    words = shlex.split(found["words"])
    before, after = words[: words.index("tfruns")], words[words.index("tfruns") + 1 :]
    assert set(before[::2]) <= {"--scope"}, command
    env = {}
    while after[0] == "--env":
        name, _, value = after[1].partition("=")
        env[name], after = value, after[2:]
    if found["client"] != "gemini":
        assert after.pop(0) == "--", command
    return ConfiguredServer(after, env)

"""server.json follows the rules of the MCP registry: its schema of 2025-12-11 and its additional checks.

Source: the MCP registry's server.json reference and its package types ("PyPI packages": the published README has to
contain the name of the server).
"""

import json
import re
from copy import deepcopy
from functools import cache
from typing import Any

from command_line import options_table
from tests.architecture.source import ROOT
from tests.support.tables import rows
from tfruns._version import __version__

_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
_NAME = re.compile(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+")
_EXACT_VERSION = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")
_FORMATS = {"string", "number", "boolean", "filepath"}
_INPUT = {"description", "default", "choices", "format", "isRequired", "isSecret", "placeholder", "value"}

DOCUMENT: dict[str, Any] = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
README = (ROOT / "README.md").read_text(encoding="utf-8")


def problems(document: dict[str, Any]) -> list[str]:
    """The parts of the document that the registry would reject, or that are wrong."""
    name, version = document.get("name", ""), document.get("version", "")
    found = {
        "schema": document.get("$schema") == _SCHEMA,
        "name": _NAME.fullmatch(name) is not None and 3 <= len(name) <= 200,
        "name in the README": f"<!-- mcp-name: {name} -->" in README,
        "title": 1 <= len(document.get("title", "-")) <= 100,
        "description": 1 <= len(document.get("description", "")) <= 100,
        "version": _EXACT_VERSION.fullmatch(version) is not None and version == __version__,
        "packages": bool(document.get("packages")),
        "fields": set(document) <= {"$schema", "name", "title", "description", "version", "packages"},
    }
    packages = [problem for package in document.get("packages", ()) for problem in _package_problems(package)]
    return [name for name, is_valid in found.items() if not is_valid] + packages


def _package_problems(package: dict[str, Any]) -> list[str]:
    arguments, variables = package.get("packageArguments", ()), package.get("environmentVariables", ())
    found = {
        "package": (package.get("registryType"), package.get("identifier")) == ("pypi", "tfruns"),
        "package version": package.get("version") == __version__,
        "transport": package.get("transport") == {"type": "stdio"},
        "arguments": all(_is_argument(argument) for argument in arguments),
        "command": bool(arguments) and arguments[0] == {"type": "positional", "value": "mcp"},
        "variables": all(_is_variable(variable) for variable in variables),
        "secret": all(variable.get("isSecret") for variable in variables if "TOKEN" in variable.get("name", "")),
    }
    return [name for name, is_valid in found.items() if not is_valid]


def _is_argument(argument: dict[str, Any]) -> bool:
    if argument.get("type") == "positional":
        return bool({"value", "valueHint"} & set(argument)) and _is_input(argument, {"type", "valueHint", "isRepeated"})
    is_known = f"| `{argument.get('name')} " in _options()
    return argument.get("type") == "named" and is_known and _is_input(argument, {"type", "name", "isRepeated"})


@cache
def _options() -> str:
    return options_table("mcp")


def _is_variable(variable: dict[str, Any]) -> bool:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    return f"`{variable.get('name')}`" in page and _is_input(variable, {"name"})


def _is_input(document: dict[str, Any], more: set[str]) -> bool:
    choices = document.get("choices", [document.get("default")])
    return (
        set(document) <= _INPUT | more
        and document.get("format", "string") in _FORMATS
        and document.get("default") in {*choices, None}
    )


def test_server_json_is_valid() -> None:
    assert problems(DOCUMENT) == []


@rows(
    ("path", "value", "problem"),
    [
        (("$schema",), "https://example.com/schema.json", "schema"),
        (("name",), "tfruns", "name"),
        (("name",), "io.github.SOMEBODY/tfruns", "name in the README"),
        (("title",), "", "title"),
        (("description",), "x" * 101, "description"),
        (("version",), "^0.1.0", "version"),
        (("version",), "9.9.9", "version"),
        (("packages",), [], "packages"),
        (("homepage",), "https://example.com", "fields"),
        (("packages", 0, "identifier"), "other", "package"),
        (("packages", 0, "version"), "latest", "package version"),
        (("packages", 0, "transport"), {"type": "sse"}, "transport"),
        (("packages", 0, "packageArguments", 1, "name"), "--no-such-option", "arguments"),
        (("packages", 0, "packageArguments", 1, "default"), "all", "arguments"),
        (("packages", 0, "packageArguments", 0, "value"), "server", "command"),
        (("packages", 0, "environmentVariables", 0, "name"), "NO_SUCH_TOKEN", "variables"),
        (("packages", 0, "environmentVariables", 0, "isSecret"), False, "secret"),
    ],
)
def test_invalid_server_json_is_recognized(path: tuple[Any, ...], value: Any, problem: str) -> None:
    document = deepcopy(DOCUMENT)
    parent: Any = document
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    assert problem in problems(document)

"""docs/configuration.md lists every environment variable and every option of the servers."""

import ast
import re
from collections.abc import Iterable
from functools import cache

import pytest

from command_line import options_table
from tests.architecture.source import ROOT, module_name, source_files

_PAGE = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
_SAFETY = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
_VARIABLE = re.compile(r"(TFE|TFC|TF|TFRUNS|SSL_CERT|GITHUB|XDG)_[A-Z_]+|[A-Z]+_PROXY|NO_COLOR|APPDATA")
_IN_TABLE = re.compile(r"`([A-Z_]+)`")

# Read by libraries, for certificates, proxies, terminals, PostgreSQL, browsers and directories.
_READ_BY_LIBRARIES = {
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "NO_COLOR",
    "PGPASSFILE",
    "PGPASSWORD",
    "BROWSER",
    "XDG_STATE_HOME",
}


@cache
def _nodes() -> dict[str, list[ast.AST]]:
    """The syntax of each module."""
    return {module_name(path): list(ast.walk(ast.parse(path.read_text(encoding="utf-8")))) for path in source_files()}


def _strings(nodes: Iterable[ast.AST]) -> set[str]:
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _read_names(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that are read from the environment, in any form: `….environ.get("…")`, `environ["…"]`."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Call) and node.args:
            source, name = node.func, node.args[0]
        elif isinstance(node, ast.Subscript):
            source, name = node.value, node.slice
        else:
            continue
        if not (isinstance(name, ast.Constant) and isinstance(name.value, str)):
            continue
        if re.search(r"\benviron(\.get|\.pop|\.setdefault)?$|\bgetenv$", ast.unparse(source)):
            found.add(name.value)
    return found


def _variables() -> dict[str, str]:
    """The environment variables in the source, each with a module that uses it."""
    found = {}
    for module, nodes in _nodes().items():
        for text in _read_names(nodes) | {text for text in _strings(nodes) if _VARIABLE.fullmatch(text)}:
            found[text] = module
    return found


def test_every_environment_variable_is_documented() -> None:
    named = {"TF_TOKEN_": "TF_TOKEN_<host>", "TF_VAR_": "TF_VAR_<name>"}
    missing = {name: module for name, module in _variables().items() if f"`{named.get(name, name)}`" not in _PAGE}
    assert missing == {}, "modules use variables that docs/configuration.md does not list"


def test_documented_environment_variables_exist() -> None:
    documented = {name for line in _PAGE.splitlines() if line.startswith("| `") for name in _IN_TABLE.findall(line)}
    strings = set().union(*map(_strings, _nodes().values()))
    values = {"TRACE", "CHOICE", "STR", "PATH", "INT", "FLOAT"}
    assert documented - strings - _READ_BY_LIBRARIES - values == set()
    assert len(documented) > 15


@pytest.mark.parametrize("command", ["mcp", "server"])
def test_server_options_are_documented(command: str) -> None:
    table = options_table(command)
    assert table.count("\n| `--") >= 8
    assert table in _PAGE


def test_safety_page_documents_each_option_of_the_mcp_server() -> None:
    options = re.findall(r"^\| `(--[a-z-]+)", options_table("mcp"), re.MULTILINE)
    assert options
    assert [option for option in options if f"| `{option}" not in _SAFETY and f", `{option}" not in _SAFETY] == []

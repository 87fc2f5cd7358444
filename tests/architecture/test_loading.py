"""What is loaded when: the command's help and `import tfruns` stay light; what `tfruns` offers is all there."""

import ast
import importlib
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import tfruns
from tests.support.http_api import HttpApi
from tests.support.tables import rows
from tfruns import errors, vocabulary

HELP = """
import sys
sys.argv = ["tfruns", "--help"]
from tfruns.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
else:
    raise AssertionError("the help did not end the command")
print("modules:", *sys.modules)
"""


def seen_by_type_checkers() -> dict[str, str]:
    """The names that are loaded later, each with its module."""
    tree = ast.parse(Path(tfruns.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    found = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in found for alias in node.names}


LATER = seen_by_type_checkers()
AT_ONCE = sorted(set(tfruns.__all__) - set(LATER) - {"__version__"})


def run_python(code: str, *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """The output of a fresh interpreter that runs this code."""
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def modules_in(output: str) -> set[str]:
    """The outermost packages that were imported."""
    return {name.partition(".")[0] for name in output.rpartition("modules:")[2].split()}


# -- what is loaded when ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def help_output(processes: None) -> str:
    return run_python(HELP)


def test_help_lists_the_commands(help_output: str) -> None:
    assert "mcp" in help_output.rpartition("modules:")[0]
    assert "cyclopts" in modules_in(help_output)


@pytest.mark.parametrize(
    "library",
    ["mcp", "mcp_types", "starlette", "uvicorn", "httpx2", "httpx", "pydantic", "pydantic_core", "anyio", "sqlite3"],
)
def test_help_imports_no_server_client_or_models(help_output: str, library: str) -> None:
    assert library not in modules_in(help_output)


@pytest.mark.processes
@pytest.mark.parametrize("statement", ["import tfruns", "from tfruns import RunStatus, NotFound, TfrunsError"])
def test_vocabulary_and_errors_import_no_http_client_or_pydantic(statement: str) -> None:
    loaded = modules_in(run_python(f"{statement}\nimport sys\nprint('modules:', *sys.modules)"))
    assert "tfruns" in loaded
    assert loaded & {"httpx2", "httpx", "pydantic", "pydantic_core", "mcp", "mcp_types", "cyclopts", "rich"} == set()


@pytest.mark.processes
def test_models_are_loaded_without_server_and_command_line() -> None:
    loaded = modules_in(run_python("from tfruns import *\nClient, Run\nimport sys\nprint('modules:', *sys.modules)"))
    assert loaded >= {"httpx2", "pydantic"}
    assert loaded & {"mcp", "mcp_types", "cyclopts", "rich", "starlette", "uvicorn"} == set()


@pytest.mark.processes
def test_synchronous_client_is_loaded_only_when_imported() -> None:
    shown = "import sys\nprint('modules:', *sys.modules)"
    without = run_python(f"from tfruns import *\nClient, Run\n{shown}").rpartition("modules:")[2].split()
    assert not [name for name in without if name.startswith("tfruns.sync")]
    loaded = modules_in(run_python(f"from tfruns.sync import Client\nClient('https://tfe.example.com', 'x')\n{shown}"))
    assert "httpx2" in loaded
    assert loaded & {"mcp", "mcp_types", "cyclopts", "rich", "starlette", "uvicorn"} == set()


STARTED_SERVER = """
from tfruns.mcp.server import build_server
from tfruns.policy import Policy
build_server(Policy())
import sys
print("modules:", *sys.modules)
"""


@pytest.mark.processes
def test_mcp_server_starts_without_tools_client_and_models() -> None:
    loaded = run_python(STARTED_SERVER).rpartition("modules:")[2].split()
    assert "tfruns.mcp.tool_handlers" in loaded
    parts = ("tools", "gate", "tool", "runs", "client", "wire", "review", "logs")
    early = [name for name in loaded if name.startswith(tuple(f"tfruns.{part}" for part in parts))]
    assert early == []


COMMAND = """
import sys
sys.argv = ["tfruns", *{words!r}]
from tfruns.cli import main
try:
    main()
except SystemExit:
    pass
print("modules:", *sys.modules)
"""


def run_command(
    words: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> tuple[str, set[str]]:
    """The output of a command, and the modules that it imported."""
    output, _, names = run_python(COMMAND.format(words=[*words]), cwd=cwd, env=env).rpartition("modules:")
    return output, set(names.split())


# Reading commands, with which every module of their path is imported. The API responds to all of them with 404.
READING = [
    ["run", "list", "--all-workspaces"],
    ["run", "show", "run-1"],
    ["run", "history", "run-1"],
    ["run", "logs", "run-1"],
    ["workspace", "list"],
    ["workspace", "show", "network"],
]
SERVER = ["alembic", "cryptography", "dbos", "filelock", "jwt", "mako", "psycopg", "sqlalchemy", "starlette", "uvicorn"]
FORBIDDEN_IN_READING = {*SERVER, "mcp", "mcp_types", "sqlite3", "tenacity", "rich.console", "rich.text", "uvloop"}
FORBIDDEN_IN_READING |= {
    "tfruns.gate.confirmation",
    "tfruns.local.startup",
    "tfruns.local.server",
    "tfruns.local.api.app",
}


@pytest.mark.processes
def test_reading_commands_import_no_server_database_or_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFE_TOKEN", "not-a-token")
    monkeypatch.setenv("TF_CLOUD_ORGANIZATION", "acme")
    with HttpApi() as api:
        monkeypatch.setenv("TFE_ADDRESS", api.address)
        for words in READING:
            _, loaded = run_command(words)
            assert {"tfruns.client.client", "tfruns.gate.pipeline"} <= loaded, words
            assert loaded & FORBIDDEN_IN_READING == set(), words
            assert api.requests, words
            api.reset()


@pytest.mark.processes
def test_options_of_reading_commands_are_read_without_client_and_models() -> None:
    for words in READING:
        if words[:2] != ["run", "logs"]:
            output, loaded = run_command([*words[:2], "--help"])
            assert f"Usage: tfruns {words[0]} {words[1]}" in output
            assert loaded & {"pydantic", "httpx2", "anyio", "tfruns.gate.pipeline", "tfruns.tool"} == set(), words


@pytest.mark.processes
def test_attaching_and_the_lifecycle_of_the_server_import_nothing_of_it(tmp_path: Path) -> None:
    attaching = "import tfruns.local.attachment, tfruns.local.idle, tfruns.local.control"
    loaded = modules_in(run_python(f"{attaching}\nimport sys\nprint('modules:', *sys.modules)"))
    assert loaded & {*SERVER, "httpx2", "pydantic", "mcp"} == set()
    for words in (["server", "status", "--data-dir", str(tmp_path)], ["server", "stop", "--data-dir", str(tmp_path)]):
        loaded = modules_in(run_python(COMMAND.format(words=words)))
        assert loaded & {*SERVER, "httpx2", "pydantic", "mcp", "anyio"} == set(), words


# -- what `tfruns` offers ---------------------------------------------------------------------------------------------


@rows(("name", "home"), LATER.items())
def test_lazy_name_is_the_object_of_its_module(name: str, home: str) -> None:
    found = getattr(tfruns, name)
    assert found is getattr(importlib.import_module(home), name)
    assert found.__module__ == home
    assert found.__name__ == name


@rows("name", AT_ONCE)
def test_eager_name_is_the_object_of_its_module(name: str) -> None:
    home = errors if hasattr(errors, name) else vocabulary
    assert getattr(tfruns, name) is getattr(home, name)
    assert getattr(tfruns, name).__module__ == home.__name__


def test_every_lazy_name_is_exported() -> None:
    assert set(LATER) <= set(tfruns.__all__)


def test_exported_names_are_sorted_and_unique() -> None:
    assert tfruns.__all__ == sorted(set(tfruns.__all__))


def test_every_error_and_enumeration_is_exported() -> None:
    tree = {error.__name__ for error in errors.all_errors() if error.__module__ == errors.__name__}
    words = {name for name, kind in vars(vocabulary).items() if getattr(kind, "__module__", "") == vocabulary.__name__}
    assert words
    assert (tree | words) - set(tfruns.__all__) == set()


@pytest.mark.processes
def test_dir_lists_exports_before_they_are_loaded() -> None:
    shown = run_python("import tfruns\nprint(*dir(tfruns))").split()
    assert set(tfruns.__all__) <= set(shown)


@rows("name", ["client_", "Clients", "run", "_nothing"])
def test_unknown_name_is_an_attribute_error(name: str) -> None:
    with pytest.raises(AttributeError, match=f"'tfruns' has no attribute '{name}'"):
        getattr(tfruns, name)


def test_version_is_exported() -> None:
    assert tfruns.__version__ == importlib.import_module("tfruns._version").__version__

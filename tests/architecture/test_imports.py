"""The direction of imports: each part of the package knows only what is below it."""

import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, Import, imports_in, imports_of, module_name, source_files, unit_of

# What each part may import of the package, besides itself.
_GROUND = {"vocabulary", "wording", "errors", "masking", "hcl", "home", "log_output", "_version"}
_RULES = {"lifecycle", "apply_stage", "jsonapi", "wire"}
_BELOW_TOOLS = _GROUND | _RULES | {"client", "configuration", "logs", "review"}
_DECLARATIONS = {"scope", "policy", "impact", "tool", "arguments"}
_BELOW_GATE = _BELOW_TOOLS | _DECLARATIONS | {"views", "runs", "tools"}
_BELOW_EDGES = _BELOW_GATE | {"gate"}

ALLOWED: dict[str, set[str]] = {
    "vocabulary": set(),
    "wording": set(),
    "_version": set(),
    "errors": _GROUND,
    "masking": {"hcl"},
    "hcl": set(),
    "home": {"errors"},
    "log_output": _GROUND,
    "lifecycle": _GROUND | _RULES,
    "apply_stage": _GROUND | _RULES,
    "jsonapi": _GROUND | _RULES,
    "wire": _GROUND | _RULES,
    "review": _GROUND | _RULES,
    "client": _GROUND | _RULES,
    "configuration": _GROUND,
    "local": _GROUND | _RULES,
    "logs": _GROUND | {"jsonapi"},
    "views": _BELOW_TOOLS,
    "scope": _BELOW_TOOLS,
    "policy": {"errors", "scope"},
    "impact": _BELOW_TOOLS,
    "tool": _BELOW_TOOLS | _DECLARATIONS,
    "arguments": {"tool"},
    "runs": _BELOW_TOOLS | {"views", "tool", "impact", "scope"},
    "tools": _BELOW_TOOLS | _DECLARATIONS | {"views", "runs"},
    "gate": _BELOW_GATE,
    "mcp": _BELOW_EDGES | {"local"},
    "cli": _BELOW_EDGES | {"local", "mcp"},  # it starts the server
    "__main__": {"cli"},
    "": _BELOW_TOOLS,  # what `import tfruns` offers
}

# The one module in which client and local backend are put together, for Python programs.
COMPOSITION = f"{PACKAGE}.local.embedded"

# The libraries that one part alone may know.
ONLY_IN = {
    "mcp": "mcp",
    "mcp_types": "mcp",
    "cyclopts": "cli",
    "rich": "cli",
    "httpx2": "client",
}

FILES = [pytest.param(path, id=module_name(path)) for path in source_files()]


def targets_of(found: Import) -> set[str]:
    """The parts of the package that an import reaches; `from tfruns import errors` reaches that module."""
    if found.distribution != PACKAGE:
        return set()
    if found.module == PACKAGE and found.name in ALLOWED:
        return {found.name}
    return {unit_of(found.module)}


def test_every_part_of_the_package_has_its_place() -> None:
    assert {unit_of(module_name(path)) for path in source_files()} <= set(ALLOWED)
    assert {unit_of(module_name(path)) for path in source_files()} >= set(ALLOWED)


@pytest.mark.parametrize("path", FILES)
def test_a_module_imports_only_what_is_below_it(path: Path) -> None:
    unit = unit_of(module_name(path))
    allowed = ALLOWED[unit] | {unit} | ({"client"} if module_name(path) == COMPOSITION else set())
    wrong = [
        f"line {found.line}: {found.module}"
        for found in imports_of(path)
        for target in targets_of(found)
        if target not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("path", FILES)
def test_a_library_of_one_part_is_imported_by_no_other(path: Path) -> None:
    unit = "client" if module_name(path) == COMPOSITION else unit_of(module_name(path))
    wrong = [
        f"line {found.line}: {found.module}"
        for found in imports_of(path)
        if ONLY_IN.get(found.distribution, unit) != unit
    ]
    assert wrong == []


@pytest.mark.parametrize(("library", "unit"), ONLY_IN.items())
def test_each_of_these_libraries_is_really_used_by_its_part_or_nowhere(library: str, unit: str) -> None:
    users = {
        unit_of(module_name(path))
        for path in source_files()
        if library in {found.distribution for found in imports_of(path)} and module_name(path) != COMPOSITION
    }
    assert users <= {unit}
    assert users or library == "rich", f"nothing imports {library}: this rule watches nothing"


@pytest.mark.parametrize("name", ["vocabulary", "lifecycle", "errors", "masking.redaction"])
def test_the_rules_of_a_run_need_nothing_but_the_standard_library(name: str) -> None:
    path = next(path for path in source_files() if module_name(path) == f"{PACKAGE}.{name}")
    assert {found.distribution for found in imports_of(path)} <= set(sys.stdlib_module_names) | {PACKAGE}


_DOES_IO = {"os", "socket", "pathlib", "subprocess", "asyncio", "anyio", "io", "urllib", "http", "shutil", "tempfile"}


@pytest.mark.parametrize("unit", ["vocabulary", "errors", "lifecycle", "jsonapi", "wire", "review", "hcl", "masking"])
def test_the_lower_parts_do_no_io(unit: str) -> None:
    paths = [path for path in source_files() if unit_of(module_name(path)) == unit]
    assert paths
    imported = [found for path in paths for found in imports_of(path) if found.module != "urllib.parse"]  # only texts
    assert {found.distribution for found in imported} & _DOES_IO == set()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import tfruns.tools.apply_run", {"tools"}),
        ("import tfruns.tools.apply_run as r, os", {"tools"}),
        ("from tfruns.client import runs", {"client"}),
        ("from tfruns import errors, Client", {"errors", ""}),
        ("import tfruns", {""}),
        ("from . import x", {"wire"}),
        ("from .. import mcp", {"mcp"}),
        ("from ..cli.app import app", {"cli"}),
        ("def f():\n    from tfruns.mcp import server", {"mcp"}),
        ("if TYPE_CHECKING:\n    from tfruns.client.client import Client", {"client"}),
        ("import importlib\nimportlib.import_module('tfruns.cli.app')", {"cli"}),
        ("__import__('tfruns.tools')", {"tools"}),
        ("import mcp.server", set()),
    ],
)
def test_an_import_is_found_wherever_and_however_it_is_written(text: str, expected: set[str]) -> None:
    found = set[str]().union(*(targets_of(one) for one in imports_in(text, "tfruns.wire")))
    assert found == expected

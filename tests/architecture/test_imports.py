"""The direction of imports: each layer of the package imports only lower layers.

The contracts for import-linter are in pyproject.toml.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source import PACKAGE, ROOT, imports_in, imports_of, module_name, source_files, unit_of

_DOES_IO = {"os", "socket", "pathlib", "subprocess", "asyncio", "anyio", "io", "urllib", "http", "shutil", "tempfile"}


@pytest.mark.processes
def test_import_contracts() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout


def test_lifecycle_imports_only_the_standard_library() -> None:
    names = {f"{PACKAGE}.{name}" for name in ("vocabulary", "lifecycle", "errors", "masking.redaction")}
    paths = [path for path in source_files() if module_name(path) in names]
    assert len(paths) == len(names)
    for path in paths:
        assert {found.distribution for found in imports_of(path)} <= set(sys.stdlib_module_names) | {PACKAGE}, path


def test_lower_layers_do_no_io() -> None:
    for unit in ("vocabulary", "errors", "lifecycle", "jsonapi", "wire", "review", "hcl", "masking"):
        paths = [path for path in source_files() if unit_of(module_name(path)) == unit]
        assert paths, unit
        for path in paths:
            imported = [found for found in imports_of(path) if found.module != "urllib.parse"]  # does no I/O
            assert {found.distribution for found in imported} & _DOES_IO == set(), path


def test_every_form_of_import_is_found() -> None:
    forms = {
        "import tfruns.tools.apply_run as r, os": {"tfruns.tools.apply_run", "os"},
        "from . import x": {"tfruns.wire"},
        "from ..cli.app import app": {"tfruns.cli.app"},
        "def f():\n    from tfruns.mcp import server": {"tfruns.mcp"},
        "if TYPE_CHECKING:\n    from tfruns.client.client import Client": {"tfruns.client.client"},
        "importlib.import_module('tfruns.cli.app')": {"tfruns.cli.app"},
        "__import__('tfruns.tools')": {"tfruns.tools"},
    }
    for text, modules in forms.items():
        assert {found.module for found in imports_in(text, "tfruns.wire")} == modules, text

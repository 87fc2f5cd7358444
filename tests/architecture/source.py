"""The source files of the package, and their imports."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
PACKAGE = "tfruns"


@dataclass(frozen=True, slots=True)
class Import:
    """One import of a module, or of a name in it."""

    module: str  # absolute
    name: str | None  # the imported name
    line: int

    @property
    def distribution(self) -> str:
        """The top-level package, such as `mcp` for `mcp.server.stdio`."""
        return self.module.partition(".")[0]


def source_files() -> list[Path]:
    """Every module of the package."""
    return sorted((SOURCE / PACKAGE).rglob("*.py"))


def module_name(path: Path) -> str:
    """The dotted name of a module of the package."""
    return ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")


def unit_of(module: str) -> str:
    """The top-level module or subpackage of a module: `client` for `tfruns.client.runs`; empty for the root."""
    return [*module.split("."), ""][1]


def imports_of(path: Path) -> list[Import]:
    """All imports of a module: at the top, in functions, for type checkers, and with `import_module`."""
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    return list(imports_in(path.read_text(encoding="utf-8"), package))


def imports_in(text: str, package: str) -> Iterator[Import]:
    """The imports in the source of a module of `package`."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            for alias in node.names:
                yield Import(base, alias.name, node.lineno)
        elif isinstance(node, ast.Call) and _function_name(node) in {"import_module", "__import__"}:
            for argument in node.args[:1]:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Import(argument.value, None, node.lineno)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parents = package.split(".")
    return ".".join([*parents[: len(parents) - node.level + 1], *([node.module] if node.module else [])])


def _function_name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def tracked_files() -> list[Path]:
    """Every existing file under version control. Skips the test without a repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git repository")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, timeout=30).stdout
    paths = [ROOT / name for name in listed.decode().split("\0") if name]
    return [path for path in paths if path.is_file()]

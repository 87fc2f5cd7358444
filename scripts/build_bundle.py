"""Build dist/tfruns-<version>.mcpb, an MCP bundle of server type `uv`: a zip file with a manifest and the wheel.

python scripts/build_bundle.py [DIRECTORY]

The client installs the dependencies with uv, in the versions of requirements.txt, with which tfruns is tested.
Source: the MCP bundle manifest, version 0.4 (https://github.com/modelcontextprotocol/mcpb/blob/main/MANIFEST.md).
"""

import json
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from tfruns._version import __version__
from tfruns.gate.registry import offered_tools
from tfruns.policy import DEFAULT_TOOLSETS, Policy

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "bundle"
_POLICY = Policy(toolsets=DEFAULT_TOOLSETS)  # of a server without options
_PIN = re.compile(r"^[\w.-]+(?:\[[\w,]+\])?==[^\s\\]+(?: ; [^\\]+?)?(?= \\$)", re.MULTILINE)
_DATE = (2026, 1, 1, 0, 0, 0)  # the same files give the same bundle


def main() -> None:
    """Build the bundle in the given directory, or in dist/."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    directory.mkdir(parents=True, exist_ok=True)
    bundle = directory / f"tfruns-{__version__}.mcpb"
    with tempfile.TemporaryDirectory() as scratch:
        wheel = _wheel(Path(scratch))
        files = {
            "manifest.json": json.dumps(manifest(), indent=2, ensure_ascii=False).encode(),
            "pyproject.toml": project(wheel.name).encode(),
            "server.py": (SOURCE / "server.py").read_bytes(),
            "LICENSE": (ROOT / "LICENSE").read_bytes(),
            wheel.name: wheel.read_bytes(),
        }
    with zipfile.ZipFile(bundle, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o644 << 16  # readable for everyone
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    print(bundle)


def manifest() -> dict[str, Any]:
    """The manifest, with the version and the tools of this version."""
    document: dict[str, Any] = json.loads((SOURCE / "manifest.json").read_text(encoding="utf-8"))
    tools = [{"name": tool.name, "description": tool.description.split("\n")[0]} for tool in offered_tools(_POLICY)]
    return document | {"version": __version__, "tools": tools}


def project(wheel: str) -> str:
    """The project file, from which uv installs the wheel and the tested versions of its dependencies."""
    pins = _PIN.findall((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    constraints = "".join(f"  {json.dumps(pin)},\n" for pin in pins)
    return f"""\
[project]
name = "tfruns-bundle"
version = "{__version__}"
requires-python = ">=3.11"
dependencies = ["tfruns[local]"]

[tool.uv]
package = false
constraint-dependencies = [
{constraints}]

[tool.uv.sources]
tfruns = {{ path = "{wheel}" }}
"""


def _wheel(directory: Path) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    [wheel] = directory.glob("*.whl")
    return wheel


if __name__ == "__main__":
    main()

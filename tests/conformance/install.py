"""Install the pinned npm packages into .cache/node-tools; `make conformance` calls this once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conformance.node_tools import INSTALLED, PINNED, TOOLS, node, npm


def main() -> None:
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(PINNED / name, INSTALLED / name)
    path = os.pathsep.join([str(node().parent), os.environ.get("PATH", "")])
    # Use the certificate authorities of the machine, too.
    environment = {"NODE_OPTIONS": "--use-system-ca", **os.environ, "PATH": path}
    subprocess.run([*npm(), "ci", "--no-progress"], cwd=INSTALLED, env=environment, check=True)
    missing = [str(tool) for tool in TOOLS if not tool.exists()]
    if missing:
        sys.exit(f"npm ci succeeded, but these are missing: {', '.join(missing)}")


main()

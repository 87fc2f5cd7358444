"""Install the pinned npm packages into .cache/node-tools; `make conformance` calls this once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.conformance.node_tools import CONFORMANCE, INSPECTOR, INSTALLED, PINNED, node, npm


def main() -> None:
    INSTALLED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copyfile(PINNED / name, INSTALLED / name)
    path = os.pathsep.join([str(node().parent), os.environ.get("PATH", "")])
    # The machine's own certificate authorities count too, as for every other tool on it.
    environment = {"NODE_OPTIONS": "--use-system-ca", **os.environ, "PATH": path}
    subprocess.run([*npm(), "ci", "--no-progress"], cwd=INSTALLED, env=environment, check=True)
    for tool in (CONFORMANCE, INSPECTOR):
        if not tool.exists():
            sys.exit(f"npm ci succeeded, and {tool} is not there")


main()

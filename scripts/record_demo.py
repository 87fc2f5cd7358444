"""Run the demo and record its output in docs/demonstration.md."""

import subprocess
import sys
from pathlib import Path

from transcript import demo_page

ROOT = Path(__file__).parent.parent
NOTE = "<!-- Recorded by scripts/record_demo.py; do not edit. -->\n"
_TIMEOUT_S = 120


def record() -> str:
    """The output of `make demo`."""
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=_TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    (ROOT / "docs" / "demonstration.md").write_text(demo_page(record(), NOTE), encoding="utf-8")

"""Run the demonstration and record what it prints: `python scripts/record_demo.py`, then scripts/generate_docs.py."""

import subprocess
import sys
from pathlib import Path

from transcript import page

ROOT = Path(__file__).parent.parent
NOTE = "<!-- Recorded by scripts/record_demo.py; do not edit. -->\n"
_WITHIN_S = 120


def record() -> str:
    """What `make demo` prints."""
    done = subprocess.run(
        [sys.executable, "-m", "demo"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=_WITHIN_S,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{done.stdout}\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    (ROOT / "docs" / "demonstration.md").write_text(page(record(), NOTE), encoding="utf-8")

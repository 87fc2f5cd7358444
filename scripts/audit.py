"""Look up every pinned dependency in the vulnerability database of the package index; fail if one has an entry.

Where no dependency can be looked up, because the index here serves packages only, nothing is checked: that is printed.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent.parent
_REQUIREMENTS = ("requirements-dev.txt", "requirements-docs.txt")  # the first one includes the runtime's
_WITHIN_S = 300
_UNREACHABLE = "requests.exceptions."  # the connection failed: refused, timed out, or its certificate is not trusted


def main() -> None:
    """Print what was found, and exit with 1 if a dependency is vulnerable or could not be looked up."""
    message, is_failure = verdict([_audit(name) for name in _REQUIREMENTS])
    print(message)
    sys.exit(1 if is_failure else 0)


def _audit(requirements: str) -> Mapping[str, Any]:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = subprocess.run(
        [*command, "--format", "json", "--requirement", str(_ROOT / requirements)],
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    if _UNREACHABLE in done.stderr:
        return {"dependencies": []}
    if not done.stdout.startswith("{"):
        sys.exit(f"pip-audit failed: {done.stderr.strip()[-500:]}")
    report: Mapping[str, Any] = json.loads(done.stdout)
    return report


def verdict(reports: list[Mapping[str, Any]]) -> tuple[str, bool]:
    """What reports of pip-audit amount to, and whether that is a failure."""
    dependencies = [dependency for report in reports for dependency in report["dependencies"]]
    skipped = sorted({dependency["name"] for dependency in dependencies if "skip_reason" in dependency})
    vulnerable = sorted(
        {
            f"{found['name']} {found['version']}: {entry['id']}"
            for found in dependencies
            for entry in found.get("vulns", [])
        }
    )
    if vulnerable:
        return "Vulnerable dependencies:\n" + "\n".join(vulnerable), True
    if len(skipped) == len({dependency["name"] for dependency in dependencies}):
        return "No dependency was audited: the vulnerability database cannot be reached from here.", False
    if skipped:
        return f"Not in the vulnerability database: {', '.join(skipped)}.", True
    return f"{len(dependencies)} pinned dependencies have no known vulnerability.", False


if __name__ == "__main__":
    main()

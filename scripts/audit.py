"""Check every pinned dependency in the vulnerability database of the package index, and fail if one is listed.

If the database cannot be reached (some indexes serve packages only), nothing is checked, and the script says so.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent.parent
_REQUIREMENTS = ("requirements-dev.txt", "requirements-docs.txt")  # the first includes requirements.txt
_TIMEOUT_S = 300
_UNREACHABLE = "requests.exceptions."  # no connection: refused, timed out, or an untrusted certificate


def main() -> None:
    """Print the result, and exit with 1 if a dependency is vulnerable or could not be checked."""
    message, is_failure = summarize([_audit(name) for name in _REQUIREMENTS])
    print(message)
    sys.exit(1 if is_failure else 0)


def _audit(requirements: str) -> Mapping[str, Any]:
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = subprocess.run(
        [*command, "--format", "json", "--requirement", str(_ROOT / requirements)],
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    if _UNREACHABLE in done.stderr:
        return {"dependencies": []}
    if not done.stdout.startswith("{"):
        sys.exit(f"pip-audit failed: {done.stderr.strip()[-500:]}")
    report: Mapping[str, Any] = json.loads(done.stdout)
    return report


def summarize(reports: list[Mapping[str, Any]]) -> tuple[str, bool]:
    """The result of pip-audit reports as a message, and whether it is a failure."""
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
        return "No dependency was checked: the vulnerability database is unreachable.", False
    if skipped:
        return f"Not in the vulnerability database: {', '.join(skipped)}.", True
    return f"{len(dependencies)} pinned dependencies have no known vulnerabilities.", False


if __name__ == "__main__":
    main()

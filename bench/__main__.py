"""Measure, print a table, and end with code 1 if a target is missed: `python -m bench [NAME]...`."""

import os
import platform
import sys
from collections.abc import Callable

from bench import local_runs, overhead, startup, tokens
from bench.measure import Row, table

_MEASUREMENTS: dict[str, Callable[[], tuple[list[Row], list[str]]]] = {
    "startup": startup.measure,
    "tokens": tokens.measure,
    "overhead": overhead.measure,
    "local-runs": local_runs.measure,
}


def main(names: list[str]) -> int:
    unknown = set(names) - set(_MEASUREMENTS)
    if unknown:
        print(f"There is no measurement {', '.join(sorted(unknown))}; there are: {', '.join(_MEASUREMENTS)}.")
        return 2
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]  # what is measured is on loopback
    rows: list[Row] = []
    notes = [f"load average before: {os.getloadavg()[0]:.1f}"] if hasattr(os, "getloadavg") else []
    for name in names or _MEASUREMENTS:
        more, said = _MEASUREMENTS[name]()
        rows += more
        notes += [f"{name}: {note}" for note in said]
    print(table(rows))
    print()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print("\n".join(notes))
    return 0 if all(row.is_reached for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Measure, print a table, and end with code 1 if a target is missed: `python -m bench [NAME]... [--runs N]`.

`--runs` is the size of the database of `local-reads`; `--calls` and `--seed` are those of `faults`.
"""

import argparse
import os
import platform
import sys
from collections.abc import Callable
from functools import partial

from bench import created_to_planned, job, load, local_reads, local_runs, overhead, review, startup, tokens
from bench.faults import client as faulted_calls
from bench.measure import Row, table

_MEASUREMENTS: dict[str, Callable[[], tuple[list[Row], list[str]]]] = {
    "startup": startup.measure,
    "tokens": tokens.measure,
    "overhead": overhead.measure,
    "review": review.measure,
    "job": job.measure,
    "local-runs": local_runs.measure,
    "created-to-planned": created_to_planned.measure,
    "local-reads": local_reads.measure,
    "load": load.measure,
    "faults": faulted_calls.measure,
}


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--runs", type=int, default=local_reads.DEFAULT_RUNS, metavar="N")
    parser.add_argument("--calls", type=int, default=faulted_calls.DEFAULT_CALLS, metavar="N")
    parser.add_argument("--seed", type=int, metavar="N")
    chosen = parser.parse_args(arguments)
    names: list[str] = chosen.names
    measurements = _MEASUREMENTS | {
        "local-reads": partial(local_reads.measure, chosen.runs),
        "faults": partial(faulted_calls.measure, chosen.calls, chosen.seed),
    }
    unknown = set(names) - set(measurements)
    if unknown:
        print(f"There is no measurement {', '.join(sorted(unknown))}; there are: {', '.join(measurements)}.")
        return 2
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]  # what is measured is on loopback
    rows: list[Row] = []
    notes = [f"load average before: {os.getloadavg()[0]:.1f}"] if hasattr(os, "getloadavg") else []
    for name in names or measurements:
        more, said = measurements[name]()
        rows += more
        notes += [f"{name}: {note}" for note in said]
    print(table(rows))
    print()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print("\n".join(notes))
    return 0 if all(row.is_reached for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

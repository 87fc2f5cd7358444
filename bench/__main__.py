"""Run benchmarks, print a table, and exit with 1 if a target is missed: `python -m bench [NAME]...`."""

import argparse
import os
import platform
import sys
from collections.abc import Callable
from functools import partial

from bench import (
    cli,
    created_to_planned,
    faults,
    job,
    load,
    local_reads,
    local_runs,
    overhead,
    review,
    startup,
    tasks,
    tokens,
    web,
)
from bench.measure import Row, table

_BENCHMARKS: dict[str, Callable[[], tuple[list[Row], list[str]]]] = {
    "startup": startup.measure,
    "cli": cli.measure,
    "tokens": tokens.measure,
    "overhead": overhead.measure,
    "review": review.measure,
    "job": job.measure,
    "tasks": tasks.measure,
    "local-runs": local_runs.measure,
    "created-to-planned": created_to_planned.measure,
    "local-reads": local_reads.measure,
    "load": load.measure,
    "web": web.measure,
    "faults": faults.measure,
}


def main(arguments: list[str]) -> int:
    chosen = _parser().parse_args(arguments)
    names: list[str] = chosen.names
    benchmarks = _BENCHMARKS | {
        "local-reads": partial(local_reads.measure, chosen.runs),
        "faults": partial(faults.measure, chosen.calls, chosen.kills, chosen.seed, chosen.database),
    }
    unknown = sorted(set(names) - set(benchmarks))
    if unknown:
        print(f"Unknown benchmark: {', '.join(unknown)}. Available: {', '.join(benchmarks)}.")
        return 2
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            del os.environ[name]  # all benchmarks use loopback
    rows: list[Row] = []
    notes = [f"load average before: {os.getloadavg()[0]:.1f}"] if hasattr(os, "getloadavg") else []
    for name in names or benchmarks:
        its_rows, its_notes = benchmarks[name]()
        rows += its_rows
        notes += [f"{name}: {note}" for note in its_notes]
    print(table(rows))
    print()
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print("\n".join(notes))
    return 0 if all(row.is_on_target for row in rows) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(_BENCHMARKS)}; all by default")

    def number(option: str, default: int | None, text: str) -> None:
        parser.add_argument(option, type=int, default=default, metavar="N", help=text)

    number("--runs", local_reads.DEFAULT_RUNS, "local-reads: number of runs in the database (%(default)s)")
    number("--calls", faults.DEFAULT_CALLS, "faults: number of faulted calls (%(default)s); 0 skips them")
    number("--kills", faults.DEFAULT_KILLS, "faults: number of kills (%(default)s); 0 skips them")
    number("--seed", None, "faults: seed of a trial to repeat")
    parser.add_argument(
        "--database", metavar="URL", help="faults: PostgreSQL database for the server; SQLite by default"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

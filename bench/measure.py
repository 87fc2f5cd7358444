"""Shared by all benchmarks: the rows of the result, and the measured processes."""

import compileall
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import tfruns

ROOT = Path(__file__).resolve().parents[1]
CACHE = ROOT / ".cache" / "bench"


@dataclass(frozen=True, slots=True)
class Row:
    """One result.

    Attributes:
        name: the measured quantity.
        measured: its value.
        unit: unit of the value and the baseline.
        baseline: value to compare with, if any.
        at_most: upper limit of the value.
        at_least: lower limit of the value.
        ratio_at_most: upper limit of value / baseline.
        ratio_at_least: lower limit of value / baseline.
    """

    name: str
    measured: float
    unit: str
    baseline: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    ratio_at_most: float | None = None
    ratio_at_least: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.measured / self.baseline if self.baseline else None

    @property
    def has_target(self) -> bool:
        return any(
            target is not None for target in (self.at_most, self.at_least, self.ratio_at_most, self.ratio_at_least)
        )

    @property
    def is_on_target(self) -> bool:
        """Whether the result meets all its targets, if any."""
        ratio = self.ratio or 0.0
        return not (
            (self.at_most is not None and self.measured > self.at_most)
            or (self.at_least is not None and self.measured < self.at_least)
            or (self.ratio_at_most is not None and ratio > self.ratio_at_most)
            or (self.ratio_at_least is not None and ratio < self.ratio_at_least)
        )

    def cells(self) -> list[str]:
        """The cells of the table row."""
        targets = [
            None if self.at_most is None else f"<= {_number(self.at_most)} {self.unit}",
            None if self.at_least is None else f">= {_number(self.at_least)} {self.unit}",
            None if self.ratio_at_most is None else f"ratio <= {self.ratio_at_most:g}",
            None if self.ratio_at_least is None else f"ratio >= {self.ratio_at_least:g}",
        ]
        verdict = ("ok" if self.is_on_target else "MISSED") if self.has_target else ""
        return [
            self.name,
            f"{_number(self.measured)} {self.unit}",
            "" if self.baseline is None else f"{_number(self.baseline)} {self.unit}",
            "" if self.ratio is None else f"{self.ratio:.2f}",
            ", ".join(target for target in targets if target),
            verdict,
        ]


def table(rows: Sequence[Row]) -> str:
    """The results as an aligned Markdown table."""
    head = ["name", "measured", "baseline", "ratio", "target", ""]
    lines = [head, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    texts = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "| " + " | ".join("-" * width for width in widths)
    return "\n".join(f"{text} |" for text in (texts[0], rule, *texts[1:]))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.3f}"


def command() -> str:
    """The path of the installed `tfruns`."""
    return str(Path(sys.executable).parent / "tfruns")


def environment() -> dict[str, str]:
    """The environment of measured processes: without settings of the caller, and with bytecode caching."""
    settings = ("TFE_", "TFC_", "TF_", "TFRUNS_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(settings)}


def compile_sources() -> str:
    """Compile tfruns to bytecode, as an installation does. The warm-up compiles other modules. Returns a note."""
    package = Path(tfruns.__file__).parent
    compileall.compile_dir(str(package), quiet=2)
    return f"bytecode of {package} compiled; processes run without PYTHONDONTWRITEBYTECODE"


def elapsed_s(work: Callable[[], object]) -> float:
    """The duration of a call, in seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved_medians(rounds: int, *works: Callable[[], float]) -> list[float]:
    """The median of the results of each function. Calls are interleaved, so other load affects all of them."""
    for work in works:
        work()  # warm-up
    samples: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, samples, strict=True):
            times.append(work())
    return [statistics.median(times) for times in samples]


def run(*arguments: str) -> None:
    """Run a process until it exits, without the timeout of `subprocess`, which polls every 50 ms."""
    process = subprocess.Popen(arguments, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    timeout = threading.Timer(60, process.kill)
    timeout.start()
    try:
        code = process.wait()
    finally:
        timeout.cancel()
    if code != 0:
        raise subprocess.CalledProcessError(code, arguments)

"""What all measurements share: the form of a result, and the processes that are measured."""

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
        what: what was measured.
        measured: the number.
        unit: of the number and of the baseline.
        baseline: what it is compared with, if anything.
        at_most: the target for the number.
        at_least: the same, where more is better.
        ratio_at_most: the target for the number by the baseline.
        ratio_at_least: the same, where more is better.
    """

    what: str
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
    def is_reached(self) -> bool:
        """Whether every target is reached; true where there is none."""
        ratio = self.ratio or 0.0
        return not (
            (self.at_most is not None and self.measured > self.at_most)
            or (self.at_least is not None and self.measured < self.at_least)
            or (self.ratio_at_most is not None and ratio > self.ratio_at_most)
            or (self.ratio_at_least is not None and ratio < self.ratio_at_least)
        )

    def cells(self) -> list[str]:
        """The columns of the table."""
        targets = [
            None if self.at_most is None else f"<= {_number(self.at_most)} {self.unit}",
            None if self.at_least is None else f">= {_number(self.at_least)} {self.unit}",
            None if self.ratio_at_most is None else f"ratio <= {self.ratio_at_most:g}",
            None if self.ratio_at_least is None else f"ratio >= {self.ratio_at_least:g}",
        ]
        verdict = ("ok" if self.is_reached else "MISSED") if self.has_target else ""
        return [
            self.what,
            f"{_number(self.measured)} {self.unit}",
            "" if self.baseline is None else f"{_number(self.baseline)} {self.unit}",
            "" if self.ratio is None else f"{self.ratio:.2f}",
            ", ".join(target for target in targets if target),
            verdict,
        ]


def table(rows: Sequence[Row]) -> str:
    """The results as a table in Markdown, which can be read as it is."""
    head = ["what", "measured", "baseline", "ratio", "target", ""]
    lines = [head, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    texts = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    rule = "| " + " | ".join("-" * width for width in widths)
    return "\n".join(f"{text} |" for text in (texts[0], rule, *texts[1:]))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.3f}"


def command() -> str:
    """The installed command."""
    return str(Path(sys.executable).parent / "tfruns")


def environment() -> dict[str, str]:
    """The environment of what is measured: byte-code may be written, and no setting of the caller's is seen."""
    ours = ("TFE_", "TFC_", "TF_", "TFRUNS_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def compile_sources() -> str:
    """Compile our sources to byte-code, as an installation does; what else is imported is compiled by a warm-up."""
    place = Path(tfruns.__file__).parent
    compileall.compile_dir(str(place), quiet=2)
    return f"byte-code of {place} compiled; the processes run without PYTHONDONTWRITEBYTECODE"


def elapsed_s(work: Callable[[], object]) -> float:
    """Seconds that something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def interleaved_medians(rounds: int, *works: Callable[[], float]) -> list[float]:
    """The median of what each returns, all called in turn, so that a slow moment of the machine hits all of them."""
    for work in works:
        work()  # warm-up
    samples: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, samples, strict=True):
            times.append(work())
    return [statistics.median(times) for times in samples]


def run(*arguments: str) -> None:
    """Run a process to its end. It is waited for without a timeout, which `subprocess` does by polling every 50 ms."""
    process = subprocess.Popen(arguments, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    end = threading.Timer(60, process.kill)
    end.start()
    try:
        code = process.wait()
    finally:
        end.cancel()
    if code != 0:
        raise subprocess.CalledProcessError(code, arguments)

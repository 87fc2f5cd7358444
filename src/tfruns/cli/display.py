"""What is seen of a run while it is watched: a line that lives on a terminal, or plain lines where nobody looks."""

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from tfruns.cli.terminal import elapsed, err, print_lines
from tfruns.masking.text import sanitize

_MOST_LINES = 5_000  # of a log, where nobody looks: enough for any but the largest, and no flood
_REFRESHES = 8  # of the living line, a second


class Display(Protocol):
    """Where the progress of a run is shown. It is open as long as its block lasts."""

    def status(self, text: str) -> None:
        """Say where the run is."""
        ...

    def lines(self, lines: Sequence[str]) -> None:
        """Show more of the log."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def display(*, is_log_data: bool = False) -> Display:
    """The display for whatever standard error is.

    Args:
        is_log_data: the log is what was asked for: it goes to standard output, all of it, and alone.
    """
    if is_log_data:
        return LogDisplay()
    return LiveDisplay() if sys.stderr.isatty() and err().is_terminal else PlainDisplay()


class LiveDisplay:
    """The log, and below it a line with the run's status and the time that has passed."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._spinner = Spinner("dots")
        self._status = ""
        self._live = Live(
            console=err(),
            get_renderable=self._line,
            refresh_per_second=_REFRESHES,
            transient=True,
            redirect_stdout=False,
        )

    def status(self, text: str) -> None:
        """Say where the run is."""
        self._status = sanitize(text)

    def lines(self, lines: Sequence[str]) -> None:
        """Print more of the log above the line."""
        for line in lines:
            self._live.console.print(line)

    def _line(self) -> Spinner:
        self._spinner.update(text=Text(f"{self._status}  {elapsed(time.monotonic() - self._began)}", style="cyan"))
        return self._spinner

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._live.stop()


class PlainDisplay:
    """Lines on standard error: each new status, and the log, as far as it is not too long."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._status = ""
        self._shown = 0

    def status(self, text: str) -> None:
        """Print a status that is new."""
        if text != self._status:
            self._status = text
            err().print(f"[{elapsed(time.monotonic() - self._began)}] {sanitize(text)}")

    def lines(self, lines: Sequence[str]) -> None:
        """Print more of the log, until it is too much."""
        for line in lines[: max(0, _MOST_LINES - self._shown)]:
            err().print(line)
        if self._shown < _MOST_LINES < self._shown + len(lines):
            err().print(f"The log goes on, and only its first {_MOST_LINES:,} lines are shown: see `tfruns run logs`.")
        self._shown += len(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return


class LogDisplay:
    """The log alone, on standard output."""

    def status(self, text: str) -> None:
        """Say nothing."""

    def lines(self, lines: Sequence[str]) -> None:
        """Print more of the log."""
        print_lines(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return

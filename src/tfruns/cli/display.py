"""The display of a run that is watched: a live line on a terminal, plain lines otherwise."""

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

_MAX_LINES = 5_000  # of a log that is not watched on a terminal
_REFRESHES_PER_SECOND = 8


class Display(Protocol):
    """The recipient of a run's progress: a context manager, which is open during its block."""

    def status(self, text: str) -> None:
        """Show the status of the run."""
        ...

    def lines(self, lines: Sequence[str]) -> None:
        """Show log lines."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


def display(*, is_log_data: bool = False) -> Display:
    """The display for the current standard error.

    Args:
        is_log_data: show nothing but the whole log, on standard output.
    """
    if is_log_data:
        return LogDisplay()
    return LiveDisplay() if sys.stderr.isatty() and err().is_terminal else PlainDisplay()


class LiveDisplay:
    """The log, and below it a live line with the status of the run and the elapsed time."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._spinner = Spinner("dots")
        self._status = ""
        self._live = Live(
            console=err(),
            get_renderable=self._line,
            refresh_per_second=_REFRESHES_PER_SECOND,
            transient=True,
            redirect_stdout=False,
        )

    def status(self, text: str) -> None:
        """Show the status of the run in the live line."""
        self._status = sanitize(text)

    def lines(self, lines: Sequence[str]) -> None:
        """Print log lines above the live line."""
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
    """Lines on standard error: each new status, and the log up to a limit."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._status = ""
        self._shown = 0

    def status(self, text: str) -> None:
        """Print a status if it is new."""
        if text != self._status:
            self._status = text
            err().print(f"[{elapsed(time.monotonic() - self._began)}] {sanitize(text)}")

    def lines(self, lines: Sequence[str]) -> None:
        """Print log lines, up to the limit."""
        for line in lines[: max(0, _MAX_LINES - self._shown)]:
            err().print(line)
        if self._shown < _MAX_LINES < self._shown + len(lines):
            err().print(f"Only the first {_MAX_LINES:,} lines of the log are shown. For all, use `tfruns run logs`.")
        self._shown += len(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return


class LogDisplay:
    """Only the log, on standard output."""

    def status(self, text: str) -> None:
        """Ignore the status."""

    def lines(self, lines: Sequence[str]) -> None:
        """Print log lines."""
        print_lines(lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        return

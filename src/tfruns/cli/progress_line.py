"""A line on the terminal that shows what a command waits for, and for how long.

It is drawn with two escape sequences, because importing rich takes as long as a quick command.
"""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tfruns.cli.terminal import elapsed

_SHOWN_AFTER_S = 0.2
_REDRAWN_EVERY_S = 0.1
_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ASCII_FRAMES = "|/-\\"
_CLEAR = "\r\x1b[2K"


class ProgressLine:
    """The progress line of one command. It is drawn only if standard error is a terminal.

    Args:
        is_quiet: never draw it.
    """

    def __init__(self, *, is_quiet: bool = False) -> None:
        self._is_drawn = not is_quiet and sys.stderr.isatty()
        self._is_hidden = False
        self._drawing = threading.Lock()

    @contextmanager
    def shown(self, text: str) -> Iterator[None]:
        """Draw the line while this block runs, if it takes longer than a moment."""
        if not self._is_drawn:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._draw, args=(text, ended), name="progress line", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Clear the line while this block uses the terminal, for a question."""
        with self._drawing:
            self._is_hidden = True
            if self._is_drawn:
                _write(_CLEAR)
        try:
            yield
        finally:
            self._is_hidden = False

    def _draw(self, text: str, ended: threading.Event) -> None:
        frames = _FRAMES if (sys.stderr.encoding or "").lower().startswith("utf") else _ASCII_FRAMES
        began, frame, wait_s = time.monotonic(), 0, _SHOWN_AFTER_S
        while not ended.wait(wait_s):
            wait_s = _REDRAWN_EVERY_S
            seconds = time.monotonic() - began
            taken = f"  {elapsed(seconds)}" if seconds >= 1 else ""
            with self._drawing:
                if not self._is_hidden:
                    _write(f"{_CLEAR}{frames[frame % len(frames)]} {text}{taken}")
                    frame += 1
        if frame:
            _write(_CLEAR)


def _write(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()

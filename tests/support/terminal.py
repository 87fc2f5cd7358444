"""A program on a pseudo-terminal: tests wait for its output and press keys, including Ctrl-C."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.command_process import start
from tests.support.stdio import PATIENCE_S

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\r")
COLOURS = re.compile(r"\x1b\[[0-9;]*3[0-9][0-9;]*m")
_ERASED_LINE = re.compile(r"\r?[^\r\n]*\r\x1b\[2K")
_ROWS, _COLUMNS = 50, 200


def plain(text: str) -> str:
    """A text without colors."""
    return _CONTROL.sub("", text)


class Terminal:
    """A process on a terminal. The `with` block stops it."""

    def __init__(self, command: Sequence[str], *, cwd: Path, env: Mapping[str, str], columns: int = _COLUMNS) -> None:
        self._screen, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
        self.process = start(command, cwd=cwd, env=env, stdin=inner, stdout=inner, stderr=inner, is_new_session=True)
        os.close(inner)
        self._shown = b""
        self._read = 0

    @property
    def text(self) -> str:
        """Its output so far, without colors."""
        return plain(self.raw)

    @property
    def raw(self) -> str:
        """Its output so far."""
        return self._shown.decode(errors="replace")

    @property
    def picture(self) -> str:
        """The lines on the screen, without erased ones and trailing spaces."""
        return "\n".join(line.rstrip() for line in plain(_ERASED_LINE.sub("", self.raw)).splitlines())

    def expect(self, text: str, within_s: float = 2 * PATIENCE_S) -> None:
        """Wait until it shows this text after the previously expected one."""
        deadline = time.monotonic() + within_s
        while (found := self.text.find(text, self._read)) < 0:
            assert time.monotonic() < deadline, f"{text!r} was not shown:\n{self.text}"
            assert self._take(deadline), f"it exited without {text!r}:\n{self.text}"
        self._read = found + len(text)

    def press(self, keys: str) -> None:
        """Press some keys."""
        os.write(self._screen, keys.encode())

    def answer(self, question: str, answer: str) -> None:
        """Wait for a question, and answer it."""
        self.expect(question)
        self.press(f"{answer}\n")

    def interrupt(self) -> None:
        """Press Ctrl-C. Only the program itself gets the signal, since the terminal does not control it."""
        self.process.send_signal(2)

    def end(self, within_s: float = 2 * PATIENCE_S) -> int:
        """Wait until it exits, and return its exit code."""
        deadline = time.monotonic() + within_s
        while self._take(deadline):
            assert time.monotonic() < deadline, f"it did not exit:\n{self.text}"
        return self.process.wait(max(1.0, deadline - time.monotonic()))

    def _take(self, deadline: float) -> bool:
        """Read its output; False if it has exited."""
        if not select.select([self._screen], [], [], max(0.0, deadline - time.monotonic()))[0]:
            return True
        try:
            part = os.read(self._screen, 65536)
        except OSError:  # on Linux, the end of a terminal is an error
            part = b""
        self._shown += part
        return bool(part)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        os.close(self._screen)

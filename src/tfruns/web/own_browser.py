"""The browser of the computer on which the pages are served.

A client that opens a page for an assistant gets an address without a code, because whoever has a code has the session
of the person. The person presses a button on that page, and this process opens the page once more, with a code that
only the browser gets.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tfruns.web.paths import link_path
from tfruns.web.preload import preload
from tfruns.web.sessions import Sessions, Visitor

_PAUSE_S = 2.0  # any program can press the button
_OPEN = "import sys, webbrowser; sys.exit(not webbrowser.open(sys.argv[1]))"


def has_browser() -> bool:
    """Whether this process can open a browser for its user: it runs in a graphical session."""
    if os.name == "nt" or sys.platform == "darwin":
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _start(command: Sequence[str]) -> None:
    # A process of its own, because standard output may be a protocol.
    subprocess.Popen(  # noqa: S603  # a fixed program
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )


@dataclass(slots=True)
class OwnBrowser:
    """The browser.

    Attributes:
        url: the address of the pages, without a path.
        visitor: the user of this process.
        start: starts a program.
        monotonic: the clock, in seconds.
    """

    url: str
    visitor: Visitor
    start: Callable[[Sequence[str]], None] = _start
    monotonic: Callable[[], float] = time.monotonic
    _opened_at: float = field(default=-_PAUSE_S, init=False)

    def open(self, path: str, sessions: Sessions) -> bool:
        """Open a page with a new session; False if a page was opened just before."""
        now = self.monotonic()
        if now < self._opened_at + _PAUSE_S:
            return False
        self._opened_at = now
        preload()
        link = f"{self.url}{link_path(sessions.create_link_code(self.visitor), path)}"
        self.start([sys.executable, "-c", _OPEN, link])
        return True

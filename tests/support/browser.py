"""A browser for commands that open one: a program that records the addresses."""

import sys
from pathlib import Path

import httpx2

from tests.web.support import forms_of

_PROGRAM = """#!{python}
import os, sys
file = os.open({file!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(file, (sys.argv[1] + "\\n").encode())
"""


class FakeBrowser:
    """A program for the environment variable `BROWSER`.

    Args:
        directory: contains the program and the addresses.
    """

    def __init__(self, directory: Path) -> None:
        self._addresses = directory / "addresses"
        program = directory / "browser"
        program.write_text(_PROGRAM.format(python=sys.executable, file=str(self._addresses)))
        program.chmod(0o700)
        self.variables = {"BROWSER": str(program)}

    def has_opened(self) -> bool:
        """Whether an address was opened since the last call of `opened`."""
        return self._addresses.exists() and self._addresses.read_text().endswith("\n")

    def opened(self) -> list[str]:
        """The addresses that were opened since the last call."""
        try:
            text = self._addresses.read_text()
        except FileNotFoundError:
            return []
        self._addresses.unlink()
        return text.splitlines()


NO_BROWSER = {"BROWSER": "/nonexistent/browser", "PATH": "/nonexistent"}
"""The environment of a machine without a browser."""


def follow(link: str) -> httpx2.Response:
    """The response to a link with a code, which a new browser opens and continues."""
    origin = link.partition("/app")[0]
    with httpx2.Client(base_url=origin, headers={"origin": origin}, timeout=30, trust_env=False) as browser:
        form = forms_of(browser.get(link).text)["Continue"]
        return browser.post(form.action, data=form.fields, follow_redirects=True)

"""Real clients with the configurations of docs/mcp-clients.md, each with a home of its own and without an account."""

import json
import re
import shlex
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.conformance.node_tools import CLAUDE, CODEX, GEMINI, MCPORTER, OPENCODE, ROOT, command, node
from tests.support.stdio import environment, tfruns

_PAGE = (ROOT / "docs" / "mcp-clients.md").read_text(encoding="utf-8")
_TOOLS = {"claude": CLAUDE, "codex": CODEX, "gemini": GEMINI, "opencode": OPENCODE, "mcporter": MCPORTER}
_PATIENCE_S = 90


class ClientHome:
    """The home of a client, in which the command `tfruns` is found.

    Args:
        home: an empty directory.
        variables: further environment variables of the client.
    """

    def __init__(self, home: Path, **variables: str) -> None:
        self.home = home
        self.project = home / "project"
        self.project.mkdir()
        found = [str(Path(tfruns()).parent), str(node().parent), "/usr/bin", "/bin"]
        settings = {"PATH": ":".join(found), "NO_COLOR": "1", "TERM": "dumb", "CI": "1"}
        self.env = environment(home, **settings, **variables)

    def configure(self, client: str, file: str, language: str = "json", **more: Any) -> None:
        """Write the configuration that the page shows for a client, with more settings if it is JSON."""
        path = self.home / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = documented(client, language)
        path.write_text(json.dumps(json.loads(text) | more) if more else text, encoding="utf-8")

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a client, which has to succeed."""
        done = subprocess.run(
            self._line(words),
            cwd=self.project,
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, f"{shlex.join(words)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def run_documented(self, program: str) -> None:
        """Run the command of the page that adds the server to a client."""
        [line] = re.findall(rf"^\$ ({program} mcp add .*)$", _PAGE, re.MULTILINE)
        self.run(*shlex.split(line))

    @contextmanager
    def start(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Start a client, and kill it after the block or after a minute and a half."""
        process = subprocess.Popen(
            self._line(words),
            cwd=self.project,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        end = threading.Timer(_PATIENCE_S, process.kill)
        end.start()
        try:
            yield process
        finally:
            end.cancel()
            process.kill()
            process.communicate(timeout=30)

    @staticmethod
    def _line(words: Sequence[str]) -> list[str]:
        program, *arguments = words
        return [*command(_TOOLS[program]), *arguments]


def documented(client: str, language: str) -> str:
    """The first block in a language in the section of a client."""
    section = re.search(rf"^## {client}\n(.*?)(?=^## )", _PAGE, re.MULTILINE | re.DOTALL)
    assert section is not None
    block = re.search(rf"^```{language}\n(.*?)^```$", section[1], re.MULTILINE | re.DOTALL)
    assert block is not None
    return block[1]

"""Record a session in a terminal, and draw it as an animated picture for the README: docs/images/session.svg.

The commands run in a pseudo-terminal, on the local backend with real Terraform. Waiting times are omitted.
"""

import fcntl
import os
import pty
import select
import shlex
import shutil
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyte

from record_terraform_cli import server
from session_picture import COLUMNS, Line, Span, Step, picture

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "images" / "session.svg"
_ROWS = 300  # more than a command prints, so that nothing scrolls away
_TIMEOUT_S = 120


@dataclass(frozen=True, slots=True)
class Command:
    """A command of the session, the answer to its question, and its exit code."""

    line: str
    answer: str = ""
    exit_code: int = 0


SETUP = ("tfruns workspace create shop", "tfruns run create --directory . --auto-apply --yes --wait")
SESSION = (
    Command(
        """tfruns run create --directory . --message "A newer database" \\
    --var 'engine_version="17"' --wait""",
        exit_code=10,
    ),  # the run waits for a person
    Command("tfruns run review --filter replace"),
    Command("tfruns run apply", answer="no", exit_code=10),
    Command('tfruns run discard --comment "Not on a Friday."'),
)


def record() -> list[Step]:
    """The commands of the session with their output."""
    with TemporaryDirectory() as directory:
        data, project = Path(directory) / "data", Path(directory) / "shop"
        shutil.copytree(ROOT / "demo" / "shop", project)
        with server(data) as url:
            env = {
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "HOME": directory,
                "TERM": "xterm-256color",
                "TFE_ADDRESS": url,
                "TFE_TOKEN": (data / "token").read_text(encoding="utf-8").strip(),
                "TF_CLOUD_ORGANIZATION": "default",
                "TF_WORKSPACE": "shop",
                "TFRUNS_AUDIT_FILE": str(data / "audit.jsonl"),
            }
            for line in SETUP:
                subprocess.run(shlex.split(line), cwd=project, env=env, check=True, capture_output=True)
            return [Step(command.line, _run(command, project, env)) for command in SESSION]


def _run(command: Command, directory: Path, env: Mapping[str, str]) -> list[Line]:
    """The screen after a command in a pseudo-terminal."""
    screen = pyte.Screen(COLUMNS, _ROWS)
    stream = pyte.ByteStream(screen)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(directory)
        words = shlex.split(command.line.replace("\\\n", " "))
        os.execvpe(words[0], words, dict(env))  # noqa: S606  # the child
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, COLUMNS, 0, 0))
    answer = command.answer
    for data in _read(terminal):
        stream.feed(data)
        if answer and screen.display[screen.cursor.y].rstrip().endswith(":"):
            os.write(terminal, f"{answer}\n".encode())
            answer = ""
    os.close(terminal)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != command.exit_code:
        sys.exit(f"{command.line} ended with {status}")
    return _lines(screen)


def _read(terminal: int) -> Iterator[bytes]:
    """What the program writes, until it ends."""
    deadline = time.monotonic() + _TIMEOUT_S
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            data = os.read(terminal, 65_536)
        except OSError:  # the program has ended
            return
        if not data:
            return
        yield data
    sys.exit("The command did not end.")


def _lines(screen: pyte.Screen) -> list[Line]:
    """The lines of a screen as spans of one style, without blank lines at the end."""
    lines = []
    for row in range(_ROWS):
        spans: list[Span] = []
        for column in range(COLUMNS):
            cell = screen.buffer[row][column]
            style = (cell.fg, cell.bold)
            if spans and (spans[-1].color, spans[-1].is_bold) == style:
                spans[-1] = Span(spans[-1].text + cell.data, *style)
            else:
                spans.append(Span(cell.data, *style))
        lines.append(Line(tuple(spans)))
    while lines and not lines[-1].text:
        lines.pop()
    return lines


def main() -> None:
    """Write the picture."""
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture(record()), encoding="utf-8")


if __name__ == "__main__":
    main()

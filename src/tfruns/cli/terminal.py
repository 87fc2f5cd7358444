"""Output: data on standard output, everything else on standard error.

On a terminal, rich prints in color, unless `NO_COLOR` is set. In a pipe, lines are printed without rich, whose import
takes a quarter of the time of a quick command.
"""

import json
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.next_commands import next_lines, option_of
from tfruns.errors import ConfirmationNeeded, Declined, InvalidInput, PlanDiffers, TfrunsError
from tfruns.masking.redaction import safe_document, safe_text

if TYPE_CHECKING:
    from rich.console import Console


class Styled(str):
    """A text with a rich style for terminals. Everywhere else it is a plain string.

    Attributes:
        style: the rich style.
        cell: the text of a cell in a pipe: without a mark for people.
    """

    __slots__ = ("cell", "style")

    def __new__(cls, text: str, style: str = "", cell: str | None = None) -> "Styled":
        styled = super().__new__(cls, text)
        styled.style = style
        styled.cell = text if cell is None else cell
        return styled

    style: str
    cell: str


@cache
def out(width: int | None = None) -> "Console":
    """Standard output, for data, by default as wide as the terminal."""
    return _console(width=width)


@cache
def err() -> "Console":
    """Standard error, for messages."""
    return _console(stderr=True)


def _console(*, stderr: bool = False, width: int | None = None) -> "Console":
    """A console that prints data unchanged: without markup such as `[bold]`, emoji codes, and highlighted numbers.

    It does not wrap lines: `wrapped` keeps commands on one line.
    """
    from rich.console import Console  # noqa: PLC0415

    return Console(stderr=stderr, width=width, soft_wrap=True, markup=False, emoji=False, highlight=False)


def is_drawn(stream: TextIO) -> bool:
    """Whether a stream shows styles: it is a terminal, or the environment declares it as one."""
    return stream.isatty() or any(os.environ.get(name) for name in ("FORCE_COLOR", "TTY_COMPATIBLE"))


_ATOM = re.compile(r"`[^`]*`\S*|\S+")


def wrapped(text: str, width: int, indent: str = "") -> str:
    """A text with its long lines wrapped at spaces, but not within a `command`, which can then be copied.

    Args:
        text: the text.
        width: the width of the terminal.
        indent: the beginning of each further line.
    """
    return "\n".join(_wrapped_line(line, width, indent) for line in text.split("\n"))


def _wrapped_line(line: str, width: int, indent: str) -> str:
    if len(line) <= width:
        return line
    begin = line[: len(line) - len(line.lstrip())]
    lines: list[str] = []
    current = ""
    for atom in _ATOM.findall(line):
        if current and len(current) + 1 + len(atom) > width:
            lines.append(current)
            current = ""
        start = indent if lines else begin
        current = f"{current} {atom}" if current else f"{start}{atom}"
    return "\n".join([*lines, current])


def print_line(text: str = "") -> None:
    """Print a line of data, on a terminal in its style."""
    if is_drawn(sys.stdout):
        out().print(wrapped(str(text), out().width), style=text.style if isinstance(text, Styled) else None)
    else:
        print(text)


def can_ask() -> bool:
    """Whether a person can see a question and answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def print_json(document: Any) -> None:
    """Print a document as one line of JSON."""
    print(json.dumps(safe_document(document), ensure_ascii=False, separators=(",", ":")))


def print_lines(lines: Sequence[str]) -> None:
    """Print log lines that are already sanitized. rich would take a minute for 100 MB."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def say(text: str, style: str = "") -> None:
    """Print a message, without control characters and secrets."""
    if is_drawn(sys.stderr):
        err().print(wrapped(safe_text(text), err().width), style=style)
    else:
        print(safe_text(text), file=sys.stderr, flush=True)


def fail(
    error: TfrunsError, *, is_json: bool, code: ExitCode = ExitCode.ERROR, api_options: Sequence[str] = ()
) -> NoReturn:
    """Print what failed, why, and what to do, and exit.

    Args:
        error: the failure.
        is_json: print the error as JSON on standard output as well.
        code: the exit code.
        api_options: the options that select the API, for the commands that help.
    """
    if is_json:
        print_json(error.as_dict())
    message, *reasons = texts_for_person(error)
    say(message if isinstance(error, Declined) else f"Error: {message}", "bold red")
    for text in (*reasons, *next_lines(error.next_actions, api_options)):
        say(text)
    sys.exit(code)


def texts_for_person(error: TfrunsError) -> list[str]:
    """The message, the cause and the solution, without general texts that address an assistant."""
    message, *reasons = error.texts(option_of)
    general = (error.default_cause, error.default_solution) if isinstance(error, InvalidInput | Declined) else ()
    return [in_terminal(text) for text in (message, *reasons) if text and text not in general]


# What an assistant does with a tool, and a person with a command.
_IN_TERMINAL = {
    "and restart tfruns": "and repeat the command",
    "Call again with the same arguments: the person is asked": "Repeat the command: you are asked",
    "before the person answered": "before you answered",
}


def in_terminal(text: str) -> str:
    """A text for an assistant in the words of the terminal."""
    for words, others in _IN_TERMINAL.items():
        text = text.replace(words, others)
    return text


_NEEDS_PERSON = (ConfirmationNeeded, Declined, PlanDiffers)


@contextmanager
def exit_on_error(*, is_json: bool, api_options: Sequence[str] = ()) -> Iterator[None]:
    """Exit with the text and the exit code of an error that the block raises."""
    try:
        yield
    except _NEEDS_PERSON as error:
        fail(error, is_json=is_json, code=ExitCode.NEEDS_PERSON, api_options=api_options)
    except InvalidInput as error:
        fail(error, is_json=is_json, code=ExitCode.USAGE, api_options=api_options)
    except TfrunsError as error:
        fail(error, is_json=is_json, api_options=api_options)


def elapsed(seconds: float) -> str:
    """A duration for people: 8 s, 2 min 5 s, 1 h 4 min, 3 d 2 h."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3_600} h {whole % 3_600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3_600} h"

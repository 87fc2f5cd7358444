"""What is printed and where: data on standard output, everything else on standard error.

Colours are for terminals alone, and `NO_COLOR` is respected; rich looks at both by itself.
"""

import json
import sys
from functools import cache
from typing import Any, NoReturn

from rich.console import Console

from tfruns.cli.exit_codes import ExitCode
from tfruns.errors import TfrunsError


@cache
def out() -> Console:
    """Standard output, for what was asked for. Where nobody looks, lines are as long as they are."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


@cache
def err() -> Console:
    """Standard error, for everything else."""
    return Console(stderr=True, highlight=False, soft_wrap=not sys.stderr.isatty())


def can_ask() -> bool:
    """Whether there is a person who sees a question and can answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def print_json(document: Any) -> None:
    """A document for programs, in one line."""
    print(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def say(text: str, style: str = "") -> None:
    """A message."""
    err().print(text, style=style, markup=False)


def fail(error: TfrunsError, *, is_json: bool, code: ExitCode = ExitCode.ERROR) -> NoReturn:
    """Say what went wrong, why, and what to do; and end."""
    if is_json:
        print_json(error.as_dict())
    say(f"Error: {error.message}", "bold red")
    for text in (error.cause, error.solution):
        if text:
            say(text)
    sys.exit(code)

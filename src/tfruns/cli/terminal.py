"""What is printed and where: data on standard output, everything else on standard error.

Colours are for terminals alone, and `NO_COLOR` is respected; rich looks at both by itself.
"""

import json
import re
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn

from rich.console import Console

from tfruns.cli.exit_codes import ExitCode
from tfruns.errors import InvalidInput, TfrunsError
from tfruns.masking.redaction import shown_document, shown_text

# What the tools say of each other, as commands say it.
_COMMANDS = {
    "apply_run": "tfruns run apply",
    "cancel_run": "tfruns run cancel",
    "create_run": "tfruns run create",
    "diagnose_run": "tfruns run diagnose",
    "discard_run": "tfruns run discard",
    "force_cancel_run": "tfruns run force-cancel",
    "get_run_logs": "tfruns run logs",
    "review_run": "tfruns run review",
    "wait_for_run": "tfruns run wait",
}
# What they say of their arguments.
_OPTIONS = {
    "configuration_version_id": "--configuration-version",
    "filter_operation=": "--operation ",
    "offset=0 reads from the beginning": "without --tail, all of it is printed",
    "is_destroy": "--destroy",
    "page_number": "--page",
    "page_size": "--page-size",
    "plan_only: true": "--plan-only",
    "refresh_only": "--refresh-only",
    "run_id": "RUN",
    "tail_lines": "--tail",
    "terraform_version": "--terraform-version",
    "workspace_id": "--workspace",
}
_TOOL = re.compile(rf"\b({'|'.join(_COMMANDS)})\b")
_ARGUMENT = re.compile(rf"\b(?:{'|'.join(_OPTIONS)})")


@cache
def out() -> Console:
    """Standard output, for what was asked for. Where nobody looks, lines are as long as they are."""
    return _console(soft_wrap=not sys.stdout.isatty())


@cache
def err() -> Console:
    """Standard error, for everything else."""
    return _console(stderr=True, soft_wrap=not sys.stderr.isatty())


def _console(*, soft_wrap: bool, stderr: bool = False) -> Console:
    """A console that prints data as it is: `[bold]` is no style in it, `:smile:` no emoji, a number no colour."""
    return Console(stderr=stderr, soft_wrap=soft_wrap, markup=False, emoji=False, highlight=False)


def can_ask() -> bool:
    """Whether there is a person who sees a question and can answer it."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def print_json(document: Any) -> None:
    """A document for programs, in one line."""
    print(json.dumps(shown_document(document), ensure_ascii=False, separators=(",", ":")))


def print_lines(lines: Sequence[str]) -> None:
    """Lines of a log, which were sanitized before, exactly as they are. rich would take a minute for 100 MB."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def say(text: str, style: str = "") -> None:
    """A message. What others wrote in it cannot move the cursor."""
    err().print(shown_text(text), style=style)


def in_commands(text: str) -> str:
    """A sentence for the users of the tools, for the users of the commands."""
    return _TOOL.sub(lambda match: f"`{_COMMANDS[match[0]]}`", text)


def in_options(text: str) -> str:
    """What a tool says of its arguments, for who writes options."""
    return _ARGUMENT.sub(lambda match: _OPTIONS[match[0]], text)


def fail(error: TfrunsError, *, is_json: bool, code: ExitCode = ExitCode.ERROR) -> NoReturn:
    """Say what went wrong, why, and what to do; and end."""
    if is_json:
        print_json(error.as_dict())
    # The words of the API are its own; only a refusal before it was asked speaks of arguments.
    said = in_options if isinstance(error, InvalidInput) else str
    say(f"Error: {in_commands(said(error.message))}", "bold red")
    for text in (error.cause, error.solution):
        if text:
            say(in_commands(said(text)))
    sys.exit(code)

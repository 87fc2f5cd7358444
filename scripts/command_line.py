"""Documentation generated from the declarations of the command line."""

import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from cyclopts import App

from consent_table import consent_text
from tfruns.cli.app import app
from tfruns.cli.commands import ALIASES
from tfruns.cli.exit_codes import ExitCode

_CODE = re.compile(r"`[^`]*`")
_OPTION = re.compile(r"^\* (?P<names>`[^`]+`): (?P<help>.*)$")
_HEADING = re.compile(r"^#+ ")
_FENCE = "```"
_MEANING = re.compile(r"^([A-Z_]+): (.+)$", re.MULTILINE)
_INDENT = "    "
_EXAMPLE = f"{_INDENT}tfruns "
_CONTENTS = "## Table of Contents"
CONSENT_TABLE = "    {the table of consent}"


def command_line_page(note: str) -> str:
    """The page of all commands, with arguments and options."""
    title, _, rest = _reference().partition("\n")
    assert title == "# tfruns", title  # noqa: S101
    reference = _escape_html(_fence_examples(_drop_contents(rest.strip().splitlines())))
    return "\n".join([f"# Command line\n\n{note}", *reference, "", *_exit_codes()]) + "\n"


def command_help() -> dict[str, str]:
    """The docstring of each command, by `module:function`: one line per paragraph, except in examples."""
    texts = {}
    for command in _commands(app):
        function = inspect.unwrap(command.default_command)
        text = (inspect.getdoc(function) or "").replace(CONSENT_TABLE, consent_text())
        paragraphs = text.split("\n\n")
        command.help = "\n\n".join(map(_unwrap, paragraphs))  # instead of the text in help.json
        texts[f"{function.__module__}:{function.__name__}"] = command.help
    return texts


def _commands(group: App) -> Iterator[Any]:
    """The commands of a group and its subgroups."""
    for name in group:
        if not name.startswith("-") and name not in ALIASES:
            command = group[name]
            if command.default_command is not None:
                yield command
            yield from _commands(command)


def _unwrap(paragraph: str) -> str:
    return paragraph if "\n    " in paragraph else " ".join(paragraph.split())


@cache
def _reference() -> str:
    """The help of all commands, which takes most of a second to generate."""
    return app.generate_docs()


def help_examples() -> list[str]:
    """The commands that the help shows as examples."""
    return [line.strip() for line in _reference().splitlines() if line.startswith(_EXAMPLE)]


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n"
    yield "| code | meaning |\n|---|---|"
    for name, meaning in _MEANING.findall(inspect.getdoc(ExitCode) or ""):
        yield f"| {ExitCode[name].value} | {meaning} |"


def options_table(command: str) -> str:
    """The options of a command, as a Markdown table."""
    lines = iter(_reference().splitlines())
    for line in lines:
        if _HEADING.match(line) and line.endswith(f" tfruns {command}"):
            break
    rows = []
    for line in lines:
        if _HEADING.match(line):
            break
        if option := _OPTION.match(line):
            text = option["help"].replace(" *[default: False]*", "").replace("|", "\\|")
            rows.append(f"| {option['names']} | {next(_escape_html([text]))} |")
    return "\n".join(["| option | description |", "|---|---|", *rows])


def _drop_contents(lines: Iterable[str]) -> Iterator[str]:
    """Remove the table of contents, which repeats the list of commands below it."""
    is_within = False
    for line in lines:
        if line == _CONTENTS:
            is_within = True
        elif is_within and line.startswith("**"):
            is_within = False
        if not is_within:
            yield line


def _fence_examples(lines: Iterable[str]) -> Iterator[str]:
    """Convert examples and tables, which the help indents by four spaces, to code blocks."""
    is_code, is_blank = False, True
    for line in lines:
        if line.startswith(_INDENT) is not is_code:
            is_code = not is_code
            if is_code and not is_blank:
                yield ""
            language = "console" if line.startswith(_EXAMPLE) else "text"
            yield f"{_FENCE}{language}" if is_code else _FENCE
        yield line.removeprefix(_INDENT) if is_code else line
        is_blank = not line


def _escape_html(lines: Iterable[str]) -> Iterator[str]:
    """Escape `<` outside code."""
    is_code = False
    for line in lines:
        is_code ^= line.startswith(_FENCE)
        if is_code or line.startswith(_FENCE):
            yield line
            continue
        text, end = "", 0
        for code in _CODE.finditer(line):
            text += line[end : code.start()].replace("<", "&lt;") + code[0]
            end = code.end()
        yield text + line[end:].replace("<", "&lt;")

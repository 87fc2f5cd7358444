"""The page of the command line: its examples can be called, and nothing is left out."""

import re
import shlex

import pytest

from command_line import command_line_page, examples
from tests.architecture.source import ROOT
from tfruns.cli.app import app
from tfruns.cli.exit_codes import ExitCode

_PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


def test_there_are_examples() -> None:
    assert len(examples()) >= 5


@pytest.mark.parametrize("example", sorted(set(examples())))
def test_an_example_of_the_help_is_a_command_line_that_can_be_understood(example: str) -> None:
    words = shlex.split(re.split(r" [|<>] ", example, maxsplit=1)[0], comments=True)
    app.parse_args(words[1:], exit_on_error=False, print_error=False)


def test_every_command_has_a_part_of_the_page() -> None:
    commands = re.findall(r"^\* \[`([a-z-]+)`\]", _PAGE, re.MULTILINE)
    assert {"mcp", "server", "run"} <= set(commands)
    assert [name for name in commands if not re.search(rf"^#+ tfruns (\w+ )?{name}$", _PAGE, re.MULTILINE)] == []


def test_every_exit_code_is_explained() -> None:
    assert [code for code in ExitCode if f"\n| {code.value} | " not in _PAGE] == []


def test_examples_are_code_and_angle_brackets_are_text() -> None:
    page = command_line_page("")
    assert "\n    tfruns " not in page
    outside = re.sub(r"```.*?```|`[^`\n]*`", "", page, flags=re.DOTALL)
    assert "<" not in outside
    assert "&lt;" not in "".join(re.findall(r"```.*?```|`[^`\n]*`", page, flags=re.DOTALL))

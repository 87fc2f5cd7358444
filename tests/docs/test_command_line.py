"""docs/command-line.md: its examples are valid and its lists are complete."""

import re
import shlex

from cyclopts import CycloptsError

from command_line import command_line_page, help_examples
from tests.architecture.source import ROOT
from tfruns.cli.app import app
from tfruns.cli.commands import help_of
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.json_fields import with_json_fields
from tfruns.gate.consent import REQUIREMENTS

_PAGE = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")


def test_help_and_page_show_the_same_table_of_consent() -> None:
    page = (ROOT / "docs" / "mcp-clients.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?!---|a call)([a-z].*?)" + r" \| (\S+)" * 4 + r" \|$", page, re.MULTILINE)
    assert len(rows) == len(REQUIREMENTS)
    help_ = help_of("tfruns.cli.mcp:mcp")
    shown = re.findall(r"^    (?!a call)([a-z].*?) {2,}(\S+)" + r" +(\S+)" * 3 + "$", help_, re.MULTILINE)
    assert shown == rows
    assert max(map(len, re.findall(r"^    .*$", help_, re.MULTILINE))) <= 80


def test_help_has_examples() -> None:
    assert len(help_examples()) >= 100


def test_help_examples_are_valid() -> None:
    invalid = {}
    for example in help_examples():
        words = shlex.split(re.split(r" [|<>] ", example, maxsplit=1)[0], comments=True)
        try:
            app.parse_args(with_json_fields(words[1:]), exit_on_error=False, print_error=False)
        except CycloptsError as error:
            invalid[example] = str(error)
    assert invalid == {}


def test_each_command_has_a_section() -> None:
    commands = re.findall(r"^\* \[`([a-z-]+)`\]", _PAGE, re.MULTILINE)
    assert {"mcp", "server", "run"} <= set(commands)
    assert [name for name in commands if not re.search(rf"^#+ tfruns (\w+ )?{name}$", _PAGE, re.MULTILINE)] == []


def test_each_exit_code_is_explained() -> None:
    assert [code for code in ExitCode if f"\n| {code.value} | " not in _PAGE] == []


def test_examples_are_code_blocks_and_angle_brackets_are_escaped() -> None:
    page = command_line_page("")
    assert "\n    tfruns " not in page
    outside = re.sub(r"```.*?```|`[^`\n]*`", "", page, flags=re.DOTALL)
    assert "<" not in outside
    assert "&lt;" not in "".join(re.findall(r"```.*?```|`[^`\n]*`", page, flags=re.DOTALL))

"""Consoles print data unchanged, except for control characters."""

import io

import pytest
from rich.console import Console

from tfruns.cli import terminal
from tfruns.cli.terminal import print_json, say, wrapped


@pytest.mark.parametrize("console", [terminal.out, terminal.err])
def test_consoles_print_data_unchanged(console: object) -> None:
    assert callable(console)
    printed = console()
    assert isinstance(printed, Console)
    with printed.capture() as captured:
        printed.print("[bold] :smile: [/] 12 'a' https://x.example")
    assert captured.get() == "[bold] :smile: [/] 12 'a' https://x.example\n"


def test_messages_and_json_lose_only_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    text = "[bold] :smile: \x1b[31m\u202ex\u200by"
    terminal.err.cache_clear()
    say(text)
    print_json({text: [text]})
    found = capsys.readouterr()
    terminal.err.cache_clear()
    assert found.err == "[bold] :smile: xy\n"
    assert found.out == '{"[bold] :smile: xy":["[bold] :smile: xy"]}\n'
    assert io.StringIO(found.out).readlines() == [found.out]


def test_wrapping_keeps_commands_on_one_line() -> None:
    text = "  next: It waits. `tfruns run review run-AAAAAAAAAAAAAAA1 --local` shows the plan."
    assert wrapped(text, 40, "    ") == (
        "  next: It waits.\n    `tfruns run review run-AAAAAAAAAAAAAAA1 --local`\n    shows the plan."
    )
    assert wrapped(text, 100) == text
    assert wrapped("a  b\nc", 4) == "a  b\nc"

"""Rules for all commands: short help, valid examples, suggestions, and completion in a real shell."""

import ast
import inspect
import shlex
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from cyclopts import App
from rich.console import Console

from tests.support.command import Shell
from tests.support.completion import complete, completed
from tests.support.stdio import environment, tfruns
from tests.support.tables import rows
from tfruns import cli as tfruns_cli
from tfruns.cli.app import app
from tfruns.cli.commands import ALIASES
from tfruns.cli.json_fields import with_json_fields
from tfruns.gate.registry import all_tools

MAX_HELP = 60  # characters
# Commands without a result: they serve, or print a script.
WITHOUT_JSON = {"server", "mcp", "completion", "web", "web link", "profile use", "profile remove"}


def commands(of: App = app, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], App]]:
    """Every command that is not only a group, with its words."""
    for name in of:
        if not name.startswith("-") and name not in ALIASES:
            found = of[name]
            if found.default_command is not None:
                yield (*path, name), found
            yield from commands(found, (*path, name))


COMMANDS = dict(commands())
EACH = rows("words", COMMANDS, ids=map(" ".join, COMMANDS))


def is_short(text: str) -> bool:
    """Whether a text fits on one line of help beside the name of a command or an option."""
    return 0 < len(text) <= MAX_HELP and "that" not in text.split()


def examples(words: tuple[str, ...]) -> list[str]:
    """The lines under `For example:`."""
    text = COMMANDS[words].help
    return [line.strip() for line in text.partition("For example:\n")[2].splitlines() if line.strip()]


@pytest.fixture(scope="module")
def shell(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(tmp_path_factory.mktemp("home") / "here")


def test_expected_commands_exist() -> None:
    expected = {"run list", "workspace create", "config upload", "login", "logout", "doctor", "server", "mcp"}
    assert expected <= {" ".join(words) for words in COMMANDS}


@EACH
def test_command_has_a_short_summary_and_examples(words: tuple[str, ...]) -> None:
    summary = COMMANDS[words].help.partition("\n")[0]
    assert is_short(summary), summary
    assert summary.endswith(".")
    mine = " ".join(("tfruns", *words))
    assert examples(words)
    assert all(mine in line for line in examples(words))


@EACH
def test_examples_can_be_parsed(words: tuple[str, ...]) -> None:
    for line in examples(words):
        tokens = shlex.split(line.partition(" < ")[0].partition(" > ")[0].partition(" | ")[0])
        assert tokens[0] == "tfruns", line
        command, *_ = app.parse_args(with_json_fields(tokens[1:]), exit_on_error=False, print_error=False)
        assert inspect.unwrap(command) is COMMANDS[words].default_command, line


@EACH
def test_options_have_short_help_and_no_uninformative_default(words: tuple[str, ...]) -> None:
    for argument in COMMANDS[words].assemble_argument_collection():
        if argument.show:
            assert is_short(argument.parameter.help or ""), f"{words}: {argument.name}"
    shown = StringIO()
    app.help_print(list(words), console=Console(file=shown, width=200))
    noise = {word for word in ("--empty-", "[default: False]", "[default: ()]") if word in shown.getvalue()}
    assert noise == set()
    assert "--no-json" not in shown.getvalue()


@EACH
def test_command_with_a_result_has_json(words: tuple[str, ...]) -> None:
    names = {name for argument in COMMANDS[words].assemble_argument_collection() for name in argument.names}
    assert ("--json" in names) is (" ".join(words) not in WITHOUT_JSON)


def test_commands_call_only_existing_tools() -> None:
    called = {
        node.args[0].value
        for path in Path(tfruns_cli.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "call"
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert {"list_workspaces", "upload_configuration"} <= called
    assert called <= {tool.name for tool in all_tools()}


@rows("group", [(), ("run",), ("workspace",), ("config",)])
def test_help_of_a_group_has_the_summary_of_each_command(shell: Shell, group: tuple[str, ...]) -> None:
    text = " ".join(shell(*group, "--help").out.replace("│", " ").split())
    for words in COMMANDS:
        if words[: len(group)] == group and len(words) == len(group) + 1:
            summary = COMMANDS[words].help.partition("\n")[0]
            assert summary in text


def test_help_shows_examples_on_their_own_lines(shell: Shell) -> None:
    out = shell("workspace", "create", "--help").out
    assert "    tfruns workspace create network --organization acme\n" in out
    assert "[default: False]" not in out


@rows(
    "arguments, suggestion",
    [
        (("rn",), '"run"'),
        (("workspce", "list"), '"workspace"'),
        (("workspace", "lst"), '"list"'),
        (("workspace", "list", "--serch", "x"), "--search"),
        (("doctor", "--jsn"), "--json"),
        (("run", "list", "--output", "json"), "--json"),
        (("run", "list", "--format=json"), "--json"),
        (("run", "list", "--org", "acme"), "--organization"),
        (("completion", "bsh"), '"bash"'),
        (("apply", "run-1"), "`tfruns run apply`?"),
        (("outputs",), "`tfruns workspace outputs`?"),
        (("list",), "`tfruns run list` or `tfruns workspace list` or `tfruns config list`?"),
    ],
)
def test_misspelled_word_gets_a_suggestion(shell: Shell, arguments: tuple[str, ...], suggestion: str) -> None:
    done = shell(*arguments, code=2)
    assert done.out == ""
    assert f"Did you mean {suggestion}" in " ".join(done.err.replace("│", " ").split())


def test_unrelated_option_gets_no_suggestion(shell: Shell) -> None:
    done = shell("workspace", "show", "--colour", code=2)
    assert done.err == "Error: Unknown option: --colour.\nFor the usage: tfruns workspace show --help\n"


# -- completion -------------------------------------------------------------------------------------------------------


@pytest.mark.processes
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
@rows(
    "line, expected",
    [
        ("tfruns wor", ["workspace"]),
        ("tfruns workspace cr", ["create"]),
        ("tfruns workspace list --sea", ["--search"]),
        ("tfruns mcp --mode re", ["read"]),
        ("tfruns completion z", ["zsh"]),
    ],
)
def test_bash_completes_commands_options_and_values(shell: Shell, line: str, expected: list[str]) -> None:
    assert completed(shell, line) == expected


@pytest.mark.processes
@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_completes_with_the_installed_command(tmp_path: Path) -> None:
    env = {**environment(tmp_path), "PATH": f"{Path(tfruns()).parent}:/usr/bin:/bin"}
    assert complete("tfruns workspace cr", env=env, cwd=tmp_path, inherited=[]) == ["create"]


@rows("name, mark", [("bash", "complete -F"), ("zsh", "#compdef tfruns"), ("fish", "complete -c")])
def test_each_shell_has_a_completion_script(shell: Shell, name: str, mark: str) -> None:
    done = shell("completion", name)
    assert mark in done.out
    assert "workspace" in done.out
    assert done.err == ""


@pytest.mark.processes
def test_completion_is_installed_for_bash(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "here")
    done = shell("completion", "bash", "--install")
    script = tmp_path / ".local" / "share" / "bash-completion" / "completions" / "tfruns"
    assert str(script) in done.err
    assert str(script) in (tmp_path / ".bashrc").read_text()
    assert "complete -F" in script.read_text()

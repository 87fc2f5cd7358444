"""The next steps of a result or an error as commands, and the names of arguments as options.

Read-only commands do not import the tools that a next step names. So the commands of tools are read from
`tool_commands.json`, which `scripts/generate_docs.py` generates from their declarations.
"""

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tfruns.client.references import is_bare_name
from tfruns.next_actions import NextAction

_COMMANDS = Path(__file__).with_name("tool_commands.json")

# The arguments whose option has another name. A test compares the options with those of the commands.
_OPTIONS = {
    "body": "TEXT",
    "configuration_version_id": "--configuration-version",
    "directory": "DIRECTORY",
    "filter_operation": "--operation",
    "filter_source": "--source",
    "filter_status": "--status",
    "filter_status_group": "--group",
    "filter_timeframe": "--timeframe",
    "filter_workspace_names": "--workspace-names",
    "invoke_action_addrs": "--invoke-action",
    "is_destroy": "--destroy",
    "page_number": "--page",
    "state_version_id": "STATE_VERSION",
    "policy_paths": "--policy-path",
    "refresh": "--no-refresh",
    "replace_addrs": "--replace",
    "run_id": "RUN",
    "search_basic": "--search",
    "tail_lines": "--tail",
    "target_addrs": "--target",
    "timeout_s": "--timeout",
    "variables": "--var",
    "which": "--failed",
    "workspace_id": "--workspace",
}
_FLAGS = {"which": "failed"}  # the arguments whose option is a flag, and the value that it stands for
_WITHOUT_OPTION = {"offset"}  # without --tail and --search, `run logs` prints the log from its beginning


def option_of(argument: str) -> str:
    """The option for an argument of a tool; for a positional argument, its name in the help."""
    return _OPTIONS.get(argument, f"--{argument.replace('_', '-')}")


def command_of(action: NextAction, api_options: Sequence[str] = ()) -> str | None:
    """The command line of a next step; None if it has no command.

    Args:
        action: the next step.
        api_options: the options that select the API and the organization.
    """
    command = _commands().get(action.tool)
    if command is None:
        return None
    given = {name: value for name, value in _flat(action.arguments) if f"{{{name}}}" not in command}
    command = command.format_map(action.arguments)
    positional = [str(value) for name, value in given.items() if not option_of(name).startswith("-")]
    options = [part for name, value in given.items() for part in _option(name, value)]
    return shlex.join(["tfruns", *command.split(), *positional, *options, *_needed(api_options, given)])


def _needed(api_options: Sequence[str], given: Mapping[str, Any]) -> list[str]:
    """The options that a command with these arguments needs: an organization only for a bare name of a workspace."""
    needed = list(api_options)
    workspace = given.get("workspace_id")
    if "--organization" in needed and (
        "run_id" in given or "organization" in given or (workspace and not is_bare_name(workspace))
    ):
        at = needed.index("--organization")
        del needed[at : at + 2]
    return needed


def next_lines(actions: Iterable[NextAction], api_options: Sequence[str] = ()) -> list[str]:
    """A sentence for each next step that has a command: the command, and its effect."""
    commands = ((command_of(action, api_options), action.reason) for action in actions)
    return [f"`{command}` {reason}." for command, reason in commands if command is not None]


def next_text(follows: str, actions: Iterable[NextAction], api_options: Sequence[str] = ()) -> str:
    """The next steps as one paragraph: a text, and the commands."""
    return " ".join(filter(None, (follows, *next_lines(actions, api_options))))


def _flat(arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The arguments, with `params` replaced by its members."""
    for name, value in arguments.items():
        if isinstance(value, Mapping):
            yield from _flat(value)
        elif name not in _WITHOUT_OPTION:
            yield name, value


def _option(name: str, value: Any) -> Iterator[str]:
    option = option_of(name)
    if not option.startswith("-") or value is None:
        return
    if name in _FLAGS:
        value = value == _FLAGS[name]
    if isinstance(value, bool):
        if value is not option.startswith("--no-"):
            yield option
        return
    for item in value if isinstance(value, list | tuple) else (value,):
        yield option
        yield str(item)


@cache
def _commands() -> Mapping[str, str]:
    """The command of each tool, without `tfruns`."""
    commands: dict[str, str] = json.loads(_COMMANDS.read_text(encoding="utf-8"))
    return commands

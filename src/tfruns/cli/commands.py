"""The registration of commands. Each command is a function in its own file, which is imported when it is called.

The help of a command is its docstring, with examples under `For example:`. To list the commands without importing them,
their docstrings are read from `help.json`, which `scripts/generate_docs.py` generates.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cyclopts import App, Parameter

ALIASES = {"ls": "list", "view": "show", "rm": "remove"}
"""Other names of commands, in every group that has the command."""

HELP = Path(__file__).with_name("help.json")


def new_app(name: str, **options: Any) -> App:
    """A group of commands, with the settings that all groups share.

    The help is plain text, because rendering Markdown would take a third of the time of `--help`. Defaults are shown
    only if they are informative. A flag has no negative form unless the command declares one.
    """
    shown = Parameter(negative=(), show_default=_shown_default)
    return App(name=name, help_format="plaintext", default_parameter=shown, **options)


def add_commands(app: App, package: str, commands: Mapping[str, str]) -> None:
    """Add commands by name, each as `module:function` in a package."""
    for name, function in commands.items():
        target = f"{package}.{function}"
        app.command(
            target, name=name, alias=[alias for alias, full in ALIASES.items() if full == name], help=help_of(target)
        )


def help_of(target: str) -> str:
    """The help of the command `module:function`; empty until it is generated."""
    return _help().get(target, "")


@cache
def _help() -> Mapping[str, str]:
    """The help of each command, by `module:function`."""
    texts: dict[str, str] = json.loads(HELP.read_text(encoding="utf-8"))
    return texts


def _shown_default(value: Any) -> str | None:
    return None if value in (False, (), None, "") else str(value)

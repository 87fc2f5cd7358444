"""How commands are registered: each is a function in a file of its own, which is imported when it is called.

The help of a command is its docstring, with the examples under `For example:`. A list of commands must not import them
all, so their docstrings are read from `help.json`, which `scripts/generate_docs.py` writes.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from cyclopts import App, Parameter

HELP = Path(__file__).with_name("help.json")


def new_app(name: str, **options: Any) -> App:
    """A group of commands, with the settings that all groups share.

    Rendering Markdown would take a third of the time of `--help`. A default is shown if it is informative, and a flag
    has no negative form unless the command declares one.
    """
    shown = Parameter(negative=(), show_default=_shown_default)
    return App(name=name, help_format="plaintext", default_parameter=shown, **options)


def add_commands(app: App, package: str, commands: Mapping[str, str]) -> None:
    """Add commands by name, each as `module:function` below a package."""
    for name, place in commands.items():
        target = f"{package}.{place}"
        app.command(target, name=name, help=help_of(target))


def help_of(target: str) -> str:
    """The help of a command, `module:function`; empty until it is generated."""
    return _help().get(target, "")


@cache
def _help() -> Mapping[str, str]:
    """The help of each command, by `module:function`."""
    texts: dict[str, str] = json.loads(HELP.read_text(encoding="utf-8"))
    return texts


def _shown_default(value: Any) -> str | None:
    return None if value in (False, (), None, "") else str(value)

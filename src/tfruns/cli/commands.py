"""How commands are registered: each is a function in a file of its own, which is imported when it is called.

Its help is its docstring, with the examples under `For example:`. It is read from the file without importing it, so
that the list of commands needs nothing of what the commands need.
"""

import ast
import pkgutil
from collections.abc import Mapping
from typing import Any

from cyclopts import App, Parameter


def new_app(name: str, **options: Any) -> App:
    """A group of commands, with what holds for all of them.

    To render Markdown would take a third of the time of `--help`. A default is shown where it says something, and a
    flag has no opposite unless the command gives it one.
    """
    shown = Parameter(negative=(), show_default=_shown_default)
    return App(name=name, help_format="plaintext", default_parameter=shown, **options)


def add_commands(app: App, package: str, commands: Mapping[str, str]) -> None:
    """Add commands by name, each `module:function` below a package."""
    for name, place in commands.items():
        module, _, function = place.partition(":")
        app.command(f"{package}.{place}", name=name, help=docstring(f"{package}.{module}", function))


def _shown_default(value: Any) -> str | None:
    return None if value in (False, (), None, "") else str(value)


def docstring(module: str, function: str) -> str:
    """The help of a function, read from its file."""
    source = pkgutil.get_data(module.rpartition(".")[0], f"{module.rpartition('.')[2]}.py") or b""
    tree = ast.parse(source)
    found = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function)
    return "\n\n".join(map(_unwrapped, (ast.get_docstring(found) or "").split("\n\n")))


def _unwrapped(paragraph: str) -> str:
    """A paragraph on one line, for the terminal to wrap; examples stay as they are."""
    return paragraph if "\n    " in paragraph else " ".join(paragraph.split())

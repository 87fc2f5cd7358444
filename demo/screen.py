"""What the demonstration shows, readable for a person: on a terminal in colour, elsewhere as plain text."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

_console = Console(highlight=False, soft_wrap=True)
_MOST_ITEMS = 6
_LONGEST = 160


def heading(text: str) -> None:
    """Begin a part."""
    _console.print(Text(f"\n== {text} ==", style="bold"))


def say(*lines: str) -> None:
    """Say it, a line each."""
    for line in lines:
        _console.print(Text(line))


def call_text(tool: str, arguments: Mapping[str, Any], *, shown_as: Mapping[str, str]) -> str:
    """A call as one would write it; values that are long and say nothing are shown as something else."""
    parts = [f"{name}={json.dumps(shown_as.get(str(value), value))}" for name, value in arguments.items()]
    return f"> {tool}({', '.join(parts)})"


def show(answer: Mapping[str, Any], *, is_error: bool) -> None:
    """Show an answer, a line for each of its fields."""
    style = "yellow" if is_error else "dim"
    for line in _lines(answer):
        _console.print(Text(f"    {line}", style=style))


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for name, item in value.items():
        if isinstance(item, str) and "\n" in item:
            yield f"{name}:"
            yield from (f"  | {line[:_LONGEST]}" for line in item.splitlines())
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            yield f"{name}:"
            yield from (f"  - {_short(element)}" for element in item[:_MOST_ITEMS])
            if len(item) > _MOST_ITEMS:
                yield f"    and {len(item) - _MOST_ITEMS} more"
        elif item not in (None, [], {}):
            yield f"{name}: {_short(item)}"


def _short(item: Any) -> str:
    text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"

"""The output of the demo: colored on a terminal, plain text elsewhere."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

_console = Console(highlight=False, soft_wrap=True)
_MAX_ITEMS = 6
_MAX_LENGTH = 160


def heading(text: str) -> None:
    """Print a heading."""
    _console.print(Text(f"\n== {text} ==", style="bold"))


def say(*lines: str) -> None:
    """Print lines."""
    for line in lines:
        _console.print(Text(line))


def call_text(tool: str, arguments: Mapping[str, Any], *, shown_as: Mapping[str, str]) -> str:
    """A call as a line of text. `shown_as` replaces long values."""
    parts = [f"{name}={json.dumps(shown_as.get(str(value), value))}" for name, value in arguments.items()]
    return f"> {tool}({', '.join(parts)})"


def show(result: Mapping[str, Any], *, is_error: bool) -> None:
    """Print a result, one line per field."""
    style = "yellow" if is_error else "dim"
    for line in _lines(result):
        _console.print(Text(f"    {line}", style=style))


def _lines(value: Mapping[str, Any]) -> Iterator[str]:
    for name, item in value.items():
        if isinstance(item, str) and "\n" in item:
            yield f"{name}:"
            yield from (f"  | {line[:_MAX_LENGTH]}" for line in item.splitlines())
        elif isinstance(item, list) and item and isinstance(item[0], dict):
            yield f"{name}:"
            yield from (f"  - {_shorten(element)}" for element in item[:_MAX_ITEMS])
            if len(item) > _MAX_ITEMS:
                yield f"    and {len(item) - _MAX_ITEMS} more"
        elif item not in (None, [], {}):
            yield f"{name}: {_shorten(item)}"


def _shorten(item: Any) -> str:
    text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
    return text if len(text) <= _MAX_LENGTH else f"{text[: _MAX_LENGTH - 1]}…"

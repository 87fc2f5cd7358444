"""Tables for people. On a terminal they are drawn; elsewhere they are lines with tabs between the columns."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from tfruns.cli.terminal import out
from tfruns.masking.text import sanitize

_STYLES = {
    "applied": "green",
    "planned_and_finished": "green",
    "errored": "red",
    "canceled": "yellow",
    "discarded": "dim",
    "force_canceled": "red",
    "policy_soft_failed": "red",
}
_ATTENTION = "bold magenta"


def status_text(status: str, *, needs_attention: bool = False) -> Text:
    """A run's status in its colour, with a mark where a person is waited for."""
    if needs_attention:
        return Text(f"{status} !", style=_ATTENTION)
    return Text(status, style=_STYLES.get(status, "cyan"))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Text | str | None]]) -> None:
    """Print rows under their columns."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(" ".join(sanitize(str(cell or "")).split()) for cell in row))
        return
    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(sanitize(cell or "")) for cell in row))
    out().print(table)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print names and values, a line each; what is not there is left out."""
    width = max((len(name) for name, value in fields.items() if value is not None), default=0)
    for name, value in fields.items():
        if value is not None:
            text = value if isinstance(value, Text) else Text(sanitize(str(value)))
            out().print(Text(f"{name:<{width}}  ", style="dim") + text)

"""Tables and fields for people: drawn on a terminal, tab-separated otherwise.

A table in a pipe has all columns, so that a script can rely on their positions. On a terminal, columns that say nothing
are dropped. If the terminal is too narrow, free text is truncated first, then columns are hidden; an id is never cut.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tfruns.cli.moments import moment_text
from tfruns.cli.terminal import Styled, is_drawn, out, say, wrapped
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
_GAP = 2  # between columns
_WANTED_TEXT = 12  # columns are hidden to leave this much of a text
_MIN_TEXT = 8  # a text is never narrower

Cell = str | datetime | bool | int | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. A plain title stands for one without options.

    Attributes:
        title: the heading.
        is_key: shown even if all rows have the same value.
        hides: when it is hidden on a terminal that is too narrow: 1 first; 0 never.
        shrinks: its text is truncated on a terminal that is too narrow.
        wraps: its text continues on further lines.
    """

    title: str
    is_key: bool = False
    hides: int = 0
    shrinks: bool = False
    wraps: bool = False

    @property
    def is_flexible(self) -> bool:
        return self.shrinks or self.wraps


def status_text(status: str, *, needs_attention: bool = False) -> Styled:
    """The status of a run in its color, with a mark if the run needs a person."""
    if needs_attention:
        return Styled(f"{sanitize(status)} !", _ATTENTION, cell=sanitize(status))
    return Styled(sanitize(status), _STYLES.get(status, "cyan"))


def text_of(value: Any) -> str:
    """A value for people: yes or no, a time, or the text without control characters; empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment_text(value)
    return sanitize(str(value))


def print_table(columns: Sequence[str | Column], rows: Iterable[Sequence[Cell]]) -> None:
    """Print rows: with column headings on a terminal, as tab-separated lines with all columns otherwise."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(" ".join(text_of(getattr(cell, "cell", cell)).split()) for cell in row))
        return
    table = [tuple(row) for row in rows]
    if table:
        _draw([Column(column) if isinstance(column, str) else column for column in columns], table)


def _draw(columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    by_column = dict(zip(columns, zip(*rows, strict=True), strict=True))
    filled = {column: cells for column, cells in by_column.items() if any(cell not in {None, ""} for cell in cells)}
    same = {column: cells[0] for column, cells in filled.items() if _is_uninformative(column, cells)}
    shown = {column: cells for column, cells in filled.items() if column not in same}
    hidden = _print_drawn(shown)
    for label, titles in (
        ("Same in all rows", [f"{column.title} {text_of(value)}" for column, value in same.items()]),
        ("Hidden, because the terminal is too narrow", [column.title for column in hidden]),
    ):
        if titles:
            say(f"{label}: {', '.join(titles)}.", "dim")


def _is_uninformative(column: Column, cells: Sequence[Cell]) -> bool:
    """Whether the column repeats one value, which is then printed once below the table."""
    return not column.is_key and not column.is_flexible and len(cells) > 1 and len(set(cells)) == 1


def _print_drawn(shown: Mapping[Column, Sequence[Cell]]) -> list[Column]:
    """Draw the columns that fit, and return those that do not."""
    from rich.cells import cell_len  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    texts = {
        column: [Text(" ".join(text_of(cell).split()), getattr(cell, "style", "")) for cell in cells]
        for column, cells in shown.items()
    }
    natural = {
        column: max(cell_len(column.title), *(text.cell_len for text in cells)) for column, cells in texts.items()
    }
    widths = fitting_widths(natural, out().width)
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for column, width in widths.items():
        heading = column.title.upper()
        table.add_column(
            heading, width=width, no_wrap=not column.wraps, overflow="fold" if column.wraps else "ellipsis"
        )
    for row in zip(*(texts[column] for column in widths), strict=True):
        table.add_row(*row)
    total = sum(widths.values()) + _GAP * (len(widths) - 1)
    out(max(total, out().width)).print(table, soft_wrap=False)
    return [column for column in shown if column not in widths]


def fitting_widths(natural: Mapping[Column, int], available: int) -> dict[Column, int]:
    """The columns that fit into a terminal, and their widths.

    Only flexible columns become narrower than their text. If that is not enough, columns that may be hidden are
    omitted, one after the other. What then remains can be wider than the terminal: ids are never cut.

    Args:
        natural: the width of the longest text of each column.
        available: the width of the terminal.
    """
    widths = dict(natural)
    while True:
        flexible = [column for column in widths if column.is_flexible]
        fixed = sum(width for column, width in widths.items() if not column.is_flexible)
        left = available - fixed - _GAP * (len(widths) - 1)
        needed = sum(min(widths[column], _WANTED_TEXT) for column in flexible)
        optional = [column for column in widths if column.hides]
        if left >= needed or not optional:
            break
        del widths[min(optional, key=lambda column: column.hides)]
    return widths | _shares({column: widths[column] for column in flexible}, left)


def _shares(wanted: Mapping[Column, int], left: int) -> dict[Column, int]:
    """The widths of flexible columns: short ones get what they need, long ones share the rest."""
    found: dict[Column, int] = {}
    for index, (column, width) in enumerate(sorted(wanted.items(), key=lambda item: item[1])):
        share = max(left // (len(wanted) - index), min(width, _MIN_TEXT))
        found[column] = min(width, share)
        left -= found[column]
    return found


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print one line for each field. Fields without a value are omitted."""
    shown = {name: value for name, value in fields.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        label, text = f"{name:<{width}}  ", value if isinstance(value, Styled) else Styled(text_of(value))
        if is_drawn(sys.stdout):
            from rich.text import Text  # noqa: PLC0415

            lines = wrapped(str(text), out().width - len(label)).replace("\n", "\n" + " " * len(label))
            out().print(Text.assemble((label, "dim"), (lines, text.style)))
        else:
            print(label + text)

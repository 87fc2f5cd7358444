"""Tables and fields for people: drawn on a terminal, tab-separated otherwise."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tfruns.cli.terminal import Styled, is_drawn, out
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


def status_text(status: str, *, needs_attention: bool = False) -> Styled:
    """The status of a run in its color, with a mark if the run needs a person."""
    if needs_attention:
        return Styled(f"{sanitize(status)} !", _ATTENTION)
    return Styled(sanitize(status), _STYLES.get(status, "cyan"))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str | None]]) -> None:
    """Print rows with column headings on a terminal, or as tab-separated lines."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(" ".join(sanitize(cell or "").split()) for cell in row))
        return
    from rich import box  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(*columns, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(sanitize(cell or ""), getattr(cell, "style", "")) for cell in row))
    out().print(table)


def print_fields(fields: Mapping[str, Any]) -> None:
    """Print one line for each field. Fields without a value are omitted."""
    shown = {name: value for name, value in fields.items() if value is not None}
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        label, text = f"{name:<{width}}  ", value if isinstance(value, Styled) else Styled(sanitize(str(value)))
        if is_drawn(sys.stdout):
            from rich.text import Text  # noqa: PLC0415

            out().print(Text.assemble((label, "dim"), (str(text), text.style)))
        else:
            print(label + text)

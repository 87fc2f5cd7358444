"""The review of a plan for a person: dangerous changes first and marked, then all others."""

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from tfruns.cli.session import Session
from tfruns.cli.tables import print_table
from tfruns.cli.terminal import in_commands, out, say
from tfruns.masking.text import sanitize
from tfruns.tool import View

PAGE_SIZE = 100
_MAX_PAGES = 20  # each page reads the plan again
_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("-/+", "bold red"),
    "destroy": ("-", "bold red"),
    "forget": (".", "magenta"),
    "invoke": ("*", "magenta"),
    "import": ("&", "cyan"),
    "move": (">", "cyan"),
    "read": ("<=", "cyan"),
}
_DANGEROUS = {"destroy", "replace", "forget", "invoke"}


async def read_review(
    session: Session, run_id: str, *, filter_text: str = "", address: str = "", page: int | None = None
) -> View:
    """The review of a plan, or the values of one address: one page, or all pages merged.

    Of a huge plan, only the first pages are read. `next_page` is then the first page that was not.

    Raises:
        TfrunsError: the plan cannot be read.
    """
    arguments = {"run_id": run_id, "filter": filter_text, "page_size": PAGE_SIZE}
    arguments |= {"address": address} if address else {}
    view = await session.call("review_run", **arguments, page_number=page or 1)
    while page is None and (following := view.get("next_page")) and following <= _MAX_PAGES:
        more = await session.call("review_run", **arguments, page_number=following)
        view = view | {"rows": _joined(view["rows"], more["rows"]), "next_page": more["next_page"]}
    return view


def _joined(rows: list[View], more: list[View]) -> list[View]:
    """The rows of two pages. Values of one row that continue on the next page are merged."""
    if rows and more and "values" in rows[-1] and _without_values(rows[-1]) == _without_values(more[0]):
        whole = rows[-1] | {"values": [*rows[-1]["values"], *more[0]["values"]]}
        return [*rows[:-1], whole, *more[1:]]
    return [*rows, *more]


def _without_values(row: View) -> View:
    return {name: value for name, value in row.items() if name != "values"}


def print_review(view: View) -> None:
    """Print a review on standard output: drawn on a terminal, tab-separated otherwise."""
    if sys.stdout.isatty():
        draw_review(view, out())
        return
    if "rows" not in view:
        out().print(in_commands(view["plan"]))
    rows = view.get("rows", ())
    if any("values" in row for row in rows):
        print_table((), ((row["address"], row["action"], value) for row in rows for value in row["values"]))
    else:
        print_table((), map(_cells, rows))
    say(in_commands(f"{view['plan']} {' '.join(view.get('notes', ()))} {_rest(view)}".strip()))


def draw_review(view: View, console: Console) -> None:
    """Draw a review on a console."""
    console.print(Text(f"{view['run_id']} is {view['status']}.", style="dim"))
    for note in view.get("notes", ()):
        console.print(Text(f"! {sanitize(in_commands(note))}", style="yellow"))
    if view.get("notes"):
        console.print()
    for row in view.get("rows", ()):
        for line in _lines(row):
            console.print(line)
    console.print(Text(sanitize(in_commands(view["plan"])), style="bold"))
    if view.get("counts") and view.get("changed_outputs"):
        console.print(_many(view["changed_outputs"], "output changes", "outputs change"))
    if view.get("counts") and view.get("changed_outside_of_terraform"):
        drifted = _many(view["changed_outside_of_terraform"], "resource has changed", "resources have changed")
        console.print(f"{drifted} outside of Terraform")
    if rest := _rest(view):
        console.print(Text(rest, style="yellow"))
    if view.get("fingerprint"):
        console.print(Text(f"fingerprint {view['fingerprint']}", style="dim"))


def is_dangerous(row: View) -> bool:
    """Whether a change loses or may lose something. A deferred change is not made by this run."""
    return not row.get("deferred") and (row["action"] in _DANGEROUS or "danger" in row)


def _lines(row: View) -> Iterator[Text]:
    sign, style = _SIGNS.get(row["action"], ("?", "yellow"))
    mark = "!" if is_dangerous(row) else " "
    why = "; ".join(text for text in (row["action"], why_of(row)) if text)
    yield Text(f"{mark} {sign:>3} {sanitize(named(row))}", style=style) + Text(f"  {sanitize(why)}", style="dim")
    for change in (*row.get("changes", ()), *row.get("values", ())):
        yield Text(f"        {sanitize(change)}", style="red" if change.endswith("(forces replacement)") else "")
    if row.get("more_changes"):
        yield Text(
            f"        … {_many(row['more_changes'], 'more line', 'more lines')}: --address shows all", style="dim"
        )


def named(row: View) -> str:
    """The address of a row, with the keys of its instances."""
    keys = f" ({row['count']}: {', '.join(row['keys'])})" if row.get("count") else ""
    return f"{row['address']}{keys}"


def why_of(row: View) -> str:
    """Why a change is dangerous, why it is made, and from where its resource was moved or imported."""
    moved = row.get("moved_from")
    id_, identity = row.get("import_id"), row.get("import_identity")
    parts = (
        row.get("danger"),
        row.get("why"),
        f"moved from {moved}" if moved else None,
        f"imported by id {id_}" if id_ else None,
        f"imported by identity {identity}" if identity else None,
    )
    return "; ".join(part for part in parts if part)


def _cells(row: View) -> tuple[str, ...]:
    changes = [*row.get("changes", ()), *([f"… {row['more_changes']} more"] if row.get("more_changes") else [])]
    mark = "!" if is_dangerous(row) else ""
    count, keys = str(row.get("count", 1)), ", ".join(row.get("keys", ()))
    return (mark, row["action"], row["address"], count, why_of(row), "; ".join(changes), keys)


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _rest(view: View) -> str:
    if not view.get("next_page"):
        return ""
    pages = f"the next page is --page {view['next_page']} of {view['total_pages']}"
    if any("values" in row for row in view["rows"]):
        return f"More values follow: {pages}."
    return f"{len(view['rows'])} of {view['total_rows']} rows are shown; {pages}. --filter shows fewer."

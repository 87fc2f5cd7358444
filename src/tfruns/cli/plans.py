"""A plan as a person wants it: what it would do, the dangerous first and marked, and each change."""

import sys
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from tfruns.cli.calling import Session
from tfruns.cli.tables import print_table
from tfruns.cli.terminal import in_commands, out, say
from tfruns.masking.text import sanitize
from tfruns.tools.registry import View

PAGE_SIZE = 100
_MOST_PAGES = 20  # a plan is read anew for each
_SIGNS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("-/+", "bold red"),
    "destroy": ("-", "bold red"),
    "forget": (".", "magenta"),
    "import": ("&", "cyan"),
    "move": (">", "cyan"),
    "read": ("<=", "cyan"),
}
_LOSING = {"destroy", "replace", "forget"}


async def read_review(session: Session, run_id: str, *, filter_text: str = "", page: int | None = None) -> View:
    """The review of a plan: one page, or as many as there are, as one document.

    Of a huge plan, the first pages; `next_page` says from which one on the rest is.

    Raises:
        TfrunsError: it cannot be read.
    """
    arguments = {"run_id": run_id, "filter": filter_text, "page_size": PAGE_SIZE}
    view = await session.call("review_run", **arguments, page_number=page or 1)
    while page is None and (following := view.get("next_page")) and following <= _MOST_PAGES:
        more = await session.call("review_run", **arguments, page_number=following)
        view = view | {"rows": [*view["rows"], *more["rows"]], "next_page": more["next_page"]}
    return view


def print_review(view: View) -> None:
    """Print a review on standard output: rows with tabs where nobody looks."""
    if sys.stdout.isatty():
        draw_review(view, out())
        return
    if "rows" not in view:
        out().print(in_commands(view["plan"]), markup=False)
    print_table((), (_cells(row) for row in view.get("rows", ())))
    say(in_commands(f"{view['plan']} {' '.join(view.get('notes', ()))} {_rest(view)}".strip()))


def draw_review(view: View, console: Console) -> None:
    """Draw a review for a person."""
    console.print(Text(f"{view['run_id']} is {view['status']}.", style="dim"))
    for note in view.get("notes", ()):
        console.print(Text(f"! {sanitize(in_commands(note))}", style="yellow"))
    if view.get("notes"):
        console.print()
    for row in view.get("rows", ()):
        for line in _lines(row):
            console.print(line)
    console.print(Text(sanitize(in_commands(view["plan"])), style="bold"))
    if view.get("changed_outputs"):
        console.print(_many(view["changed_outputs"], "output changes", "outputs change"))
    if view.get("changed_outside_of_terraform"):
        drifted = _many(view["changed_outside_of_terraform"], "resource has changed", "resources have changed")
        console.print(f"{drifted} outside of Terraform")
    if rest := _rest(view):
        console.print(Text(rest, style="yellow"))
    if view.get("fingerprint"):
        console.print(Text(f"fingerprint {view['fingerprint']}", style="dim"))


def is_dangerous(row: View) -> bool:
    """Whether something is lost by a change, or may be."""
    return row["action"] in _LOSING or "danger" in row


def _lines(row: View) -> Iterator[Text]:
    sign, style = _SIGNS.get(row["action"], ("?", "yellow"))
    mark = "!" if is_dangerous(row) else " "
    count = f" ({row['count']}: {', '.join(row['keys'])})" if row.get("count") else ""
    why = "; ".join(said for said in (row["action"], why_of(row)) if said)
    yield Text(f"{mark} {sign:>3} {sanitize(row['address'] + count)}", style=style) + Text(
        f"  {sanitize(why)}", style="dim"
    )
    for change in row.get("changes", ()):
        yield Text(f"        {sanitize(change)}", style="red" if change.endswith("(forces replacement)") else "")
    if row.get("more_changes"):
        yield Text(f"        … and {row['more_changes']} attributes more", style="dim")


def why_of(row: View) -> str:
    """Why a change is dangerous, why it is made, and where what it changes came from."""
    moved, imported = row.get("moved_from"), row.get("import_id")
    said = (
        row.get("danger"),
        row.get("why"),
        f"moved from {moved}" if moved else None,
        f"imported from {imported}" if imported else None,
    )
    return "; ".join(part for part in said if part)


def _cells(row: View) -> tuple[str, ...]:
    changes = [*row.get("changes", ()), *([f"… {row['more_changes']} more"] if row.get("more_changes") else [])]
    mark = "!" if is_dangerous(row) else ""
    return (mark, row["action"], row["address"], str(row.get("count", 1)), why_of(row), "; ".join(changes))


def _many(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _rest(view: View) -> str:
    if not view.get("next_page"):
        return ""
    return (
        f"{len(view['rows'])} of {view['total_rows']} rows are shown; the next are --page {view['next_page']} "
        f"of {view['total_pages']}. --filter shows less."
    )

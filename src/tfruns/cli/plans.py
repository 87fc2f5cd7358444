"""The review of a plan for a person: dangerous changes first and marked, then all others."""

import sys
from collections.abc import Iterator
from dataclasses import replace

from rich.console import Console
from rich.text import Text

from tfruns.cli.session import Session
from tfruns.cli.tables import print_table
from tfruns.cli.terminal import out, print_line, say
from tfruns.masking.text import sanitize
from tfruns.views.review import PlanReviewView, ReviewRow, ReviewView
from tfruns.wording import counted

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
) -> ReviewView:
    """The review of a plan, or the values of one address: one page, or all pages merged.

    Of a huge plan, only the first pages are read. `next_page` is then the first page that was not.

    Raises:
        TfrunsError: the plan cannot be read.
    """
    arguments = {"run_id": run_id, "filter": filter_text, "page_size": PAGE_SIZE}
    arguments |= {"address": address} if address else {}
    view = await session.call("review_run", ReviewView, **arguments, page_number=page or 1)
    if page is not None or not isinstance(view, PlanReviewView):
        return view
    while (following := view.next_page) and following <= _MAX_PAGES:
        more = await session.call("review_run", PlanReviewView, **arguments, page_number=following)
        view = replace(view, rows=_joined(view.rows, more.rows), next_page=more.next_page)
    return view


def _joined(rows: tuple[ReviewRow, ...], more: tuple[ReviewRow, ...]) -> tuple[ReviewRow, ...]:
    """The rows of two pages. Values of one row that continue on the next page are merged."""
    if rows and more and rows[-1].values is not None and _without_values(rows[-1]) == _without_values(more[0]):
        whole = replace(rows[-1], values=(*rows[-1].values, *(more[0].values or ())))
        return (*rows[:-1], whole, *more[1:])
    return (*rows, *more)


def _without_values(row: ReviewRow) -> ReviewRow:
    return replace(row, values=None)


def print_review(session: Session, view: ReviewView) -> None:
    """Print a review on standard output: drawn on a terminal, tab-separated otherwise."""
    if not isinstance(view, PlanReviewView):
        print_line(session.next_text(view.plan, view.next_actions))
    elif sys.stdout.isatty():
        draw_review(view, out())
    else:
        if any(row.values is not None for row in view.rows):
            print_table((), ((row.address, row.action, value) for row in view.rows for value in row.values or ()))
        else:
            print_table((), map(_cells, view.rows))
        say(" ".join(filter(None, (view.plan, *view.notes, _rest(view)))))


def draw_review(view: ReviewView, console: Console) -> None:
    """Draw a review on a console."""
    console.print(Text(f"{view.run_id} is {view.status}.", style="dim"))
    if not isinstance(view, PlanReviewView):
        console.print(Text(sanitize(view.plan), style="bold"))
        return
    for note in view.notes:
        console.print(Text(f"! {sanitize(note)}", style="yellow"))
    if view.notes:
        console.print()
    for row in view.rows:
        for line in _lines(row):
            console.print(line)
    console.print(Text(sanitize(view.plan), style="bold"))
    if view.counts and view.changed_outputs:
        console.print(counted(view.changed_outputs, "output change"))
    if view.counts and view.changed_outside_of_terraform:
        drifted = counted(view.changed_outside_of_terraform, "resource has changed", "resources have changed")
        console.print(f"{drifted} outside of Terraform")
    if rest := _rest(view):
        console.print(Text(rest, style="yellow"))
    if view.fingerprint:
        console.print(Text(f"fingerprint {view.fingerprint}", style="dim"))


def is_dangerous(row: ReviewRow) -> bool:
    """Whether a change loses or may lose something. A deferred change is not made by this run."""
    return not row.deferred and (row.action in _DANGEROUS or bool(row.danger))


def _lines(row: ReviewRow) -> Iterator[Text]:
    sign, style = _SIGNS.get(row.action, ("?", "yellow"))
    mark = "!" if is_dangerous(row) else " "
    why = "; ".join(text for text in (row.action, why_of(row)) if text)
    yield Text(f"{mark} {sign:>3} {sanitize(named(row))}", style=style) + Text(f"  {sanitize(why)}", style="dim")
    for change in (*row.changes, *(row.values or ())):
        yield Text(f"        {sanitize(change)}", style="red" if change.endswith("(forces replacement)") else "")
    if row.more_changes:
        yield Text(f"        … {counted(row.more_changes, 'more line')}: --address shows all", style="dim")


def named(row: ReviewRow) -> str:
    """The address of a row, with the keys of its instances."""
    keys = f" ({row.count}: {', '.join(row.keys)})" if row.count else ""
    return f"{row.address}{keys}"


def why_of(row: ReviewRow) -> str:
    """Why a change is dangerous, why it is made, and from where its resource was moved or imported."""
    moved, id_, identity = row.moved_from, row.import_id, row.import_identity
    parts = (
        row.danger,
        row.why,
        f"moved from {moved}" if moved else None,
        f"imported by id {id_}" if id_ else None,
        f"imported by identity {identity}" if identity else None,
    )
    return "; ".join(part for part in parts if part)


def _cells(row: ReviewRow) -> tuple[str, ...]:
    changes = [*row.changes, *([f"… {row.more_changes} more"] if row.more_changes else [])]
    mark = "!" if is_dangerous(row) else ""
    count, keys = str(row.count or 1), ", ".join(row.keys)
    return (mark, row.action, row.address, count, why_of(row), "; ".join(changes), keys)


def _rest(view: PlanReviewView) -> str:
    if not view.next_page:
        return ""
    pages = f"the next page is --page {view.next_page} of {view.total_pages}"
    if any(row.values is not None for row in view.rows):
        return f"More values follow: {pages}."
    return f"{len(view.rows)} of {view.total_rows} rows are shown; {pages}. --filter shows fewer."

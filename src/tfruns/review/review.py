"""The review of a plan: its counts, what is to be known about it, and one page of its rows."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.filters import select, what_there_is
from tfruns.review.full_values import full_values
from tfruns.review.headline import headline
from tfruns.review.pages import PAGE_BYTES, page_of, size_of
from tfruns.review.plan_document import PlanDocument, objects_in
from tfruns.review.rows import Entry, Kind, entries, rows
from tfruns.review.summary import Summary

_CHECKS = 5  # that failed and are named, as are actions
_WORDS = 160  # characters of a check's message
_FILTER = 80  # and of a filter that is repeated
_NOTES = 2_500  # bytes of all notes
_NOT_FAILED = ("pass", "unknown", None)  # unknown: what it checks is known after the apply
_FAILED = {"fail": "failed", "error": "could not be evaluated"}


def review(
    document: PlanDocument,
    secrets: Secrets,
    summary: Summary,
    head: dict[str, Any],
    *,
    filter_text: str = "",
    address: str = "",
    page_number: int = 1,
    page_size: int = 50,
    is_refresh_only: bool = False,
    has_changes: bool | None = None,
) -> dict[str, Any]:
    """One page of a plan's review, of 9,200 bytes at most.

    Args:
        document: the plan.
        secrets: its sensitive values.
        summary: the plan in a few numbers.
        head: what is said of its run: small.
        address: only its values, all of them in full; no filter is applied then.
        filter_text: an action, an address and what is below it, or a type of resources.
        page_number: from 1.
        page_size: rows at most; fewer, where they would be too large.
        is_refresh_only: the run only records changes that were made outside of Terraform.
        has_changes: what the API says of the run.
    """
    view = head | {"plan": headline(summary, is_refresh_only=is_refresh_only, has_changes=has_changes)}
    if address.strip():
        view |= {"fingerprint": summary.fingerprint}
        return full_values(document, secrets, view, address, page_number=page_number)
    everything = entries(document, is_refresh_only=is_refresh_only)
    selected = select(everything, filter_text)
    view |= _numbers(summary, is_refresh_only=is_refresh_only)
    notes = [*_notes(document, everything, secrets)]
    if filter_text.strip() and not selected:
        notes = [f"Nothing matches {_quoted(filter_text, secrets)}. The plan has {what_there_is(everything, secrets)}."]
    if notes:
        view["notes"] = _bounded([secrets.hide(note) for note in notes])
    room = PAGE_BYTES - size_of(view) - _PAGING
    found = rows(selected, secrets)
    page = page_of(found, secrets, number=page_number, size=page_size, max_bytes=room)
    if page_number > page.total:
        view["notes"] = [f"There is no page {page_number}: the last one is {page.total}."]
    return view | {
        "rows": page.rows,
        "page": page.number,
        "next_page": page.number + 1 if page.number < page.total else None,
        "total_pages": page.total,
        "total_rows": len(found),
    }


def _bounded(notes: list[str]) -> list[str]:
    """As many of the notes as there is room for; the most important stand first."""
    shown = list(notes)
    while size_of(shown) > _NOTES:
        shown.pop()
    return shown if len(shown) == len(notes) else [*shown, f"Left out: {_many(len(notes) - len(shown), 'note')}."]


_PAGING = len('"rows":[],"page":99999,"next_page":99999,"total_pages":99999,"total_rows":9999999,')


def _numbers(summary: Summary, *, is_refresh_only: bool) -> dict[str, Any]:
    numbers = {
        "counts": summary.counts.as_dict(),
        "changed_outputs": summary.outputs,
        "changed_outside_of_terraform": summary.drifted if is_refresh_only else 0,
    }
    return {name: value for name, value in numbers.items() if value} | {"fingerprint": summary.fingerprint}


def _notes(document: PlanDocument, everything: Sequence[Entry], secrets: Secrets) -> Iterator[str]:
    """What a reader has to know besides the rows, the most important first."""
    if document.is_errored:
        yield "Planning failed: this plan is incomplete and cannot be applied."
    if document.unreadable:
        yield (
            f"tfruns does not know the form of {_many(document.unreadable, 'entry', 'entries')} of the plan. "
            "Look at it in the browser before it is applied."
        )
    if document.is_incomplete and not document.is_errored:
        yield "Terraform calls this plan incomplete: another plan is needed after its apply."
    if document.unmarked:
        yield (
            f"{document.unmarked}: values are masked by the names of their attributes, and any other value may be "
            "secret as well."
        )
    yield from _checks(document, secrets)
    unshown = [entry.kind for entry in everything if not entry.is_shown and not entry.is_attached]
    if reads := unshown.count(Kind.READ):
        yield f'The apply reads {_many(reads, "data source")} (filter "read").'
    if drifted := unshown.count(Kind.DRIFT):
        yield f'Changed outside of Terraform and not shown: {_many(drifted, "resource")} (filter "drift").'
    if document.is_redacted:
        yield (
            "Read from the redacted plan, which has another fingerprint than the full one and does not tell "
            "failed checks, deferred actions, or whether it is complete."
        )


def _checks(document: PlanDocument, secrets: Secrets) -> Iterator[str]:
    """The checks, preconditions and postconditions that do not hold."""
    checks = objects_in(document.source.get("checks"))
    failed = [check for check in checks if check.get("status") not in _NOT_FAILED]
    for check in failed[:_CHECKS]:
        address = check.get("address")
        name = address.get("to_display") if isinstance(address, dict) else None
        messages = [
            str(problem.get("message"))
            for instance in objects_in(check.get("instances"))
            for problem in objects_in(instance.get("problems"))
        ]
        said = f": {_quoted('; '.join(messages), secrets)}" if messages else ""
        shown = secrets.shown(name, _FILTER) if isinstance(name, str) else "without a name"
        status = str(check.get("status"))
        outcome = _FAILED.get(status) or f"has the status {_quoted(status, secrets)}"
        yield f"The check {shown} {outcome}{said}."
    if len(failed) > _CHECKS:
        yield f"Also not passed: {_many(len(failed) - _CHECKS, 'check')}."


def _many(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _quoted(text: str, secrets: Secrets) -> str:
    """A text of the plan or the caller, so that it can be told from ours."""
    return json.dumps(secrets.shown(text, _WORDS), ensure_ascii=False)

"""The review of a plan: headline, counts, notes, and one page of rows."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from tfruns.masking.secrets import Secrets
from tfruns.review.filters import available_filters, select
from tfruns.review.full_values import full_values
from tfruns.review.headline import headline
from tfruns.review.pages import PAGE_BYTES, paginate, size_of
from tfruns.review.plan_document import PlanDocument, objects_in
from tfruns.review.rows import PlanSection, ReviewEntry, collect_entries, group_rows
from tfruns.review.summary import PlanSummary

_MAX_CHECKS = 5  # failed checks that are named
_MAX_QUOTED = 160  # characters of the message of a check, or of a filter
_MAX_NAME = 80  # characters of the name of a check
_MAX_NOTES = 2_500  # bytes of all notes
_NOT_FAILED = ("pass", "unknown", None)  # unknown: the result is known only after apply
_FAILED = {"fail": "failed", "error": "could not be evaluated"}


def review(
    document: PlanDocument,
    secrets: Secrets,
    summary: PlanSummary,
    head: dict[str, Any],
    *,
    filter_text: str = "",
    address: str = "",
    page_number: int = 1,
    page_size: int = 50,
    is_refresh_only: bool = False,
    has_changes: bool | None = None,
) -> dict[str, Any]:
    """Return one page of the review of a plan, at most 9,200 bytes of compact JSON.

    Args:
        document: the plan.
        secrets: the sensitive values of the plan.
        summary: the summary of the plan.
        head: fields about the run that start the result; small.
        filter_text: an action, an address with everything below it, or a resource type.
        address: an address whose values are shown in full, instead of a filter.
        page_number: the page number, from 1.
        page_size: the maximum number of rows; a page has fewer if they are large.
        is_refresh_only: whether the run only records changes made outside of Terraform.
        has_changes: the `has-changes` attribute of the run; None if the API omits it.
    """
    view = head | {"plan": headline(summary, is_refresh_only=is_refresh_only, has_changes=has_changes)}
    if address.strip():
        view |= {"fingerprint": summary.fingerprint}
        return full_values(document, secrets, view, address, page_number=page_number)
    everything = collect_entries(document, is_refresh_only=is_refresh_only)
    selected = select(everything, filter_text)
    view |= _counts(summary, is_refresh_only=is_refresh_only)
    notes = [*review_notes(document, everything, secrets)]
    if filter_text.strip() and not selected:
        available = available_filters(everything, secrets)
        notes = [f"No change matches the filter {_quoted(filter_text, secrets)}. The plan contains {available}."]
    if notes:
        view["notes"] = _within_budget([secrets.mask(note) for note in notes])
    room = PAGE_BYTES - size_of(view) - _PAGING
    found = group_rows(selected, secrets)
    page = paginate(found, secrets, number=page_number, size=page_size, max_bytes=room)
    if page_number > page.total:
        view["notes"] = [f"Page {page_number} does not exist: the last page is {page.total}."]
    return view | {
        "rows": page.rows,
        "page": page.number,
        "next_page": page.number + 1 if page.number < page.total else None,
        "total_pages": page.total,
        "total_rows": len(found),
    }


def _within_budget(notes: list[str]) -> list[str]:
    """The notes that fit. The most important notes come first."""
    shown = list(notes)
    while size_of(shown) > _MAX_NOTES:
        shown.pop()
    omitted = len(notes) - len(shown)
    return [*shown, f"Omitted: {_many(omitted, 'more note')}."] if omitted else shown


_PAGING = len('"rows":[],"page":99999,"next_page":99999,"total_pages":99999,"total_rows":9999999,')


def _counts(summary: PlanSummary, *, is_refresh_only: bool) -> dict[str, Any]:
    numbers = {
        "counts": summary.counts.as_dict(),
        "changed_outputs": summary.outputs,
        "changed_outside_of_terraform": summary.drifted if is_refresh_only else 0,
    }
    return {name: value for name, value in numbers.items() if value} | {"fingerprint": summary.fingerprint}


def review_notes(document: PlanDocument, everything: Sequence[ReviewEntry], secrets: Secrets) -> Iterator[str]:
    """The notes of a review, the most important first."""
    if document.is_errored:
        yield "Planning failed: this plan is incomplete and cannot be applied."
    if document.unrecognized:
        yield (
            f"tfruns does not recognize {_many(document.unrecognized, 'entry', 'entries')} of this plan. "
            "Review the plan in the browser before you apply it."
        )
    if document.is_incomplete and not document.is_errored:
        yield "Terraform marks this plan as incomplete: another plan is needed after the apply."
    if document.marks_problem:
        yield (
            f"{document.marks_problem}. Values are masked by the names of their attributes; any other value may still "
            "be secret."
        )
    yield from _checks(document, secrets)
    unshown = [entry.section for entry in everything if not entry.is_shown and not entry.is_attached]
    if reads := unshown.count(PlanSection.READ):
        yield f'The apply reads {_many(reads, "data source")} (filter "read").'
    if drifted := unshown.count(PlanSection.DRIFT):
        yield f'Changed outside of Terraform and not shown: {_many(drifted, "resource")} (filter "drift").'
    if document.is_redacted:
        yield (
            "This is a review of the redacted plan. Its fingerprint differs from that of the full plan, and it does "
            "not contain failed checks, deferred actions, or whether the plan is complete."
        )


def _checks(document: PlanDocument, secrets: Secrets) -> Iterator[str]:
    """The checks, preconditions and postconditions that did not pass."""
    checks = objects_in(document.source.get("checks"))
    failed = [check for check in checks if check.get("status") not in _NOT_FAILED]
    for check in failed[:_MAX_CHECKS]:
        address = check.get("address")
        name = address.get("to_display") if isinstance(address, dict) else None
        messages = [
            str(problem.get("message"))
            for instance in objects_in(check.get("instances"))
            for problem in objects_in(instance.get("problems"))
        ]
        subject = f"The check {secrets.safe_line(name, _MAX_NAME)}" if isinstance(name, str) else "An unnamed check"
        status = str(check.get("status"))
        outcome = _FAILED.get(status) or f"has the status {_quoted(status, secrets)}"
        details = f": {_quoted('; '.join(messages), secrets)}" if messages else "."
        yield f"{subject} {outcome}{details}"
    if len(failed) > _MAX_CHECKS:
        yield f"Other checks that did not pass: {len(failed) - _MAX_CHECKS}."


def _many(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _quoted(text: str, secrets: Secrets) -> str:
    """Quote a string from the plan or the caller, to distinguish it from the text of the review."""
    return json.dumps(secrets.safe_line(text, _MAX_QUOTED), ensure_ascii=False)

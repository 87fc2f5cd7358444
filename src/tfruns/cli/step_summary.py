"""The report of a run for a CI job: a summary in Markdown, and values for the steps that follow.

Source: GitHub Actions, "Adding a job summary", "Setting an output parameter". A step appends Markdown to the file in
GITHUB_STEP_SUMMARY, at most 1 MiB, and `name=value` lines to the file in GITHUB_OUTPUT. Text from plans and logs is
escaped in the summary, so that it is never rendered as Markdown or HTML, and each output is one line.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from tfruns.cli.plans import is_dangerous, named, why_of
from tfruns.cli.session import Session
from tfruns.cli.terminal import say
from tfruns.errors import TfrunsError
from tfruns.masking.text import one_line
from tfruns.views.diagnosis import DiagnosisView, ErrorView
from tfruns.views.review import PlanReviewView, ReviewView
from tfruns.views.runs import RunView

_MAX_ROWS = 20
_MAX_LENGTH = 400  # characters of a text
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~&@:$^=\"'])")


async def write_ci_report(
    session: Session, run_id: str, *, outcome: str = "", summary_file: Path | None = None
) -> None:
    """Write the summary and the outputs of a run to the files that the job names. A failure only prints a message.

    Args:
        session: the session.
        run_id: the run.
        outcome: why the command ends, as in a result of `wait_for_run`.
        summary_file: a file of its own for the summary, which is replaced.
    """
    step_summary, outputs = os.environ.get("GITHUB_STEP_SUMMARY"), os.environ.get("GITHUB_OUTPUT")
    if not (step_summary or outputs or summary_file):
        return
    try:
        run = await session.call("get_run_details", RunView, run_id=run_id)
        plan = await _plan(session, run_id)
        text = summary(run, plan, await _diagnosis(session, run))
        if step_summary:
            _append(Path(step_summary), text)
        if summary_file:
            _replace(summary_file, text)
        if outputs:
            _append(Path(outputs), output_lines(run, plan, outcome))
    except (TfrunsError, OSError) as error:
        say(f"The report for the job was not written: {error}")


def write_ci_outputs(run: RunView) -> None:
    """Write the outputs of a run that was just created, and not waited for."""
    if path := os.environ.get("GITHUB_OUTPUT"):
        try:
            _append(Path(path), output_lines(run, None, ""))
        except OSError as error:
            say(f"The outputs for the job were not written: {error}")


def output_lines(run: RunView, plan: ReviewView | None, outcome: str) -> str:
    """The outputs of a step, one `name=value` line each; an unknown value is empty.

    Args:
        run: a result of `get_run_details`.
        plan: a result of `review_run`; None if it cannot be read.
        outcome: why the command ends.
    """
    values = {
        "run_id": run.id,
        "status": run.status,
        "outcome": outcome,
        "workspace": run.workspace_name,
        "has_changes": None if run.has_changes is None else str(run.has_changes).lower(),
        "plan": plan.plan if plan else None,
        "fingerprint": plan.fingerprint if isinstance(plan, PlanReviewView) else None,
        "url": run.url,
    }
    return "".join(f"{name}={one_line(value or '', _MAX_LENGTH)}\n" for name, value in values.items())


def summary(run: RunView, plan: ReviewView | None, diagnosis: DiagnosisView | None) -> str:
    """The Markdown: the run and its status, the counts and dangerous changes of its plan, and the first error.

    Args:
        run: a result of `get_run_details`.
        plan: a result of `review_run`; None if it cannot be read.
        diagnosis: a result of `diagnose_run`; None if nothing failed.
    """
    return "\n".join([*_head(run), *_changes(plan), *_error(diagnosis), "", ""])


def escaped(text: str, length: int = _MAX_LENGTH) -> str:
    """A text on one line, without characters that are special in Markdown or HTML."""
    # Character references, because GitHub links @names and URLs even after a backslash.
    return _SPECIAL.sub(lambda match: f"&#{ord(match[0])};", one_line(text, length))


def _append(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def _replace(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def _plan(session: Session, run_id: str) -> ReviewView | None:
    try:
        return await session.call("review_run", ReviewView, run_id=run_id, page_size=_MAX_ROWS)
    except TfrunsError:
        return None


async def _diagnosis(session: Session, run: RunView) -> DiagnosisView | None:
    if run.status != "errored":
        return None
    try:
        return await session.call("diagnose_run", DiagnosisView, run_id=run.id)
    except TfrunsError:
        return None


def _head(run: RunView) -> Iterator[str]:
    name = escaped(run.id)
    url = run.url or ""
    is_link = urlsplit(url).scheme in {"https", "http"} and not re.search(r"[\s<>()\"]", url)
    workspace = f" in {escaped(run.workspace_name)}" if run.workspace_name else ""
    yield f"### Terraform run {f'[{name}]({url})' if is_link else name}{workspace}: {escaped(run.status)}"
    if run.message:
        yield f"\n> {escaped(run.message)}"


def _changes(plan: ReviewView | None) -> Iterator[str]:
    if plan is None or not plan.plan:
        return
    yield f"\n{escaped(plan.plan)}"
    rows = plan.rows if isinstance(plan, PlanReviewView) else ()
    dangers = [row for row in rows if is_dangerous(row)]
    if not isinstance(plan, PlanReviewView) or not dangers:
        return
    yield "\n| Dangerous | Action | Why |\n| --- | --- | --- |"
    for row in dangers:
        yield f"| {escaped(named(row))} | {escaped(row.action)} | {escaped(why_of(row))} |"
    if plan.next_page:
        yield f"\nOnly the first {len(plan.rows)} of {plan.total_rows} rows were checked."


def _error(diagnosis: DiagnosisView | None) -> Iterator[str]:
    if diagnosis is None:
        return
    errors = diagnosis.errors or ((ErrorView(summary=diagnosis.summary),) if diagnosis.summary else ())
    if not errors:
        return
    first = errors[0]
    where = f" ({escaped(first.where)})" if first.where else ""
    yield f"\n**Error:** {escaped(first.summary)}{where}"
    if first.detail:
        yield f"\n{escaped(first.detail)}"
    more = len(errors) - 1 + (diagnosis.omitted_errors or 0)
    if more:
        yield f"\nAnd {more} more."

"""`tfruns run diagnose`."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from rich.text import Text

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Run, Workspace
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import print_fields, status_text, text_of
from tfruns.cli.targets import resolve_run
from tfruns.cli.terminal import out
from tfruns.masking.text import sanitize
from tfruns.views.base import as_json
from tfruns.views.diagnosis import DiagnosisView

_LISTS = {
    "errors": "error",
    "policy_checks": "policy check",
    "task_stages": "task stage",
    "tf_policies": "Terraform policies",
}
_HEAD = (
    "id",
    "status",
    "since",
    "verdict",
    "failed_stage",
    "summary",
    "reason",
    "ended_by",
    "ended_at",
    "comment",
)


def diagnose(
    run: Run = None,
    /,
    *,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Explain why a run failed, or what it waits for.

    For example:
        tfruns run diagnose run-CZcmD7eagjhyX0vN
        tfruns run diagnose --workspace network
    """

    async def work(session: Session) -> None:
        run_id = await resolve_run(session, run, workspace, organization)
        view = await session.call("diagnose_run", DiagnosisView, run_id=run_id)
        session.show(view, partial(_print, session))

    run_command(work, options)


def _print(session: Session, diagnosis: DiagnosisView) -> None:
    view = as_json(diagnosis)
    head: dict[str, Any] = {name.replace("_", " "): getattr(diagnosis, name) or None for name in _HEAD}
    head["status"] = status_text(diagnosis.status)
    head["next"] = session.next_text(diagnosis.follows, diagnosis.next_actions) or None
    print_fields(head)
    for name, title in _LISTS.items():
        for item in view.get(name, ()):
            out().print()
            _print_item(title, item)
    for title, lines in _rest(view):
        out().print()
        out().print(Text(title, style="bold"))
        for line in lines:
            out().print(Text(f"  {sanitize(line)}"))


def _print_item(title: str, item: Mapping[str, Any]) -> None:
    """Print an error or a failed check: its name, and all its fields."""
    name = str(item.get("summary") or item.get("id") or "")
    out().print(Text(f"{title}: {sanitize(name)}", style="bold red"))
    for line in _flat({key: value for key, value in item.items() if value != name}):
        out().print(Text(f"  {sanitize(line)}"))


def _rest(view: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """The other fields, each with a title."""
    known = {*_HEAD, *_LISTS, "follows", "next_actions"}
    for name, value in view.items():
        if name not in known:
            title = name.replace("_", " ").capitalize()
            yield title, [*_flat(value)] if isinstance(value, (dict, list)) else [text_of(value)]


def _flat(value: Any, name: str = "") -> Iterator[str]:
    """An object as lines. A nested value is prefixed with the names of the fields that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name} {key}".strip().replace("_", " "))
    elif isinstance(value, list):
        for inner in value:
            yield from _flat(inner, name)
    else:
        first, *more = text_of(value).split("\n")
        yield f"{name}: {first}" if name else first
        yield from (f"    {line}" for line in more)

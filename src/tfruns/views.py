"""What an assistant reads of a run: flat, in snake_case, and nothing that is not said.

A run on the wire is some 1,200 tokens, most of them links and permissions. Here it is what one would ask for next: what
it does, where it stands, what may be done to it now, and what follows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from tfruns.apply_stage import effect_of
from tfruns.client.address import Address
from tfruns.client.listing import Page
from tfruns.jsonapi import JSON
from tfruns.lifecycle import group_of, is_final, needs_person, rule_of, what_follows
from tfruns.masking.redaction import redact
from tfruns.masking.secrets import Mask, masked_line
from tfruns.masking.text import sanitize
from tfruns.vocabulary import RunAction
from tfruns.wire.activity import User
from tfruns.wire.base import Related
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

_MESSAGE = 1_000  # characters of a run's message that its view shows
_ROW_MESSAGE = 80  # and of those a row
_MOST_LISTED = 20  # addresses and variables that are shown
_LISTED = 160  # characters of one


INCLUDE = ("workspace", "created_by")
"""The related resources from which a run's view takes names."""


def run_view(run: Run, address: Address, mask: Mask = redact) -> dict[str, JSON]:
    """A run in full. What the API did not say is left out, and what must not be shown is hidden in its message."""
    rule = rule_of(run.status)
    workspace = run.follow(run.workspace, Workspace)
    return without_empty(
        {
            "id": run.id,
            "status": str(run.status),
            "status_group": group_of(run.status),
            "phase": rule.phase if rule else None,
            "message": _cut(mask(sanitize(run.message or "")), _MESSAGE),
            "created_at": shown_time(run.created_at),
            "status_timestamps": {
                key.replace("-", "_"): shown_time(value) for key, value in run.status_timestamps.items() if value
            },
            "operation": run.operation,
            "has_changes": run.has_changes,
            "auto_apply": run.auto_apply,
            "source": run.source,
            "terraform_version": run.terraform_version,
            "target_addrs": _first(run.target_addrs or (), mask),
            "replace_addrs": _first(run.replace_addrs or (), mask),
            "variables": _first([variable.key for variable in run.variables or ()], mask),
            "workspace_id": _id(run.workspace),
            "workspace_name": workspace.name if workspace else None,
            "configuration_version_id": _id(run.configuration_version),
            "plan_id": _id(run.plan),
            "apply_id": _id(run.apply),
            "cost_estimate_id": _id(run.cost_estimate),
            "created_by": _user(run, run.created_by),
            "canceled_at": shown_time(run.canceled_at),
            "force_cancel_available_at": shown_time(run.force_cancel_available_at),
            "allowed_actions": run.allowed_actions,
            "next": next_step(run),
            "url": run_url(run, address),
        },
        keep=("allowed_actions",),
    )


def created_view(run: Run, address: Address, mask: Mask = redact) -> dict[str, JSON]:
    """A run that was just created: without what its creator knows, what cannot be known yet, and what is said twice."""
    return {name: value for name, value in run_view(run, address, mask).items() if name not in _NOT_OF_A_NEW_ONE}


_NOT_OF_A_NEW_ONE = {"status_group", "phase", "has_changes", "source", "apply_id"}


def short_view(run: Run) -> dict[str, JSON]:
    """A run after an action: where it stands, and what may be done next."""
    return {
        "id": run.id,
        "status": str(run.status),
        "allowed_actions": run.allowed_actions,
        "next": next_step(run),
    }


def run_row(run: Run, mask: Mask = redact) -> dict[str, JSON]:
    """A run in a list."""
    workspace = run.follow(run.workspace, Workspace)
    return without_empty(
        {
            "id": run.id,
            "status": str(run.status),
            "needs_person": needs_person(run.status, run.possible_actions or (), is_auto_apply=bool(run.auto_apply))
            or None,
            "message": masked_line(run.message or "", _ROW_MESSAGE, mask),
            "operation": run.operation,
            "created_at": shown_time(run.created_at),
            "workspace_id": _id(run.workspace),
            "workspace_name": workspace.name if workspace else None,
        }
    )


def page_view(
    page: Page[Run], masker: Callable[[Run], Mask] = lambda _: redact, *, notes: Iterable[str] = ()
) -> dict[str, JSON]:
    """A page of runs. `next_page` is null on the last one; totals are there where the API gives them.

    Args:
        page: the runs.
        masker: what hides what must not be shown of a run.
        notes: what is to be known besides.
    """
    place = page.pagination
    view: dict[str, JSON] = {
        "runs": [run_row(run, masker(run)) for run in page.items],
        "page": place.current_page,
        "next_page": place.next_page,
    }
    return view | without_empty(
        {"total_pages": place.total_pages, "total_count": place.total_count, "note": " ".join(notes)},
    )


def next_step(run: Run) -> str:
    """One sentence on what follows."""
    allowed = run.allowed_actions
    if run.canceled_at is not None and not is_final(run.status) and RunAction.FORCE_CANCEL not in allowed:
        when = shown_time(run.force_cancel_available_at)
        return "A cancel was asked: the status changes when Terraform has stopped." + (
            f" A force-cancel is possible from {when}." if when else ""
        )
    if RunAction.APPLY in (run.possible_actions or ()) and RunAction.APPLY in run.forbidden_actions:
        return "Waits for a person to apply it; this token may not."
    effect = effect_of(run.status, run.passed)
    return f"{what_follows(run.status, allowed, is_auto_apply=bool(run.auto_apply))} {effect}".rstrip()


def run_url(run: Run, address: Address) -> str | None:
    """The run's page in the browser; None where the names for it did not come along."""
    workspace = run.follow(run.workspace, Workspace)
    if workspace is None or workspace.name is None or workspace.organization is None:
        return None
    return f"{address}/app/{quote(workspace.organization.id)}/workspaces/{quote(workspace.name)}/runs/{run.id}"


def _user(run: Run, related: Related | None) -> str | None:
    user = run.follow(related, User)
    return user.username if user and user.username else _id(related)


def _id(related: Related | None) -> str | None:
    return related.id if related else None


def shown_time(value: datetime | None) -> str | None:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _first(texts: Sequence[str], mask: Mask) -> list[str]:
    """The first of some texts, and how many there are more."""
    more = len(texts) - _MOST_LISTED
    return [_cut(mask(text), _LISTED) for text in texts[:_MOST_LISTED]] + ([f"… {more} more"] if more > 0 else [])


def without_empty(view: Mapping[str, JSON], *, keep: Iterable[str] = ()) -> dict[str, JSON]:
    """The view without fields that are unknown or empty, also in the objects inside it."""
    inner = {key: without_empty(value) if isinstance(value, dict) else value for key, value in view.items()}
    return {key: value for key, value in inner.items() if key in keep or value not in (None, "", [], {})}

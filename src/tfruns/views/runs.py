"""The views of runs: one run, a run after an action, and a page of runs.

A run on the wire takes some 1,200 tokens, mostly links and permissions. A view contains what a caller needs next: the
options, the status, the allowed actions, and what follows.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from tfruns.apply_stage import effect_of
from tfruns.lifecycle import ending_of, group_of, is_final, rule_of, what_follows
from tfruns.masking.redaction import redact
from tfruns.masking.secrets import Mask, masked_line
from tfruns.masking.text import sanitize
from tfruns.next_actions import DIAGNOSE_RUN, GET_RUN_DETAILS, RERUN, REVIEW_RUN, WAIT_FOR_RUN, NextAction
from tfruns.views.base import View, implied_by, kept, shown_time
from tfruns.vocabulary import RunAction, RunEnding
from tfruns.wording import truncated, with_number_of_rest

if TYPE_CHECKING:
    from tfruns.client.address import Address
    from tfruns.client.listing import Page
    from tfruns.wire.base import Related
    from tfruns.wire.runs import Run
    from tfruns.wire.workspaces import Workspace

_MESSAGE = 1_000  # characters of a run's message in its view
_ROW_MESSAGE = 80  # and in a row
_MAX_LISTED = 20  # addresses and variables
_LISTED = 160  # characters of each

_ENDING = frozenset(RunAction) - {RunAction.FORCE_EXECUTE}  # a run is final after these, when they have taken effect

INCLUDE = ("workspace", "created_by")
"""The related resources that a run's view takes names from."""


@dataclass(frozen=True, slots=True)
class RunView(View):
    """One run."""

    id: str
    status: str
    status_group: str | None = None
    phase: str | None = None
    message: str = ""
    created_at: datetime | None = None
    status_timestamps: Mapping[str, datetime] | None = None
    operation: str | None = None
    has_changes: bool | None = None
    auto_apply: bool | None = None
    source: str | None = None
    terraform_version: str | None = None
    target_addrs: Sequence[str] = ()
    replace_addrs: Sequence[str] = ()
    variables: Sequence[str] = ()
    workspace_id: str | None = None
    workspace_name: str | None = None
    configuration_version_id: str | None = None
    plan_id: str | None = None
    apply_id: str | None = None
    cost_estimate_id: str | None = None
    created_by: str | None = None
    canceled_at: datetime | None = None
    force_cancel_available_at: datetime | None = None
    allowed_actions: Sequence[str] = kept(default=())
    follows: str = ""
    next_actions: tuple[NextAction, ...] = ()
    url: str | None = None


@dataclass(frozen=True, slots=True)
class RunStatusView(View):
    """The id and status of another run."""

    id: str
    status: str


@dataclass(frozen=True, slots=True)
class Overridden(View):
    """A policy check or task stage that was overridden."""

    id: str
    kind: str


@dataclass(frozen=True, slots=True)
class ActionView(View):
    """A run after an action on it.

    Attributes:
        allowed_actions: None if the run could not be read after the action.
        displaced: the runs that a force-execute discarded or canceled.
        unfinished: the runs that it was to displace and that are not final yet.
        overridden: the policy checks and task stages that were overridden.
    """

    id: str
    status: str
    allowed_actions: Sequence[str] | None = kept(null=False, default=None)
    follows: str = ""
    accepted: bool | None = None
    next_actions: tuple[NextAction, ...] = ()
    displaced: tuple[RunStatusView, ...] | None = kept(null=False, default=None)
    unfinished: tuple[str, ...] = ()
    overridden: tuple[Overridden, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class RunRow(View):
    """A run in a list. Its workspace is given by name if that is known."""

    id: str
    status: str
    needs_person: bool | None = None
    message: str = ""
    operation: str | None = None
    created_at: datetime | None = None
    workspace_id: str | None = implied_by("workspace_name")
    workspace_name: str | None = None
    configuration_version_id: str | None = None


@dataclass(frozen=True, slots=True)
class RunPage(View):
    """A page of a list of runs. The totals are those of the API, which omits them for an organization."""

    ROWS = "runs"
    SHARED = ("workspace_id", "workspace_name")

    runs: tuple[RunRow, ...] = kept()
    page: int = kept()
    next_page: int | None = kept()
    organization: str = ""
    total_pages: int | None = None
    total_count: int | None = None
    note: str = ""
    next_actions: tuple[NextAction, ...] = ()


# -- building ---------------------------------------------------------------------------------------------------------


def run_view(run: "Run", address: "Address", mask: Mask = redact) -> RunView:
    """The view of a run. The mask is applied to the texts that people wrote."""
    rule = rule_of(run.status)
    workspace = _workspace(run)
    return RunView(
        id=run.id,
        status=str(run.status),
        status_group=group_of(run.status),
        phase=rule.phase if rule else None,
        message=truncated(mask(sanitize(run.message or "")), _MESSAGE),
        created_at=run.created_at,
        status_timestamps={
            key.replace("-", "_"): value for key, value in run.status_timestamps.items() if value is not None
        },
        operation=run.operation,
        has_changes=run.has_changes,
        auto_apply=run.auto_apply,
        source=run.source,
        terraform_version=run.terraform_version,
        target_addrs=_first(run.target_addrs or (), mask),
        replace_addrs=_first(run.replace_addrs or (), mask),
        variables=_first([variable.key for variable in run.variables or ()], mask),
        workspace_id=_id(run.workspace),
        workspace_name=workspace.name if workspace else None,
        configuration_version_id=_id(run.configuration_version),
        plan_id=_id(run.plan),
        apply_id=_id(run.apply),
        cost_estimate_id=_id(run.cost_estimate),
        created_by=_user(run, run.created_by),
        canceled_at=run.canceled_at,
        force_cancel_available_at=run.force_cancel_available_at,
        allowed_actions=run.allowed_actions,
        follows=what_comes_next(run),
        next_actions=next_actions(run),
        url=run_url(run, address),
    )


def created_view(run: "Run", address: "Address", mask: Mask = redact) -> RunView:
    """The view of a run that was just created, without what its creator gave and what is not known yet."""
    return replace(
        run_view(run, address, mask),
        status_group=None,
        phase=None,
        message="",
        operation=None,
        has_changes=None,
        source=None,
        terraform_version=None,
        apply_id=None,
    )


def action_view(run: "Run", action: RunAction | None = None) -> ActionView:
    """The view of a run after an action, or after an override.

    An accepted action may not be visible in the run yet. The caller must not repeat it then.
    """
    is_visible = action is None or action not in run.allowed_actions
    if not is_visible:
        steps: tuple[NextAction, ...] = (
            NextAction.for_run(GET_RUN_DETAILS, run.id, "shows whether the action has taken effect"),
        )
    elif action in _ENDING and not is_final(run.status):
        steps = (NextAction.for_run(WAIT_FOR_RUN, run.id, "waits for its end", until="final"),)
    else:
        steps = next_actions(run)
    return ActionView(
        id=run.id,
        status=str(run.status),
        allowed_actions=run.allowed_actions,
        follows=what_comes_next(run)
        if is_visible
        else f"The {action} was accepted, and the run does not show it yet. Do not repeat it.",
        accepted=None if action is None else True,
        next_actions=steps,
    )


def run_row(run: "Run", mask: Mask = redact) -> RunRow:
    """The row of a run in a list."""
    workspace = _workspace(run)
    return RunRow(
        id=run.id,
        status=str(run.status),
        needs_person=run.needs_person or None,
        message=masked_line(run.message or "", _ROW_MESSAGE, mask),
        operation=run.operation,
        created_at=run.created_at,
        workspace_id=_id(run.workspace),
        workspace_name=workspace.name if workspace else None,
        configuration_version_id=_id(run.configuration_version),
    )


def page_view(
    page: "Page[Run]",
    masker: Callable[["Run"], Mask] = lambda _: redact,
    *,
    organization: str = "",
    notes: Iterable[str] = (),
    following: tuple[NextAction, ...] = (),
) -> RunPage:
    """The view of a page of runs.

    Args:
        page: the runs.
        masker: returns the mask for the texts of a run.
        organization: the organization of the list; empty for the list of a workspace.
        notes: further sentences about the list.
        following: the calls that are likely to follow.
    """
    pagination = page.pagination
    return RunPage(
        runs=tuple(run_row(run, masker(run)) for run in page.items),
        page=pagination.current_page,
        next_page=pagination.next_page,
        organization=organization,
        total_pages=pagination.total_pages,
        total_count=pagination.total_count,
        note=" ".join(notes),
        next_actions=following,
    )


# -- what follows -----------------------------------------------------------------------------------------------------


def what_comes_next(run: "Run") -> str:
    """One sentence on what happens next to a run."""
    allowed = run.allowed_actions
    if run.canceled_at is not None and not is_final(run.status) and RunAction.FORCE_CANCEL not in allowed:
        when = shown_time(run.force_cancel_available_at)
        return "A cancel was requested: the status changes when Terraform has stopped." + (
            f" A force-cancel is possible from {when}." if when else ""
        )
    if RunAction.APPLY in run.possible_actions and RunAction.APPLY in run.forbidden_actions:
        return "Waits for a person to apply it; this token may not."
    effect = effect_of(run.status, run.passed)
    return f"{what_follows(run.status, allowed, is_auto_apply=bool(run.auto_apply))} {effect}".rstrip()


def next_actions(run: "Run") -> tuple[NextAction, ...]:
    """The calls that are likely to follow for a run; none if it has done what it was created for."""
    if is_final(run.status):
        is_failed = ending_of(run.status) is RunEnding.FAILED
        explain = (NextAction.for_run(DIAGNOSE_RUN, run.id, "explains the failure"),) if is_failed else ()
        return (*explain, *_rerun(run))
    if run.needs_person:
        if RunAction.APPLY in run.possible_actions:
            return (NextAction.for_run(REVIEW_RUN, run.id, "shows the plan"),)
        return (NextAction.for_run(DIAGNOSE_RUN, run.id, "shows what has to be decided"),)
    return (NextAction.for_run(WAIT_FOR_RUN, run.id, "waits for it"),)


def _rerun(run: "Run") -> tuple[NextAction, ...]:
    """The call that plans a failed, canceled or discarded run again."""
    is_done = ending_of(run.status) is RunEnding.DONE
    return () if is_done else (NextAction.for_run(RERUN, run.id, "plans it again"),)


def run_url(run: "Run", address: "Address") -> str | None:
    """The run's page in the browser; None if the names for it are not included."""
    workspace = _workspace(run)
    if workspace is None or workspace.organization is None:
        return None
    page = workspace_url(workspace.organization.id, workspace.name, address)
    return f"{page}/runs/{run.id}" if page else None


def workspace_url(organization: str | None, name: str | None, address: "Address") -> str | None:
    """The workspace's page in the browser; None if its names are unknown."""
    return f"{address}/app/{quote(organization)}/workspaces/{quote(name)}" if organization and name else None


def _workspace(run: "Run") -> "Workspace | None":
    from tfruns.wire.workspaces import Workspace  # noqa: PLC0415

    return run.follow(run.workspace, Workspace)


def _user(run: "Run", related: "Related | None") -> str | None:
    from tfruns.wire.activity import User  # noqa: PLC0415

    user = run.follow(related, User)
    return user.username if user and user.username else _id(related)


def _id(related: "Related | None") -> str | None:
    return related.id if related else None


def _first(texts: Sequence[str], mask: Mask) -> tuple[str, ...]:
    """The first of the texts, and the number of the rest."""
    shown = (truncated(mask(text), _LISTED) for text in texts[:_MAX_LISTED])
    return with_number_of_rest(shown, len(texts) - _MAX_LISTED)

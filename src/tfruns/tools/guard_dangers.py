"""What a person should know before something that cannot be undone: what each confirmed tool would do now.

All that comes from plans, messages and names is data: on one line, cut, and in a place of its own.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TfrunsError, TooLarge, TransitionNotAllowed
from tfruns.jsonapi import JSON
from tfruns.lifecycle import is_final
from tfruns.masking.secrets import Secrets
from tfruns.masking.text import one_line
from tfruns.review.headline import headline
from tfruns.review.summary import at_stake
from tfruns.tools.displacement import runs_before
from tfruns.tools.plan_source import plan_summary, secrets_of
from tfruns.vocabulary import RunAction
from tfruns.wire.checks import PolicyCheck, TaskStage
from tfruns.wire.run_params import RunParams
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

_MOST_SHOWN = 10  # dangers, displaced runs, policies
_MESSAGE = 200  # characters


@dataclass(frozen=True, slots=True)
class Danger:
    """What would be done, as far as it is known now.

    Attributes:
        what: one sentence on what is asked for.
        shown: what is at stake, a line each.
        state: what all of this rests on; an answer holds only as long as it is the same.
        is_grave: not to be done on a client's own approval alone.
        fingerprint: of the plan that would be applied, where it can be read.
    """

    what: str
    shown: tuple[str, ...]
    state: JSON
    is_grave: bool = False
    fingerprint: str | None = None

    @property
    def question(self) -> str:
        """What a person is asked."""
        return "\n".join((self.what, *self.shown))


async def _apply(client: Client, values: Mapping[str, Any]) -> Danger | None:
    """An apply carries out one plan, and a run has one plan, which never changes once it is there: what is shown of it
    is what will be applied, however long the answer takes. A run that has no plan yet is not asked about."""
    run = await client.runs.read(values["run_id"], include=["workspace"])
    if is_final(run.status):
        return None  # it stays so: the API says no, and says why
    if RunAction.APPLY not in run.allowed_actions and RunAction.APPLY not in run.forbidden_actions:
        raise TransitionNotAllowed(
            f"The run is {run.status} and does not wait for confirmation. Nothing was sent.",
            facts={"run_status": str(run.status), "allowed_actions": list(run.allowed_actions)},
        )
    plan = run.plan.id if run.plan else None
    try:
        found = await plan_summary(client, run)
    except (NotFound, Forbidden, TooLarge):
        found = None
    if found is None:
        return await _apply_by_counts(client, run, plan)
    dangers = at_stake(found.dangers)
    return Danger(
        f"Apply {_named(run)} to real infrastructure?",
        (
            headline(found, is_refresh_only=bool(run.refresh_only), has_changes=run.has_changes),
            *(["Dangerous in it (data of the plan):", *dangers] if dangers else ()),
            *await _message(client, run),
        ),
        [run.id, plan, found.fingerprint],
        is_grave=found.is_destructive,
        fingerprint=found.fingerprint,
    )


async def _apply_by_counts(client: Client, run: Run, plan_id: str | None) -> Danger:
    """The plan's JSON cannot be read: its numbers remain, where a replacement is one to add and one to destroy."""
    destroyed: int | None = None
    line = "What the plan does cannot be read."
    if plan_id is not None:
        with suppress(TfrunsError):
            plan = await client.plans.read(plan_id)
            destroyed = plan.resource_destructions
            if destroyed is not None:
                line = (
                    f"Plan: {plan.resource_additions or 0} to add, {plan.resource_changes or 0} to change, "
                    f"{destroyed} to destroy."
                )
    return Danger(
        f"Apply {_named(run)} to real infrastructure?",
        (line, "Its changes one by one cannot be read.", *await _message(client, run)),
        [run.id, plan_id, line],
        is_grave=destroyed != 0,
    )


async def _force_cancel(client: Client, values: Mapping[str, Any]) -> Danger:
    run = await client.runs.read(values["run_id"], include=["workspace"])
    return Danger(
        f"Kill {_named(run)}, which is {run.status}, and unlock its workspace?",
        ("What an apply is changing just then can be lost from the state.", *await _message(client, run)),
        [run.id, str(run.status)],
    )


async def _force_execute(client: Client, values: Mapping[str, Any]) -> Danger:
    run = await client.runs.read(values["run_id"], include=["workspace"])
    before = await runs_before(client, run.id)
    displaced = before[1] if before else None
    none = ["Which runs are before it is not known."] if displaced is None else ["No run is before it."]
    lines = _some([f"- {id_}" for id_ in displaced or ()], "These runs would be discarded or canceled:")
    return Danger(
        f"Let {_named(run)} go next, before all others of its workspace?",
        (*(lines or none), *await _message(client, run)),
        [run.id, str(run.status), displaced],
    )


async def _override(client: Client, values: Mapping[str, Any]) -> Danger:
    run = await client.runs.read(values["run_id"], include=["workspace"])
    checks: list[PolicyCheck | TaskStage] = []
    with suppress(NotFound):
        checks += [check async for check in client.policy_checks.list_for_run(run.id)]
    with suppress(NotFound):
        checks += [stage async for stage in client.task_stages.list_for_run(run.id)]
    failed_first = sorted(checks, key=lambda check: check.status == "passed")
    found = [_check_line(check) if isinstance(check, PolicyCheck) else _stage_line(check) for check in failed_first]
    return Danger(
        f"Override the failed policies of {_named(run)}?",
        (*await _after_override(client, run), *_some(found, "Its checks:"), *await _message(client, run)),
        [run.id, str(run.status), run.auto_apply, found],
        is_grave=True,
    )


async def _after_override(client: Client, run: Run) -> tuple[str, ...]:
    """What an override leads to without another question."""
    if not run.auto_apply:
        return ()
    counts = ""
    with suppress(TfrunsError):
        plan = await plan_summary(client, run)
        counts = f" {plan.counts.line}" if plan else ""
    return (f"Then it is applied to real infrastructure, without another question.{counts}",)


def _check_line(check: PolicyCheck) -> str:
    failed = check.result.total_failed if check.result else None
    return f"- policy check {check.id}: {one_line(check.status, 40)}" + (f", {failed} failed" if failed else "")


def _stage_line(stage: TaskStage) -> str:
    return f"- task stage {stage.id} ({one_line(stage.stage or 'unknown', 20)}): {one_line(stage.status, 40)}"


async def _create(client: Client, values: Mapping[str, Any]) -> Danger:
    params: RunParams = values["params"]
    workspace = await client.workspaces.read(values["workspace_id"])
    owner = f"{workspace.organization.id}/" if workspace.organization else ""
    name = f"{one_line(f'{owner}{workspace.name}', 120)} ({workspace.id})" if workspace.name else workspace.id
    count = "an unknown number of" if workspace.resource_count is None else workspace.resource_count
    is_auto_apply = bool(workspace.auto_apply if params.auto_apply is None else params.auto_apply)
    by_itself = ", without another question" if is_auto_apply else " (it then waits for its apply)"
    does = "destroys all resources" if params.is_destroy else "applies whatever it plans"
    return Danger(
        f"Create a run in {name} that {does}{by_itself}?",
        (f"The workspace has {count} resources.", *_options(params)),
        [workspace.id, workspace.resource_count, is_auto_apply],
        is_grave=_destroys(params) and is_auto_apply,
    )


_Source = Callable[[Client, Mapping[str, Any]], Awaitable[Danger | None]]

DANGERS: Mapping[str, _Source] = {
    "apply_run": _apply,
    "force_cancel_run": _force_cancel,
    "force_execute_run": _force_execute,
    "override_policy_check": _override,
    "create_run": _create,
}
"""What there is to know before each of the confirmed tools, by its name; None where it can have no effect."""


def is_dangerous(name: str, values: Mapping[str, Any]) -> bool:
    """Whether the call is one that has to be confirmed: creating a run only if it applies by itself or destroys."""
    if name != "create_run":
        return True
    params: RunParams = values["params"]
    return not params.plan_only and bool(params.auto_apply or params.is_destroy)


def can_be_grave(name: str, values: Mapping[str, Any]) -> bool:
    """Whether it may be too much for a client's own approval; only a look at what it would do can tell."""
    if name == "create_run":
        return _destroys(values["params"]) and values["params"].auto_apply is not False
    return name in {"apply_run", "override_policy_check"}


def _named(run: Run) -> str:
    workspace = run.follow(run.workspace, Workspace)
    if workspace is None or not workspace.name:
        return run.id
    owner = f"{workspace.organization.id}/" if workspace.organization else ""
    return f"{run.id} of {one_line(f'{owner}{workspace.name}', 120)}"


async def _message(client: Client, run: Run) -> tuple[str, ...]:
    """The run's message, without the sensitive values of its plan; where those cannot be looked through, none."""
    try:
        secrets = await secrets_of(client, run)
    except (NotFound, Forbidden):
        secrets = Secrets()  # this token cannot know them
    except TfrunsError:
        return ()
    message = secrets.shown(run.message or "", _MESSAGE)
    return (f"Its message (written by who created it): «{message}»",) if message else ()


def _options(params: RunParams) -> tuple[str, ...]:
    named = (
        ("Only these", params.target_addrs),
        ("Destroyed and created anew", params.replace_addrs),
        ("Actions that are invoked", params.invoke_action_addrs),
    )
    return tuple(f"{what}: «{one_line(', '.join(addrs), _MESSAGE)}»" for what, addrs in named if addrs)


def _destroys(params: RunParams) -> bool:
    """Whether the options alone say that something is destroyed, whatever the configuration is."""
    return bool(params.is_destroy or params.replace_addrs)


def _some(lines: list[str], title: str) -> list[str]:
    """The first of the lines below a title, and how many there are more; nothing where there are none."""
    if not lines:
        return []
    more = len(lines) - _MOST_SHOWN
    return [title, *lines[:_MOST_SHOWN], *([f"- and {more} more"] if more > 0 else [])]

"""What each call that changes something would do now: read from the API before anything is sent.

Texts that come from plans, messages and names are data: each stands on one line of its own, cut.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TfrunsError, TooLarge, TransitionNotAllowed
from tfruns.lifecycle import is_final, rule_of
from tfruns.masking.secrets import Secrets
from tfruns.masking.text import one_line
from tfruns.tools.consent import NO_IMPACT, Impact, ImpactKind
from tfruns.tools.displacement import runs_before
from tfruns.tools.impact_of_plan import PlanImpact, plan_impact
from tfruns.tools.plan_source import secrets_of
from tfruns.tools.released_runs import has_started, released_auto_applies
from tfruns.vocabulary import RunAction, RunPhase
from tfruns.wire.checks import PolicyCheck, TaskStage
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

ImpactOf = Callable[[Client, Mapping[str, Any]], Awaitable[Impact]]
"""Reads what a call with these arguments would do.

Raises:
    TransitionNotAllowed: the run's status does not allow it; nothing was sent.
    TfrunsError: what it would do cannot be read.
"""

_MOST_SHOWN = 20  # runs and checks
_MESSAGE = 200  # characters of a run's message
_COMMENT = 1_000  # and of a comment that is about to be sent
_APPLY_PHASES = {RunPhase.PRE_APPLY, RunPhase.APPLY, RunPhase.POST_APPLY}


async def impact_of_apply(client: Client, values: Mapping[str, Any]) -> Impact:
    """The run's plan, which never changes once it exists: what is shown of it is what will be applied."""
    run = await _read(client, values)
    if is_final(run.status):
        return NO_IMPACT  # the API refuses it, and says why
    if RunAction.APPLY not in run.allowed_actions and RunAction.APPLY not in run.forbidden_actions:
        raise TransitionNotAllowed(
            f"The run is {run.status} and does not wait for confirmation. Nothing was sent.",
            facts={"run_status": str(run.status), "allowed_actions": list(run.allowed_actions)},
        )
    plan = await plan_impact(client, run)
    return Impact(
        kinds=plan.kinds,
        question=f"Apply {_named(run)} to real infrastructure?",
        at_stake=(*plan.lines, *await _texts(client, run, values)),
        state=[run.id, plan.state],
        fingerprint=plan.fingerprint,
    )


async def impact_of_force_cancel(client: Client, values: Mapping[str, Any]) -> Impact:
    """A killed apply can lose what it was changing."""
    run = await _read(client, values)
    if is_final(run.status):
        return NO_IMPACT
    is_apply = _is_applying(run)
    loses = ("What the apply is changing just now can be lost from the state.",) if is_apply else ()
    released = await released_auto_applies(client, run)
    return Impact(
        kinds=frozenset({ImpactKind.KILL_APPLY if is_apply else ImpactKind.KILL, *_unseen(released)}),
        question=f"Kill {_named(run)}, which is {_status(run)}, and unlock its workspace?",
        at_stake=(*loses, *_released_lines(released), *await _texts(client, run, values)),
        state=[run.id, str(run.status), released],
        instead=_instead_of_releasing(released),
        facts=_facts(run, released),
    )


async def impact_of_cancel(client: Client, values: Mapping[str, Any]) -> Impact:
    """An interrupted apply leaves its changes half done; a plan that is interrupted leaves nothing."""
    run = await _read(client, values)
    if is_final(run.status):
        return NO_IMPACT
    released = await released_auto_applies(client, run)
    applying = {ImpactKind.INTERRUPT_APPLY} if _is_applying(run) else set()
    half_done = ("What the apply has changed until then stays.",) if applying else ()
    return Impact(
        kinds=frozenset({*applying, *_unseen(released)}),
        question=f"Cancel {_named(run)}, which is {_status(run)}?",
        at_stake=(*half_done, *_released_lines(released), *await _texts(client, run, values)),
        state=[run.id, str(run.status), released],
        instead=_instead_of_releasing(released),
        facts=_facts(run, released),
    )


async def impact_of_discard(client: Client, values: Mapping[str, Any]) -> Impact:
    """A discarded plan can never be applied."""
    run = await _read(client, values)
    if is_final(run.status):
        return NO_IMPACT
    released = await released_auto_applies(client, run)
    waiting = {ImpactKind.DISCARD_PLAN} if has_started(run) and not _is_applying(run) else set()
    applying = {ImpactKind.INTERRUPT_APPLY} if _is_applying(run) else set()
    return Impact(
        kinds=frozenset({*waiting, *applying, *_unseen(released)}),
        question=f"Discard {_named(run)}, which is {_status(run)}?",
        at_stake=(
            "Its plan can never be applied then.",
            *_released_lines(released),
            *await _texts(client, run, values),
        ),
        state=[run.id, str(run.status), released],
        instead=_instead_of_releasing(released),
        facts=_facts(run, released),
    )


async def impact_of_force_execute(client: Client, values: Mapping[str, Any]) -> Impact:
    """Other runs are discarded and canceled, and the run itself may apply without a question."""
    run = await _read(client, values)
    before = await runs_before(client, run.id)
    displaced = before[1] if before else None
    none = ["The runs before it could not be read."] if displaced is None else ["No run is before it."]
    lines = _listed([f"- {id_}" for id_ in displaced or ()], "These runs would be discarded or canceled:")
    unseen = [run.id] if run.auto_apply is not False else []
    by_itself = ("The run then applies any plan without another question.",) if unseen else ()
    return Impact(
        kinds=frozenset({ImpactKind.DISPLACE, *_unseen(unseen)}),
        question=f"Let {_named(run)} go next, before all others of its workspace?",
        at_stake=(*(lines or none), *by_itself, *await _texts(client, run, values)),
        state=[run.id, str(run.status), displaced, run.auto_apply],
        instead=_LET_A_PERSON,
        facts=_facts(run, unseen),
    )


async def impact_of_override(client: Client, values: Mapping[str, Any]) -> Impact:
    """An override of an auto-apply run leads to its apply without another question."""
    run = await _read(client, values)
    checks: list[PolicyCheck | TaskStage] = []
    with suppress(NotFound):
        checks += [check async for check in client.policy_checks.list_for_run(run.id)]
    with suppress(NotFound):
        checks += [stage async for stage in client.task_stages.list_for_run(run.id)]
    failed_first = sorted(checks, key=lambda check: check.status == "passed")
    found = [_check_line(check) if isinstance(check, PolicyCheck) else _stage_line(check) for check in failed_first]
    applies = run.auto_apply is not False
    plan = await _plan_after_override(client, run) if applies else None
    return Impact(
        kinds=frozenset({ImpactKind.OVERRIDE, *({ImpactKind.UNSEEN_APPLY} if applies else ())}),
        question=f"Override the failed policies of {_named(run)}?",
        at_stake=(
            *(("Then it is applied to real infrastructure, without another question.",) if applies else ()),
            *(plan.lines if plan else ()),
            *_listed(found, "Its checks:"),
            *await _texts(client, run, values),
        ),
        state=[run.id, str(run.status), run.auto_apply, found, plan.state if plan else None],
        instead=f"{_LET_A_PERSON} Or discard the run and create one without auto_apply.",
    )


async def _plan_after_override(client: Client, run: Run) -> PlanImpact | None:
    with suppress(TfrunsError):  # before the plan exists, nothing is known of it
        return await plan_impact(client, run)
    return None


# -- parts of them ----------------------------------------------------------------------------------------------------


async def _read(client: Client, values: Mapping[str, Any]) -> Run:
    return await client.runs.read(values["run_id"], include=["workspace"])


def _is_applying(run: Run) -> bool:
    """Whether the run is applying; one whose status is not known may be."""
    rule = rule_of(run.status)
    return rule is None or (not rule.is_final and rule.phase in _APPLY_PHASES)


def _unseen(run_ids: Sequence[str]) -> set[ImpactKind]:
    return {ImpactKind.UNSEEN_APPLY} if run_ids else set()


def _released_lines(run_ids: Sequence[str]) -> list[str]:
    title = "These runs go next, and apply by themselves whatever they plan, without another question:"
    return _listed([f"- {id_}" for id_ in run_ids], title)


_LET_A_PERSON = "Let a person do it in the browser or with `tfruns run`."


def _instead_of_releasing(run_ids: Sequence[str]) -> str:
    return f"{_LET_A_PERSON} Or cancel the runs first that would apply: {', '.join(run_ids)}." if run_ids else ""


def _facts(run: Run, waiting: Sequence[str]) -> dict[str, Any]:
    return {"run_status": str(run.status)} | ({"waiting_run_ids": list(waiting)} if waiting else {})


def _check_line(check: PolicyCheck) -> str:
    failed = check.result.total_failed if check.result else None
    return f"- policy check {check.id}: {one_line(check.status, 40)}" + (f", {failed} failed" if failed else "")


def _stage_line(stage: TaskStage) -> str:
    return f"- task stage {stage.id} ({one_line(stage.stage or 'unknown', 20)}): {one_line(stage.status, 40)}"


def _status(run: Run) -> str:
    """The status on one line: it may be newer than the vocabulary."""
    return one_line(str(run.status), 40)


def _named(run: Run) -> str:
    workspace = run.follow(run.workspace, Workspace)
    return f"{run.id} of {named_workspace(workspace)}" if workspace is not None and workspace.name else run.id


def named_workspace(workspace: Workspace) -> str:
    """`organization/name`, on one line."""
    owner = f"{workspace.organization.id}/" if workspace.organization else ""
    return one_line(f"{owner}{workspace.name}", 120)


async def _texts(client: Client, run: Run, values: Mapping[str, Any]) -> list[str]:
    """The run's message and the comment that would be sent, without the sensitive values of the run's plan."""
    try:
        secrets: Secrets | None = await secrets_of(client, run)
    except (NotFound, Forbidden, TooLarge):
        secrets = Secrets()  # this token cannot know them
    except TfrunsError:
        secrets = None
    lines = []
    if run.message and secrets is not None:
        lines.append(f"Its message (written by who created it): «{secrets.shown(run.message, _MESSAGE)}»")
    comment = str(values.get("comment") or "").strip()
    if comment:
        lines.append(f"The comment that is sent with it: «{(secrets or Secrets()).shown(comment, _COMMENT)}»")
    return lines


def _listed(lines: list[str], title: str) -> list[str]:
    """The first of the lines below a title, and how many more there are; nothing where there are none."""
    if not lines:
        return []
    more = len(lines) - _MOST_SHOWN
    return [title, *lines[:_MOST_SHOWN], *([f"- and {more} more"] if more > 0 else [])]

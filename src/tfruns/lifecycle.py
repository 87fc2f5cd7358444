"""The run lifecycle, as tables.

Theory of operation
-------------------

A run has exactly one status. It changes in two ways:

- the run engine (HCP Terraform, or the local backend) moves it along `TRANSITIONS`;
- a user performs a `RunAction`. `RULES` lists the actions allowed in each status, `ACTIONS` their effect.

`RULES` has one row per status: its phase, whether it is final, which actions the payload shows, and what follows.
`TRANSITIONS` lists the possible next statuses of each status, whatever causes the change. The functions below only read
these tables. An illegal change raises `TransitionNotAllowed` and changes nothing.

A run's payload lists the actions that are possible now (`actions`), which also depend on cool-offs and locks. A client
therefore uses these tables to explain, never to refuse a call that the API might accept; the local backend uses them to
decide. A status that is missing here (HCP Terraform adds some every year) is not an error: it has no rule, and only the
payload's actions are known.

Sources: "Run States and Stages"; HCP Terraform API, "Runs"; and, for what they leave open, observation of the service
(marked "observed") or inference ("inferred").
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from tfruns.errors import TransitionNotAllowed
from tfruns.vocabulary import RunAction, RunEnding, RunOperation, RunPhase, RunStatus, StatusGroup

_S = RunStatus
_P = RunPhase
_A = RunAction
_E = RunEnding


@dataclass(frozen=True, slots=True)
class StatusRule:
    """The rules of one status.

    Attributes:
        phase: the run phase of the status.
        follows: one sentence on what happens next without intervention.
        actions: the actions that the run's payload shows as possible.
        accepts: actions that are accepted although the payload does not show them.
        ending: how the run ended, if the status is final.
        is_decision: whether the run waits for a user's decision.
    """

    phase: RunPhase
    follows: str
    actions: frozenset[RunAction] = field(default=frozenset())
    accepts: frozenset[RunAction] = field(default=frozenset())
    ending: RunEnding | None = None
    is_decision: bool = False

    @property
    def is_final(self) -> bool:
        """Whether no other status can follow."""
        return self.ending is not None

    @property
    def groups(self) -> frozenset[StatusGroup]:
        """The status groups that contain this status (run API, "Run Status Groups")."""
        finality = StatusGroup.FINAL if self.is_final else StatusGroup.NON_FINAL
        return frozenset({finality, StatusGroup.DISCARDABLE} if _A.DISCARD in self.actions else {finality})


_CANCEL = frozenset({_A.CANCEL})
_DISCARD = frozenset({_A.DISCARD})
_DECIDE = frozenset({_A.APPLY, _A.DISCARD})

RULES: Mapping[RunStatus, StatusRule] = {
    # Pending. Discard is accepted although `is-discardable` is false (observed; stated in the run API).
    _S.PENDING: StatusRule(
        _P.PENDING,
        "Waits in the workspace's queue until earlier runs are final and the workspace is unlocked.",
        _CANCEL,
        accepts=frozenset({_A.DISCARD, _A.FORCE_EXECUTE}),
    ),
    # Fetching and pre-plan tasks.
    _S.FETCHING: StatusRule(_P.FETCH, "The configuration is being fetched; the plan follows.", _CANCEL),
    _S.FETCHING_COMPLETED: StatusRule(_P.FETCH, "The configuration is fetched; the plan follows.", _CANCEL),
    _S.PRE_PLAN_RUNNING: StatusRule(_P.PRE_PLAN, "Run tasks are running; the plan follows.", _CANCEL),
    _S.PRE_PLAN_COMPLETED: StatusRule(_P.PRE_PLAN, "Run tasks are completed; the plan follows.", _CANCEL),
    _S.PRE_PLAN_AWAITING_DECISION: StatusRule(  # inferred
        _P.PRE_PLAN,
        "A run task failed. Waits for a person to override it or to discard the run.",
        _DISCARD,
        is_decision=True,
    ),
    # Plan.
    _S.QUEUING: StatusRule(_P.PLAN, "The plan is being queued.", _CANCEL),
    _S.PLAN_QUEUED: StatusRule(_P.PLAN, "The plan starts when a worker is free.", _CANCEL),
    _S.PLANNING: StatusRule(_P.PLAN, "Terraform is planning.", _CANCEL),
    _S.PLANNED: StatusRule(_P.PLAN, "The plan is finished; the next stage follows.", _DECIDE),
    # Post-plan: Terraform policies (beta), run tasks and OPA policies.
    _S.TF_POLICY_CHECKED: StatusRule(_P.POST_PLAN, "The policies passed; the next stage follows.", _DECIDE),  # inferred
    _S.TF_POLICY_OVERRIDE: StatusRule(  # inferred
        _P.POST_PLAN,
        "A policy failed. Waits for a person to override it or to discard the run.",
        _DISCARD,
        is_decision=True,
    ),
    _S.POST_PLAN_RUNNING: StatusRule(_P.POST_PLAN, "Run tasks and policies are being evaluated.", _DISCARD),
    _S.POST_PLAN_COMPLETED: StatusRule(
        _P.POST_PLAN, "Run tasks and policies are completed; the next stage follows.", _DECIDE
    ),
    _S.POST_PLAN_AWAITING_DECISION: StatusRule(  # inferred
        _P.POST_PLAN,
        "A run task failed. Waits for a person to override it or to discard the run.",
        _DISCARD,
        is_decision=True,
    ),
    # Cost estimation and Sentinel policies.
    _S.COST_ESTIMATING: StatusRule(_P.COST_ESTIMATE, "Costs are being estimated.", _CANCEL),  # cancel: inferred
    _S.COST_ESTIMATED: StatusRule(_P.COST_ESTIMATE, "Costs are estimated; the next stage follows.", _DECIDE),
    _S.POLICY_CHECKING: StatusRule(_P.POLICY_CHECK, "Policies are being checked.", _CANCEL),  # cancel: inferred
    _S.POLICY_OVERRIDE: StatusRule(
        _P.POLICY_CHECK,
        "A policy failed. Waits for a person to override it or to discard the run.",
        _DISCARD,
        is_decision=True,
    ),
    _S.POLICY_CHECKED: StatusRule(_P.POLICY_CHECK, "The policies passed; the next stage follows.", _DECIDE),
    # Confirmed, pre-apply tasks, apply, post-apply tasks.
    _S.CONFIRMED: StatusRule(_P.APPLY, "Confirmed; the apply will be queued.", _CANCEL),
    _S.PRE_APPLY_RUNNING: StatusRule(_P.PRE_APPLY, "Run tasks are running; the apply follows.", _CANCEL),
    _S.PRE_APPLY_COMPLETED: StatusRule(_P.PRE_APPLY, "Run tasks are completed; the apply will be queued.", _CANCEL),
    _S.QUEUING_APPLY: StatusRule(_P.APPLY, "The apply is being queued.", _CANCEL),
    _S.APPLY_QUEUED: StatusRule(_P.APPLY, "The apply starts when a worker is free.", _CANCEL),
    _S.APPLYING: StatusRule(_P.APPLY, "Terraform is applying the plan.", _CANCEL),
    _S.POST_APPLY_RUNNING: StatusRule(_P.POST_APPLY, "The plan was applied; run tasks are running.", _CANCEL),
    _S.POST_APPLY_COMPLETED: StatusRule(_P.POST_APPLY, "The plan was applied; run tasks are completed.", _CANCEL),
    # Saved plan. Not final: it can still be confirmed.
    _S.PLANNED_AND_SAVED: StatusRule(
        _P.PLAN,
        "The saved plan is kept until it is applied or discarded, or the state changes.",
        _DECIDE,
        is_decision=True,
    ),
    # Completed.
    _S.APPLIED: StatusRule(_P.COMPLETED, "Final: the plan was applied. Nothing is left to do.", ending=_E.DONE),
    _S.PLANNED_AND_FINISHED: StatusRule(
        _P.COMPLETED,
        "Final: planned, without changes or as a plan-only run. Nothing is to be applied.",
        ending=_E.DONE,
    ),
    _S.POLICY_SOFT_FAILED: StatusRule(_P.COMPLETED, "Final: a policy failed on a plan-only run.", ending=_E.FAILED),
    _S.DISCARDED: StatusRule(_P.COMPLETED, "Final: discarded, nothing was applied.", ending=_E.ABORTED),
    _S.ERRORED: StatusRule(_P.COMPLETED, "Final: failed.", ending=_E.FAILED),
    _S.CANCELED: StatusRule(_P.COMPLETED, "Final: canceled.", ending=_E.ABORTED),
    _S.FORCE_CANCELED: StatusRule(_P.COMPLETED, "Final: killed.", ending=_E.ABORTED),
    # Health assessments are started by the service.
    _S.ASSESSING: StatusRule(_P.ASSESSMENT, "The workspace's health is being assessed."),
    _S.ASSESSED: StatusRule(_P.COMPLETED, "Final: a health assessment.", ending=_E.DONE),
}

# The statuses that may follow a plan, apart from the stages before the apply.
_FAILURES = frozenset({_S.ERRORED, _S.CANCELED})
_AFTER_PLAN = _FAILURES | {_S.CONFIRMED, _S.PLANNED_AND_FINISHED, _S.PLANNED_AND_SAVED, _S.DISCARDED}

TRANSITIONS: Mapping[RunStatus, frozenset[RunStatus]] = {
    _S.PENDING: frozenset({_S.FETCHING, _S.PRE_PLAN_RUNNING, _S.QUEUING, _S.PLAN_QUEUED, _S.DISCARDED}) | _FAILURES,
    _S.FETCHING: frozenset({_S.FETCHING_COMPLETED}) | _FAILURES,
    _S.FETCHING_COMPLETED: frozenset({_S.PENDING, _S.PRE_PLAN_RUNNING, _S.QUEUING, _S.PLAN_QUEUED}) | _FAILURES,
    _S.PRE_PLAN_RUNNING: frozenset({_S.PRE_PLAN_COMPLETED, _S.PRE_PLAN_AWAITING_DECISION}) | _FAILURES,
    _S.PRE_PLAN_AWAITING_DECISION: frozenset({_S.PRE_PLAN_COMPLETED, _S.DISCARDED}) | _FAILURES,
    _S.PRE_PLAN_COMPLETED: frozenset({_S.QUEUING, _S.PLAN_QUEUED}) | _FAILURES,
    _S.QUEUING: frozenset({_S.PLAN_QUEUED}) | _FAILURES,
    _S.PLAN_QUEUED: frozenset({_S.PLANNING}) | _FAILURES,
    _S.PLANNING: frozenset({_S.PLANNED, _S.PLANNED_AND_FINISHED, _S.PLANNED_AND_SAVED}) | _FAILURES,
    _S.PLANNED: _AFTER_PLAN
    | {_S.TF_POLICY_CHECKED, _S.TF_POLICY_OVERRIDE, _S.POST_PLAN_RUNNING, _S.COST_ESTIMATING, _S.POLICY_CHECKING},
    _S.TF_POLICY_OVERRIDE: frozenset({_S.TF_POLICY_CHECKED, _S.DISCARDED}) | _FAILURES,
    _S.TF_POLICY_CHECKED: _AFTER_PLAN | {_S.POST_PLAN_RUNNING, _S.COST_ESTIMATING, _S.POLICY_CHECKING},
    _S.POST_PLAN_RUNNING: frozenset({_S.POST_PLAN_COMPLETED, _S.POST_PLAN_AWAITING_DECISION, _S.DISCARDED}) | _FAILURES,
    _S.POST_PLAN_AWAITING_DECISION: frozenset({_S.POST_PLAN_COMPLETED, _S.DISCARDED}) | _FAILURES,
    _S.POST_PLAN_COMPLETED: _AFTER_PLAN | {_S.COST_ESTIMATING, _S.POLICY_CHECKING},
    _S.COST_ESTIMATING: frozenset({_S.COST_ESTIMATED}) | _FAILURES,
    _S.COST_ESTIMATED: _AFTER_PLAN | {_S.POLICY_CHECKING},
    _S.POLICY_CHECKING: frozenset({_S.POLICY_CHECKED, _S.POLICY_OVERRIDE, _S.POLICY_SOFT_FAILED}) | _FAILURES,
    _S.POLICY_OVERRIDE: frozenset({_S.POLICY_CHECKED, _S.DISCARDED}) | _FAILURES,
    _S.POLICY_CHECKED: _AFTER_PLAN,
    _S.PLANNED_AND_SAVED: frozenset({_S.CONFIRMED, _S.DISCARDED}) | _FAILURES,
    _S.CONFIRMED: frozenset({_S.PRE_APPLY_RUNNING, _S.QUEUING_APPLY, _S.APPLY_QUEUED}) | _FAILURES,
    _S.PRE_APPLY_RUNNING: frozenset({_S.PRE_APPLY_COMPLETED}) | _FAILURES,
    _S.PRE_APPLY_COMPLETED: frozenset({_S.QUEUING_APPLY, _S.APPLY_QUEUED}) | _FAILURES,
    _S.QUEUING_APPLY: frozenset({_S.APPLY_QUEUED}) | _FAILURES,
    _S.APPLY_QUEUED: frozenset({_S.APPLYING}) | _FAILURES,
    _S.APPLYING: frozenset({_S.APPLIED, _S.POST_APPLY_RUNNING}) | _FAILURES,
    _S.POST_APPLY_RUNNING: frozenset({_S.POST_APPLY_COMPLETED}) | _FAILURES,
    _S.POST_APPLY_COMPLETED: frozenset({_S.APPLIED}) | _FAILURES,
    _S.ASSESSING: frozenset({_S.ASSESSED}) | _FAILURES,
    **{status: frozenset() for status, rule in RULES.items() if rule.is_final},
}

# Run modes and options, "Plan-only" and "Saved plans": these neither wait in their workspace's queue nor block it.
_UNQUEUED = frozenset({RunOperation.PLAN_ONLY, RunOperation.SAVE_PLAN})


@dataclass(frozen=True, slots=True)
class ActionRule:
    """The effect of an action, and how a run shows that it was accepted.

    Attributes:
        leads_to: the resulting status, immediately or when the running process has stopped.
        is_immediate: whether the status changes with the action, even while a process is running.
        refusal: the API's message if the status does not allow the action.
        shown_by: statuses that show that the action was accepted.
        timestamp: the key in the run's status timestamps that shows it, in any later status.
    """

    leads_to: RunStatus
    is_immediate: bool
    refusal: str
    shown_by: frozenset[RunStatus]
    timestamp: str | None = None


_APPLY_PHASES = frozenset({_P.PRE_APPLY, _P.APPLY, _P.POST_APPLY})
_APPLY_STATUSES = frozenset(status for status, rule in RULES.items() if rule.phase in _APPLY_PHASES)
_QUEUE_PHASES = frozenset({_P.PENDING, _P.FETCH, _P.PRE_PLAN})

ACTIONS: Mapping[RunAction, ActionRule] = {
    _A.APPLY: ActionRule(
        leads_to=_S.CONFIRMED,
        is_immediate=True,
        refusal="Run was not paused for confirmation; apply not allowed.",
        shown_by=_APPLY_STATUSES | {_S.APPLIED},
        timestamp="confirmed-at",
    ),
    _A.DISCARD: ActionRule(
        leads_to=_S.DISCARDED,
        is_immediate=True,
        refusal="Run was not paused for confirmation or priority; discard not allowed.",
        shown_by=frozenset({_S.DISCARDED}),
        timestamp="discarded-at",
    ),
    _A.CANCEL: ActionRule(
        leads_to=_S.CANCELED,
        is_immediate=False,  # the status changes when Terraform has stopped; a pending run is canceled now
        refusal="Run was not planning or applying; cancel not allowed.",
        shown_by=frozenset({_S.CANCELED, _S.FORCE_CANCELED}),
        timestamp="canceled-at",
    ),
    _A.FORCE_CANCEL: ActionRule(
        leads_to=_S.CANCELED,
        is_immediate=True,
        refusal="Run was not planning or applying, has not been canceled non-forcefully, "
        "or the cool-off period has not yet passed.",
        shown_by=frozenset({_S.CANCELED, _S.FORCE_CANCELED}),
        timestamp="force-canceled-at",
    ),
    _A.FORCE_EXECUTE: ActionRule(
        leads_to=_S.PLAN_QUEUED,
        is_immediate=True,
        refusal="Run is not pending, its workspace was not locked, or its workspace association was not found.",
        shown_by=frozenset(RULES) - {_S.PENDING, _S.DISCARDED, _S.CANCELED, _S.FORCE_CANCELED},
    ),
}


def rule_of(status: str) -> StatusRule | None:
    """The rules of a status; None for an unknown status."""
    return RULES.get(status)  # type: ignore[call-overload, no-any-return]  # a StrEnum hashes and compares as its value


def is_final(status: str) -> bool:
    """Whether a status is final. An unknown status is not."""
    return ending_of(status) is not None


def ending_of(status: str) -> RunEnding | None:
    """How a run in this status ended; None if it has not, or for an unknown status."""
    rule = rule_of(status)
    return rule.ending if rule else None


def timestamp_key(status: str) -> str:
    """The key of a status in the status timestamps: `plan_queued` -> `plan-queued-at`."""
    return f"{status.replace('_', '-')}-at"


def is_confirmed(status: str) -> bool:
    """Whether the apply of a run in this status is confirmed and has not finished; False for an unknown status."""
    return status in _APPLY_STATUSES


def has_left_queue(status: str) -> bool:
    """Whether a run in this status no longer waits in its workspace's queue; False for an unknown status."""
    rule = rule_of(status)
    return rule is not None and rule.phase not in _QUEUE_PHASES


def is_queued(operation: str | None) -> bool:
    """Whether runs of this operation wait in their workspace's queue and block later runs."""
    return operation not in _UNQUEUED


def is_planned(status: str, timestamps: Collection[str] = ()) -> bool:
    """Whether the plan of a run in this status has finished, successfully or not.

    Args:
        status: the run's status.
        timestamps: the keys of its status timestamps, used for an unknown status.
    """
    rule = rule_of(status)
    if rule is None:
        return timestamp_key(_S.PLANNED) in timestamps
    if rule.phase is _P.PLAN:
        return status in {_S.PLANNED, _S.PLANNED_AND_SAVED}
    return rule.phase not in _QUEUE_PHASES | {_P.ASSESSMENT}


def needs_person(status: str, possible: Collection[RunAction], *, is_auto_apply: bool = False) -> bool:
    """Whether a run waits for a person, judged by its status and its possible actions.

    Args:
        status: the run's status.
        possible: the possible actions of its payload, regardless of permissions.
        is_auto_apply: whether it is applied without confirmation.
    """
    rule = rule_of(status)
    if rule is not None and (rule.is_final or rule.is_decision):
        return rule.is_decision
    if _A.APPLY in possible:
        return not is_auto_apply
    # In an unknown status, a run that can be discarded but not canceled is not being processed.
    return rule is None and _A.DISCARD in possible and _A.CANCEL not in possible


def waiting_statuses() -> Sequence[RunStatus]:
    """The statuses in which a run can wait for a person to apply or discard it."""
    return [status for status, rule in RULES.items() if rule.is_decision or _A.APPLY in rule.actions]


def group_of(status: str) -> StatusGroup | None:
    """`final` or `non_final`; None for an unknown status."""
    rule = rule_of(status)
    if rule is None:
        return None
    return StatusGroup.FINAL if rule.is_final else StatusGroup.NON_FINAL


def statuses_in(group: StatusGroup) -> list[RunStatus]:
    """The statuses in a group, in the order of the table."""
    return [status for status, rule in RULES.items() if group in rule.groups]


def allowed_actions(
    status: str, *, is_cancel_asked: bool = False, is_cool_off_over: bool = False
) -> frozenset[RunAction]:
    """The actions that a run's payload shows as possible; none for an unknown status.

    Args:
        status: the run's status.
        is_cancel_asked: whether a cancel was accepted before: it excludes a second one (inferred) and an apply.
        is_cool_off_over: whether the cool-off after that cancel has ended, so that force-cancel is possible.
    """
    rule = rule_of(status)
    if rule is None:
        return frozenset()
    if not is_cancel_asked:
        return rule.actions
    # A pending run is canceled immediately and is never force-canceled.
    may_be_forced = is_cool_off_over and _A.CANCEL in rule.actions and rule.phase is not _P.PENDING
    forced = frozenset({_A.FORCE_CANCEL}) if may_be_forced else frozenset[RunAction]()
    return rule.actions - {_A.APPLY, _A.CANCEL} | forced


def accepted_actions(status: str) -> frozenset[RunAction]:
    """The actions that are accepted although the payload does not show them.

    Without force-execute, which also requires another run that blocks the workspace.
    """
    rule = rule_of(status)
    return rule.accepts - {_A.FORCE_EXECUTE} if rule else frozenset()


def act(
    status: RunStatus, action: RunAction, *, is_cancel_asked: bool = False, is_cool_off_over: bool = False
) -> RunStatus:
    """The status of a run immediately after an accepted action; unchanged if the effect follows later.

    Raises:
        TransitionNotAllowed: 409, the status does not allow the action.
    """
    shown = allowed_actions(status, is_cancel_asked=is_cancel_asked, is_cool_off_over=is_cool_off_over)
    if action not in shown | RULES[status].accepts:
        raise TransitionNotAllowed(
            ACTIONS[action].refusal,
            facts={"run_status": status.value, "allowed_actions": sorted(shown | accepted_actions(status))},
        )
    rule = ACTIONS[action]
    return rule.leads_to if rule.is_immediate or status is _S.PENDING else status


def advance(status: RunStatus, to: RunStatus) -> RunStatus:
    """Check that a run may change from `status` to `to`, and return `to`.

    Raises:
        TransitionNotAllowed: it may not.
    """
    if to not in TRANSITIONS[status]:
        raise TransitionNotAllowed(
            f"A run cannot change from {status.value} to {to.value}.", facts={"run_status": status.value}
        )
    return to


def sources_of(to: RunStatus) -> frozenset[RunStatus]:
    """The statuses from which a run may change to this one."""
    return frozenset(status for status, targets in TRANSITIONS.items() if to in targets)


def has_taken_effect(action: RunAction, status: str, timestamps: Collection[str]) -> bool:
    """Whether a run's status or timestamps show that an action was accepted.

    Args:
        action: the action that was sent and whose response was lost.
        status: the run's current status.
        timestamps: the keys of its status timestamps, plus `canceled-at` if the run has that attribute.
    """
    rule = ACTIONS[action]
    return status in rule.shown_by or (rule.timestamp is not None and rule.timestamp in timestamps)


def is_force_canceled(status: str, timestamps: Collection[str]) -> bool:
    """Whether a run was force-canceled: its process was killed.

    Args:
        status: the run's status; the API returns `canceled` for a force-canceled run.
        timestamps: the keys of its status timestamps, which distinguish the two.
    """
    return status == _S.FORCE_CANCELED or ACTIONS[_A.FORCE_CANCEL].timestamp in timestamps


def what_follows(status: str, allowed: Collection[RunAction], *, is_auto_apply: bool = False) -> str:
    """One sentence on what happens next to a run, from its allowed actions and its status."""
    if _A.APPLY in allowed:
        if is_auto_apply and status != _S.PLANNED_AND_SAVED:
            return "Auto-apply is on: it will be applied without confirmation. It can still be discarded."
        return "Waits for a person to apply or discard it."
    rule = rule_of(status)
    if rule is None:
        return "tfruns does not know this status: use the allowed actions."
    if _A.FORCE_CANCEL in allowed:
        return "The cancel has not stopped it. A force-cancel is possible now, and may lose state."
    return rule.follows

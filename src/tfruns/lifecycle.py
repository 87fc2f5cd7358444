"""The rules of a run, as data.

Theory of operation
-------------------

A run is in exactly one status. Two kinds of things change it:

- the run engine (HCP Terraform, or the local backend) moves it along `TRANSITIONS`;
- a person performs a `RunAction`, which `RULES` allows or not for the status, and which leads where `ACTIONS` says.

`RULES` has one row for each status: the phase it belongs to, whether it is final, which actions its payload shows, and
what follows. `TRANSITIONS` lists for each status every status that may come next, whatever moves the run there.
Everything else here only reads these tables. An illegal change raises `TransitionNotAllowed`, and nothing happens.

A run itself says what may be done to it now (`actions` in its payload, which also knows about permissions to come,
cool-offs and locks). A client therefore uses these tables to explain, and never to refuse in the API's place; the local
backend uses them to decide. A status that is not in the tables (HCP Terraform adds some every year) is no error: it has
no rule, and the run's own actions are all that is known.

Sources: "Run States and Stages"; HCP Terraform API, "Runs"; and, for what they leave open, observation of the service
(marked "observed") or inference ("inferred").
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from tfruns.errors import TransitionNotAllowed
from tfruns.vocabulary import PhaseStatus, RunAction, RunEnding, RunOperation, RunPhase, RunStatus, StatusGroup

_S = RunStatus
_P = RunPhase
_A = RunAction
_E = RunEnding


@dataclass(frozen=True, slots=True)
class StatusRule:
    """What holds for a run in one status.

    Attributes:
        phase: the stage of the run to which the status belongs.
        follows: one sentence on what happens next when nobody does anything.
        actions: the actions that the run's payload shows as possible.
        accepts: actions that are accepted although the payload does not show them.
        ending: how the run has ended, where no status comes after this one.
        is_decision: no status comes after this one before a person has decided.
    """

    phase: RunPhase
    follows: str
    actions: frozenset[RunAction] = field(default=frozenset())
    accepts: frozenset[RunAction] = field(default=frozenset())
    ending: RunEnding | None = None
    is_decision: bool = False

    @property
    def is_final(self) -> bool:
        """Whether no status comes after this one."""
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
    # Pending. Discard is accepted here although `is-discardable` is false (observed; the run API says so in words).
    _S.PENDING: StatusRule(
        _P.PENDING,
        "Waits in the workspace's queue until the runs before it are final and no one holds a lock.",
        _CANCEL,
        accepts=frozenset({_A.DISCARD, _A.FORCE_EXECUTE}),
    ),
    # Fetching and pre-plan tasks.
    _S.FETCHING: StatusRule(_P.FETCH, "The configuration is being fetched; then it is planned.", _CANCEL),
    _S.FETCHING_COMPLETED: StatusRule(_P.FETCH, "The configuration is there; it will be planned.", _CANCEL),
    _S.PRE_PLAN_RUNNING: StatusRule(_P.PRE_PLAN, "Run tasks are being done; then it is planned.", _CANCEL),
    _S.PRE_PLAN_COMPLETED: StatusRule(_P.PRE_PLAN, "The run tasks are done; it will be planned.", _CANCEL),
    _S.PRE_PLAN_AWAITING_DECISION: StatusRule(  # inferred
        _P.PRE_PLAN,
        "A run task failed: waits for a person to override it, or to discard the run.",
        _DISCARD,
        is_decision=True,
    ),
    # Plan.
    _S.QUEUING: StatusRule(_P.PLAN, "Is being queued for planning.", _CANCEL),
    _S.PLAN_QUEUED: StatusRule(_P.PLAN, "The plan starts as soon as a worker is free.", _CANCEL),
    _S.PLANNING: StatusRule(_P.PLAN, "Terraform is planning.", _CANCEL),
    _S.PLANNED: StatusRule(_P.PLAN, "The plan is done; the next stage follows by itself.", _DECIDE),
    # Post-plan: Terraform policies (beta), run tasks and OPA policies.
    _S.TF_POLICY_CHECKED: StatusRule(  # inferred
        _P.POST_PLAN, "The policies passed; the next stage follows by itself.", _DECIDE
    ),
    _S.TF_POLICY_OVERRIDE: StatusRule(  # inferred
        _P.POST_PLAN,
        "A policy failed: waits for a person to override it, or to discard the run.",
        _DISCARD,
        is_decision=True,
    ),
    _S.POST_PLAN_RUNNING: StatusRule(_P.POST_PLAN, "Run tasks and policies are being evaluated.", _DISCARD),
    _S.POST_PLAN_COMPLETED: StatusRule(
        _P.POST_PLAN, "Run tasks and policies are done; the next stage follows by itself.", _DECIDE
    ),
    _S.POST_PLAN_AWAITING_DECISION: StatusRule(  # inferred
        _P.POST_PLAN,
        "A run task failed: waits for a person to override it, or to discard the run.",
        _DISCARD,
        is_decision=True,
    ),
    # Cost estimation and Sentinel policies.
    _S.COST_ESTIMATING: StatusRule(_P.COST_ESTIMATE, "Costs are being estimated.", _CANCEL),  # cancel: inferred
    _S.COST_ESTIMATED: StatusRule(_P.COST_ESTIMATE, "Costs are estimated; the next stage follows by itself.", _DECIDE),
    _S.POLICY_CHECKING: StatusRule(_P.POLICY_CHECK, "Policies are being checked.", _CANCEL),  # cancel: inferred
    _S.POLICY_OVERRIDE: StatusRule(
        _P.POLICY_CHECK,
        "A policy failed: waits for a person to override it, or to discard the run.",
        _DISCARD,
        is_decision=True,
    ),
    _S.POLICY_CHECKED: StatusRule(_P.POLICY_CHECK, "The policies passed; the next stage follows by itself.", _DECIDE),
    # Confirmed, pre-apply tasks, apply, post-apply tasks.
    _S.CONFIRMED: StatusRule(_P.APPLY, "Is confirmed; the apply will be queued.", _CANCEL),
    _S.PRE_APPLY_RUNNING: StatusRule(_P.PRE_APPLY, "Run tasks are being done; then it is applied.", _CANCEL),
    _S.PRE_APPLY_COMPLETED: StatusRule(_P.PRE_APPLY, "The run tasks are done; the apply will be queued.", _CANCEL),
    _S.QUEUING_APPLY: StatusRule(_P.APPLY, "The apply is being queued.", _CANCEL),
    _S.APPLY_QUEUED: StatusRule(_P.APPLY, "The apply starts as soon as a worker is free.", _CANCEL),
    _S.APPLYING: StatusRule(_P.APPLY, "Terraform is applying the plan.", _CANCEL),
    _S.POST_APPLY_RUNNING: StatusRule(_P.POST_APPLY, "Was applied; run tasks are being done.", _CANCEL),
    _S.POST_APPLY_COMPLETED: StatusRule(_P.POST_APPLY, "Was applied, and the run tasks are done.", _CANCEL),
    # Saved plan. Not final: it may still be confirmed.
    _S.PLANNED_AND_SAVED: StatusRule(
        _P.PLAN,
        "The saved plan is kept until it is applied or discarded, or the state changes.",
        _DECIDE,
        is_decision=True,
    ),
    # Completed.
    _S.APPLIED: StatusRule(_P.COMPLETED, "Final: the plan was applied.", ending=_E.DONE),
    _S.PLANNED_AND_FINISHED: StatusRule(
        _P.COMPLETED, "Final: planned, with nothing to apply or as a plan-only run.", ending=_E.DONE
    ),
    _S.POLICY_SOFT_FAILED: StatusRule(_P.COMPLETED, "Final: a policy failed on a plan-only run.", ending=_E.FAILED),
    _S.DISCARDED: StatusRule(_P.COMPLETED, "Final: discarded, nothing was applied.", ending=_E.BROKEN_OFF),
    _S.ERRORED: StatusRule(_P.COMPLETED, "Final: failed.", ending=_E.FAILED),
    _S.CANCELED: StatusRule(_P.COMPLETED, "Final: canceled.", ending=_E.BROKEN_OFF),
    _S.FORCE_CANCELED: StatusRule(_P.COMPLETED, "Final: killed.", ending=_E.BROKEN_OFF),
    # Health assessments are runs of the service's own.
    _S.ASSESSING: StatusRule(_P.ASSESSMENT, "The workspace's health is being assessed."),
    _S.ASSESSED: StatusRule(_P.COMPLETED, "Final: a health assessment.", ending=_E.DONE),
}

# What may come after planning, once the stages before it are done: the next stage, a person's decision, or the end.
_BROKEN_OFF = frozenset({_S.ERRORED, _S.CANCELED})
_AFTER_PLAN = _BROKEN_OFF | {_S.CONFIRMED, _S.PLANNED_AND_FINISHED, _S.PLANNED_AND_SAVED, _S.DISCARDED}

TRANSITIONS: Mapping[RunStatus, frozenset[RunStatus]] = {
    _S.PENDING: frozenset({_S.FETCHING, _S.PRE_PLAN_RUNNING, _S.QUEUING, _S.PLAN_QUEUED, _S.DISCARDED}) | _BROKEN_OFF,
    _S.FETCHING: frozenset({_S.FETCHING_COMPLETED}) | _BROKEN_OFF,
    _S.FETCHING_COMPLETED: frozenset({_S.PENDING, _S.PRE_PLAN_RUNNING, _S.QUEUING, _S.PLAN_QUEUED}) | _BROKEN_OFF,
    _S.PRE_PLAN_RUNNING: frozenset({_S.PRE_PLAN_COMPLETED, _S.PRE_PLAN_AWAITING_DECISION}) | _BROKEN_OFF,
    _S.PRE_PLAN_AWAITING_DECISION: frozenset({_S.PRE_PLAN_COMPLETED, _S.DISCARDED}) | _BROKEN_OFF,
    _S.PRE_PLAN_COMPLETED: frozenset({_S.QUEUING, _S.PLAN_QUEUED}) | _BROKEN_OFF,
    _S.QUEUING: frozenset({_S.PLAN_QUEUED}) | _BROKEN_OFF,
    _S.PLAN_QUEUED: frozenset({_S.PLANNING}) | _BROKEN_OFF,
    _S.PLANNING: frozenset({_S.PLANNED, _S.PLANNED_AND_FINISHED, _S.PLANNED_AND_SAVED}) | _BROKEN_OFF,
    _S.PLANNED: _AFTER_PLAN
    | {
        _S.TF_POLICY_CHECKED,
        _S.TF_POLICY_OVERRIDE,
        _S.POST_PLAN_RUNNING,
        _S.COST_ESTIMATING,
        _S.POLICY_CHECKING,
    },
    _S.TF_POLICY_OVERRIDE: frozenset({_S.TF_POLICY_CHECKED, _S.DISCARDED}) | _BROKEN_OFF,
    _S.TF_POLICY_CHECKED: _AFTER_PLAN | {_S.POST_PLAN_RUNNING, _S.COST_ESTIMATING, _S.POLICY_CHECKING},
    _S.POST_PLAN_RUNNING: frozenset({_S.POST_PLAN_COMPLETED, _S.POST_PLAN_AWAITING_DECISION, _S.DISCARDED})
    | _BROKEN_OFF,
    _S.POST_PLAN_AWAITING_DECISION: frozenset({_S.POST_PLAN_COMPLETED, _S.DISCARDED}) | _BROKEN_OFF,
    _S.POST_PLAN_COMPLETED: _AFTER_PLAN | {_S.COST_ESTIMATING, _S.POLICY_CHECKING},
    _S.COST_ESTIMATING: frozenset({_S.COST_ESTIMATED}) | _BROKEN_OFF,
    _S.COST_ESTIMATED: _AFTER_PLAN | {_S.POLICY_CHECKING},
    _S.POLICY_CHECKING: frozenset({_S.POLICY_CHECKED, _S.POLICY_OVERRIDE, _S.POLICY_SOFT_FAILED}) | _BROKEN_OFF,
    _S.POLICY_OVERRIDE: frozenset({_S.POLICY_CHECKED, _S.DISCARDED}) | _BROKEN_OFF,
    _S.POLICY_CHECKED: _AFTER_PLAN,
    _S.PLANNED_AND_SAVED: frozenset({_S.CONFIRMED, _S.DISCARDED}) | _BROKEN_OFF,
    _S.CONFIRMED: frozenset({_S.PRE_APPLY_RUNNING, _S.QUEUING_APPLY, _S.APPLY_QUEUED}) | _BROKEN_OFF,
    _S.PRE_APPLY_RUNNING: frozenset({_S.PRE_APPLY_COMPLETED}) | _BROKEN_OFF,
    _S.PRE_APPLY_COMPLETED: frozenset({_S.QUEUING_APPLY, _S.APPLY_QUEUED}) | _BROKEN_OFF,
    _S.QUEUING_APPLY: frozenset({_S.APPLY_QUEUED}) | _BROKEN_OFF,
    _S.APPLY_QUEUED: frozenset({_S.APPLYING}) | _BROKEN_OFF,
    _S.APPLYING: frozenset({_S.APPLIED, _S.POST_APPLY_RUNNING}) | _BROKEN_OFF,
    _S.POST_APPLY_RUNNING: frozenset({_S.POST_APPLY_COMPLETED}) | _BROKEN_OFF,
    _S.POST_APPLY_COMPLETED: frozenset({_S.APPLIED}) | _BROKEN_OFF,
    _S.ASSESSING: frozenset({_S.ASSESSED}) | _BROKEN_OFF,
    **{status: frozenset() for status, rule in RULES.items() if rule.is_final},
}

# What a run's status says of its plan or its apply.
PHASE_STATUSES: Mapping[RunStatus, tuple[RunPhase, PhaseStatus]] = {
    _S.PLAN_QUEUED: (_P.PLAN, PhaseStatus.QUEUED),
    _S.PLANNING: (_P.PLAN, PhaseStatus.RUNNING),
    _S.PLANNED: (_P.PLAN, PhaseStatus.FINISHED),
    _S.PLANNED_AND_FINISHED: (_P.PLAN, PhaseStatus.FINISHED),
    _S.PLANNED_AND_SAVED: (_P.PLAN, PhaseStatus.FINISHED),
    _S.APPLY_QUEUED: (_P.APPLY, PhaseStatus.QUEUED),
    _S.APPLYING: (_P.APPLY, PhaseStatus.RUNNING),
    _S.APPLIED: (_P.APPLY, PhaseStatus.FINISHED),
}

# Run modes and options, "Plan-only" and "Saved plans": these neither wait in their workspace's queue nor hold it.
_UNQUEUED = frozenset({RunOperation.PLAN_ONLY, RunOperation.SAVE_PLAN})


@dataclass(frozen=True, slots=True)
class ActionRule:
    """What one action does, and how the run shows that it has been accepted.

    Attributes:
        leads_to: the status that the action brings about, at once or when the running process has ended.
        is_immediate: whether the status changes with the action itself, whatever is running.
        refusal: the API's reason when the status does not allow it.
        shown_by: statuses that a run can only have, or need only have, once the action was accepted.
        timestamp: the key in the run's status timestamps that says so too, in any later status.
    """

    leads_to: RunStatus
    is_immediate: bool
    refusal: str
    shown_by: frozenset[RunStatus]
    timestamp: str | None = None


_APPLY_STATUSES = frozenset(s for s, r in RULES.items() if r.phase in {_P.PRE_APPLY, _P.APPLY, _P.POST_APPLY})

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
        is_immediate=False,  # SIGINT; the status changes when Terraform has ended. A pending run ends at once.
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
    """The row of a status, or None for a status that the tables do not know."""
    return RULES.get(status)  # type: ignore[call-overload, no-any-return]  # a StrEnum hashes and compares as its value


def is_final(status: str) -> bool:
    """Whether nothing more can happen to a run in this status. An unknown status counts as not final."""
    rule = rule_of(status)
    return rule is not None and rule.is_final


def ending_of(status: str) -> RunEnding | None:
    """How a run in this status has ended; None if it has not, or for an unknown status."""
    rule = rule_of(status)
    return rule.ending if rule else None


def phase_status_of(status: str) -> tuple[RunPhase, PhaseStatus] | None:
    """What a run's status says of its plan or apply; None where it says nothing of either."""
    return PHASE_STATUSES.get(status)  # type: ignore[call-overload, no-any-return]  # as in `rule_of`


def statuses_of_phases(*wanted: PhaseStatus) -> list[RunStatus]:
    """The statuses of runs whose plan or apply has one of these."""
    return [status for status, (_, phase_status) in PHASE_STATUSES.items() if phase_status in wanted]


def is_queued(operation: str | None) -> bool:
    """Whether runs of this operation wait in their workspace's queue, and hold it afterwards."""
    return operation not in _UNQUEUED


def is_planned(status: str, timestamps: Collection[str] = ()) -> bool:
    """Whether the plan of a run in this status is done, for better or worse.

    Args:
        status: the run's status.
        timestamps: the keys of its status timestamps, which tell it for a status that the tables do not know.
    """
    rule = rule_of(status)
    if rule is None:
        return "planned-at" in timestamps
    if rule.phase is _P.PLAN:
        return status in {_S.PLANNED, _S.PLANNED_AND_SAVED}
    return rule.phase not in {_P.PENDING, _P.FETCH, _P.PRE_PLAN, _P.ASSESSMENT}


def needs_person(status: str, possible: Collection[RunAction], *, is_auto_apply: bool = False) -> bool:
    """Whether a run goes no further until a person acts, as far as its status and its own actions tell.

    Args:
        status: the run's status.
        possible: the actions that the run calls possible, whoever may do them.
        is_auto_apply: it is applied without a confirmation.
    """
    rule = rule_of(status)
    if rule is not None and (rule.is_final or rule.is_decision):
        return rule.is_decision
    if _A.APPLY in possible:
        return not is_auto_apply
    # In a status that the tables do not know, what can be discarded but not canceled is not at work.
    return rule is None and _A.DISCARD in possible and _A.CANCEL not in possible


def group_of(status: str) -> StatusGroup | None:
    """`final` or `non_final`; None for an unknown status."""
    rule = rule_of(status)
    if rule is None:
        return None
    return StatusGroup.FINAL if rule.is_final else StatusGroup.NON_FINAL


def statuses_in(group: StatusGroup) -> list[RunStatus]:
    """The statuses that a group contains, in the order of the table."""
    return [status for status, rule in RULES.items() if group in rule.groups]


def allowed_actions(
    status: str, *, is_cancel_asked: bool = False, is_cool_off_over: bool = False
) -> frozenset[RunAction]:
    """The actions that a run's payload shows as possible.

    Args:
        status: the run's status; an unknown one allows nothing that these tables could know of.
        is_cancel_asked: a cancel was accepted before: a second one is not (inferred), and neither is an apply.
        is_cool_off_over: the time after that cancel has passed, so that force-cancel is possible.
    """
    rule = rule_of(status)
    if rule is None:
        return frozenset()
    if not is_cancel_asked:
        return rule.actions
    # A cancel takes effect at once on a pending run, so it never has to be forced.
    may_be_forced = is_cool_off_over and _A.CANCEL in rule.actions and rule.phase is not _P.PENDING
    forced = frozenset({_A.FORCE_CANCEL}) if may_be_forced else frozenset[RunAction]()
    return rule.actions - {_A.APPLY, _A.CANCEL} | forced


def accepted_actions(status: str) -> frozenset[RunAction]:
    """The actions that are accepted although the payload does not show them, as far as the status alone decides.

    A force-execute is not among them: it needs another run that holds the workspace.
    """
    rule = rule_of(status)
    return rule.accepts - {_A.FORCE_EXECUTE} if rule else frozenset()


def act(
    status: RunStatus, action: RunAction, *, is_cancel_asked: bool = False, is_cool_off_over: bool = False
) -> RunStatus:
    """The status of a run right after an accepted action; the same status where the effect comes later.

    Raises:
        TransitionNotAllowed: 409, the status does not allow the action. Nothing happens.
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
    """The status `to`, if a run may go there from `status`.

    Raises:
        TransitionNotAllowed: it may not. Nothing happens.
    """
    if to not in TRANSITIONS[status]:
        raise TransitionNotAllowed(
            f"A run cannot go from {status.value} to {to.value}.", facts={"run_status": status.value}
        )
    return to


def sources_of(to: RunStatus) -> frozenset[RunStatus]:
    """Every status from which a run may come into this one."""
    return frozenset(status for status, targets in TRANSITIONS.items() if to in targets)


def has_taken_effect(action: RunAction, status: str, timestamps: Collection[str]) -> bool:
    """Whether a run shows that an action was accepted, by its status or by a timestamp that it has.

    Args:
        action: the action that was sent, and whose answer was lost.
        status: the run's status now.
        timestamps: the keys of its status timestamps, with `canceled-at` added when the run has that attribute.
    """
    rule = ACTIONS[action]
    return status in rule.shown_by or (rule.timestamp is not None and rule.timestamp in timestamps)


def is_force_canceled(status: str, timestamps: Collection[str]) -> bool:
    """Whether a run was killed: its last process could not finish what it was doing.

    Args:
        status: the run's status. The API answers `canceled` for a killed run.
        timestamps: the keys of its status timestamps, which tell a killed run from a canceled one.
    """
    return status == _S.FORCE_CANCELED or ACTIONS[_A.FORCE_CANCEL].timestamp in timestamps


def what_follows(status: str, allowed: Collection[RunAction], *, is_auto_apply: bool = False) -> str:
    """One sentence on what happens next to a run, judged by its own allowed actions before its status."""
    if _A.APPLY in allowed:
        if is_auto_apply and status != _S.PLANNED_AND_SAVED:
            return "Auto-apply is on: it will be applied without a confirmation; it can still be discarded."
        return "Waits for a person to apply or discard it."
    rule = rule_of(status)
    if rule is None:
        return "This status is newer than tfruns: judge by the allowed actions."
    if _A.FORCE_CANCEL in allowed:
        return "A cancel was asked and has not ended it; a force-cancel is possible now, and may lose state."
    return rule.follows


def has_phase_begun(status: str) -> bool:
    """Whether a plan or an apply in this status has begun, and so may have a log."""
    return status in {PhaseStatus.RUNNING, PhaseStatus.FINISHED, PhaseStatus.ERRORED, PhaseStatus.CANCELED}


def has_phase_ended(status: str) -> bool:
    """Whether nothing more comes of a plan or an apply in this status."""
    return status in {PhaseStatus.FINISHED, PhaseStatus.ERRORED, PhaseStatus.CANCELED, PhaseStatus.UNREACHABLE}

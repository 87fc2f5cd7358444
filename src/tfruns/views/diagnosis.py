"""The view of a diagnosis: why a run failed, ended early, or waits."""

from dataclasses import dataclass
from datetime import datetime

from tfruns.next_actions import NextAction
from tfruns.views.base import View


@dataclass(frozen=True, slots=True)
class ErrorView(View):
    """An error of Terraform.

    Attributes:
        where: file and line.
        code: the lines of the configuration.
        values: the values of the expressions in the code.
    """

    summary: str = ""
    detail: str = ""
    address: str = ""
    where: str = ""
    code: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyCheckView(View):
    """A Sentinel policy check that failed, with the end of its output."""

    id: str
    status: str
    scope: str | None = None
    hard_failed: int | None = None
    soft_failed: int | None = None
    may_override: bool | None = None
    output: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskView(View):
    """A run task that failed."""

    task: str = ""
    status: str | None = None
    enforcement: str | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class PolicyView(View):
    """An OPA or Terraform policy that failed, or an error of its policy set.

    Attributes:
        resources: the resources that failed it, with the messages.
    """

    policy: str = ""
    status: str = ""
    enforcement: str = ""
    description: str = ""
    error: str = ""
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskStageView(View):
    """A task stage that failed or awaits an override."""

    id: str
    stage: str | None = None
    status: str | None = None
    tasks: tuple[TaskView, ...] = ()
    policies: tuple[PolicyView, ...] = ()


@dataclass(frozen=True, slots=True)
class TfPoliciesView(View):
    """An evaluation of Terraform policies that failed or awaits an override."""

    id: str
    stage: str | None = None
    status: str | None = None
    mandatory_failed: int | None = None
    may_override: bool | None = None
    error: str = ""
    policies: tuple[PolicyView, ...] = ()


@dataclass(frozen=True, slots=True)
class BlockingRun(View):
    """The run that blocks the workspace; only its id if it cannot be read."""

    id: str
    status: str = ""
    since: datetime | None = None
    created_by: str = ""
    message: str = ""
    follows: str = ""


@dataclass(frozen=True, slots=True)
class WaitsFor(View):
    """What a run waits for.

    Attributes:
        position: in the queue of its workspace, from 1.
        before: the ids of the runs before it, the newest first.
        held_by: the run that blocks the workspace.
        locked_since: None if the API does not tell.
        needs_person: whether it waits for a person, so that time alone does not end the wait.
        freed_by: what would end the wait.
    """

    needs_person: bool | None = None
    position: int | None = None
    before: tuple[str, ...] = ()
    reason: str = ""
    held_by: BlockingRun | None = None
    locked_by: str = ""
    locked_since: datetime | None = None
    lock_reason: str = ""
    freed_by: str = ""


@dataclass(frozen=True, slots=True)
class ApplyResult(View):
    """The steps of an apply that did not succeed, by outcome.

    Attributes:
        unknown: started, without an end in the log.
        not_in_log: it is not known whether they started.
    """

    done: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    not_started: tuple[str, ...] = ()
    not_in_log: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class DiagnosisView(View):
    """Why a run failed, ended early, or waits.

    Attributes:
        verdict: failed, canceled, discarded, waiting, in_progress or succeeded.
        failed_stage: the stage at which it failed.
        ended_by: who canceled or discarded it.
        omitted_errors: the number of further errors.
        last_lines: of a log without errors.
        could_not_read: what could not be read, with the reason.
    """

    id: str
    status: str
    since: datetime | None = None
    verdict: str = ""
    failed_stage: str = ""
    summary: str = ""
    ended_by: str = ""
    ended_at: datetime | None = None
    reason: str = ""
    comment: str = ""
    waits_for: WaitsFor | None = None
    errors: tuple[ErrorView, ...] = ()
    omitted_errors: int | None = None
    last_lines: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    policy_checks: tuple[PolicyCheckView, ...] = ()
    task_stages: tuple[TaskStageView, ...] = ()
    tf_policies: tuple[TfPoliciesView, ...] = ()
    cost_estimate_error: str = ""
    apply_result: ApplyResult | None = None
    follows: str = ""
    next_actions: tuple[NextAction, ...] = ()
    could_not_read: tuple[str, ...] = ()

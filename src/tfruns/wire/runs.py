"""Runs. Source: HCP Terraform API, "Runs"."""

from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from tfruns.lifecycle import accepted_actions, allowed_actions, needs_person
from tfruns.vocabulary import RunAction, RunSource, RunStatus
from tfruns.wire.base import Flags, Resource, Secret, Timestamps, ToMany, ToOne, WireTime
from tfruns.wire.run_options import RunOptions


class RunActions(Flags):
    """The actions that the run's state allows now, regardless of permissions."""

    is_cancelable: bool | None = None
    is_confirmable: bool | None = None
    is_discardable: bool | None = None
    is_force_cancelable: bool | None = None


class RunPermissions(Flags):
    """The permissions of this token on the run."""

    can_apply: bool | None = None
    can_cancel: bool | None = None
    can_comment: bool | None = None
    can_discard: bool | None = None
    can_force_cancel: bool | None = None
    can_force_execute: bool | None = None
    can_override_policy_check: bool | None = None


class RunVariable(Flags):
    """A variable of a run. Its value is an HCL literal and may be a secret."""

    key: str
    value: Secret = None


class Run(Resource, RunOptions):
    """A run of a workspace, with its options. Times are timezone-aware, in UTC.

    Attributes:
        source: where it was created: `tfe-api`, `tfe-ui`, `terraform+cloud`, ...
        trigger_reason: why it was created: `manual`, ...
        has_changes: whether the plan changes anything; None before the plan.
        variables: the variables that override the workspace's.
        canceled_at: the time of the request to cancel it.
        force_cancel_available_at: the time from which it can be force-canceled.
        configuration_version: the configuration that is planned.
        plan: its plan, for `client.plans`.
        apply: its apply, for `client.applies`.
        cost_estimate: its cost estimate, for `client.cost_estimates`.
        confirmed_by: the user who applied it.
        canceled_by: the user who canceled it.
        comments: its comments.
        run_events: its events.
        policy_checks: its Sentinel policy checks, for `client.policy_checks`.
        task_stages: its run tasks and OPA policies, for `client.task_stages`.
    """

    wire_type: ClassVar[str] = "runs"

    status: Annotated[RunStatus | str, Field(union_mode="left_to_right")]
    message: str | None = None
    created_at: WireTime | None = None
    status_timestamps: Annotated[Timestamps, BeforeValidator(lambda value: value or {})] = Field(default_factory=dict)
    source: Annotated[RunSource | str | None, Field(union_mode="left_to_right")] = None
    trigger_reason: str | None = None

    has_changes: bool | None = None
    auto_apply: bool | None = None
    variables: list[RunVariable] | None = Field(default=None, repr=False)

    actions: RunActions | None = None
    permissions: RunPermissions | None = None
    canceled_at: WireTime | None = None
    force_cancel_available_at: WireTime | None = None

    workspace: ToOne = None
    configuration_version: ToOne = None
    plan: ToOne = None
    apply: ToOne = None
    cost_estimate: ToOne = None
    created_by: ToOne = None
    confirmed_by: ToOne = None
    canceled_by: ToOne = None
    comments: ToMany = ()
    run_events: ToMany = ()
    policy_checks: ToMany = ()
    task_stages: ToMany = ()
    tf_policy_evaluations: ToMany = ()

    @property
    def passed(self) -> frozenset[str]:
        """The keys of its status timestamps, such as `planned-at`: the steps that it has reached."""
        return frozenset(key for key, moment in self.status_timestamps.items() if moment)

    @property
    def possible_actions(self) -> frozenset[RunAction]:
        """The actions that the run's state allows, regardless of permissions.

        From the payload, or from the lifecycle if it omits them.
        """
        if self.actions is None:
            return allowed_actions(self.status, is_cancel_asked=self.canceled_at is not None)
        flags = {
            RunAction.APPLY: self.actions.is_confirmable,
            RunAction.DISCARD: self.actions.is_discardable,
            RunAction.CANCEL: self.actions.is_cancelable,
            RunAction.FORCE_CANCEL: self.actions.is_force_cancelable,
        }
        return frozenset(action for action, is_possible in flags.items() if is_possible)

    @property
    def allowed_actions(self) -> list[RunAction]:
        """The actions that this token may perform now.

        Includes the discard of a pending run, which the payload does not show.
        """
        allowed = (self.possible_actions | accepted_actions(self.status)) - self.forbidden_actions
        return [action for action in RunAction if action in allowed]

    @property
    def needs_person(self) -> bool:
        """Whether the run waits for a person. A plan-only run is never applied."""
        possible = self.possible_actions - {RunAction.APPLY} if self.plan_only else self.possible_actions
        return needs_person(self.status, possible, is_auto_apply=bool(self.auto_apply))

    @property
    def forbidden_actions(self) -> frozenset[RunAction]:
        """The actions for which this token lacks permission, as far as the payload shows."""
        if self.permissions is None:
            return frozenset()
        flags = {
            RunAction.APPLY: self.permissions.can_apply,
            RunAction.DISCARD: self.permissions.can_discard,
            RunAction.CANCEL: self.permissions.can_cancel,
            RunAction.FORCE_CANCEL: self.permissions.can_force_cancel,
            RunAction.FORCE_EXECUTE: self.permissions.can_force_execute,
        }
        return frozenset(action for action, may in flags.items() if may is False)

"""The checks between a plan and its apply: cost estimates, Sentinel policy checks, task stages.

Sources: HCP Terraform API, "Cost Estimates", "Policy Checks", "Run Tasks"; the OpenAPI document, also for Terraform
policies (`tf-policy-evaluations`).
"""

from typing import Any, ClassVar

from tfruns.wire.base import Flags, Resource, Timestamps, ToMany, ToOne


class OverrideActions(Flags):
    """Whether a failed check can be overridden."""

    is_overridable: bool | None = None


class OverridePermissions(Flags):
    """Whether this token may override it."""

    can_override: bool | None = None
    can_override_policy: bool | None = None
    can_override_tasks: bool | None = None


class CostEstimate(Resource):
    """The cost estimate of a plan. Amounts are decimal strings in US dollars per month."""

    wire_type: ClassVar[str] = "cost-estimates"

    status: str
    status_timestamps: Timestamps | None = None
    error_message: str | None = None
    prior_monthly_cost: str | None = None
    proposed_monthly_cost: str | None = None
    delta_monthly_cost: str | None = None
    resources_count: int | None = None
    matched_resources_count: int | None = None
    unmatched_resources_count: int | None = None


class PolicyResult(Flags):
    """The result of a policy check: numbers of policies."""

    result: bool | None = None
    passed: int | None = None
    total_failed: int | None = None
    hard_failed: int | None = None
    soft_failed: int | None = None
    advisory_failed: int | None = None
    duration_ms: int | None = None


class PolicyCheck(Resource):
    """One Sentinel policy check of a run."""

    wire_type: ClassVar[str] = "policy-checks"

    status: str
    status_timestamps: Timestamps | None = None
    scope: str | None = None
    result: PolicyResult | None = None
    actions: OverrideActions | None = None
    permissions: OverridePermissions | None = None

    run: ToOne = None


class TaskStage(Resource):
    """The run tasks and OPA policies at one stage of a run (`pre_plan`, `post_plan`, `pre_apply`, `post_apply`)."""

    wire_type: ClassVar[str] = "task-stages"

    status: str
    stage: str | None = None
    status_timestamps: Timestamps | None = None
    actions: OverrideActions | None = None
    permissions: OverridePermissions | None = None

    run: ToOne = None
    task_results: ToMany = ()
    policy_evaluations: ToMany = ()


class TaskResult(Resource):
    """The result of a run task. The task chooses its message and URL."""

    wire_type: ClassVar[str] = "task-results"

    status: str
    message: str | None = None
    url: str | None = None
    task_name: str | None = None
    workspace_task_enforcement_level: str | None = None


class PolicyEvaluation(Resource):
    """The evaluation of OPA (or newer Sentinel) policies at one stage."""

    wire_type: ClassVar[str] = "policy-evaluations"

    status: str
    policy_kind: str | None = None


class PolicySetOutcome(Resource):
    """The outcomes of a policy set; one per policy, with `policy_name`, `status` and `enforcement_level`."""

    wire_type: ClassVar[str] = "policy-set-outcomes"

    outcomes: list[dict[str, Any]] | None = None
    error: str | None = None
    policy_set_name: str | None = None


class TfPolicyCounts(Flags):
    """The number of Terraform policies by result. Mandatory includes those that can be overridden."""

    advisory_failed: int | None = None
    mandatory_failed: int | None = None
    passed: int | None = None
    errored: int | None = None
    unknown: int | None = None


class TfPolicyError(Flags):
    """Why a whole evaluation failed."""

    type: str | None = None
    summary: str | None = None
    detail: str | None = None


class TfPolicyEvaluation(Resource):
    """The evaluation of Terraform policies at one stage of a run (`Init`, `Plan`, `Apply`). The API is a beta."""

    wire_type: ClassVar[str] = "tf-policy-evaluations"

    status: str
    stage_type: str | None = None
    status_timestamps: Timestamps | None = None
    result_count: TfPolicyCounts | None = None
    error: TfPolicyError | None = None
    actions: OverrideActions | None = None
    permissions: OverridePermissions | None = None

    run: ToOne = None
    tf_policy_set_outcomes: ToMany = ()


class TfPolicySetOutcome(Resource):
    """The outcomes of a set of Terraform policies; one per policy, with `policy_name`, `status`, `enforcement_level`
    and `diagnostics`, which name the resources that failed.
    """

    wire_type: ClassVar[str] = "tf-policy-set-outcomes"

    outcomes: list[dict[str, Any]] | None = None
    overridable: bool | None = None
    policy_set_name: str | None = None
    result_count: TfPolicyCounts | None = None

    tf_policy_evaluation: ToOne = None

"""The words of the HCP Terraform run API, each in one place.

Source: HCP Terraform API, "Runs" (run states, operations, sources, status groups), "Plans", "Applies"; the public
OpenAPI document; and, where marked, what HashiCorp's own client knows beyond them.

HCP Terraform adds words every year. A word that is not here is no error: wherever one is read it stays the plain string
that the API sent (see `wire`), and only what a caller *asks for* is checked against these lists. This module imports
nothing of the project.
"""

from enum import StrEnum


class RunStatus(StrEnum):
    """The status of a run, as in `data.attributes.status`."""

    PENDING = "pending"
    FETCHING = "fetching"
    FETCHING_COMPLETED = "fetching_completed"
    PRE_PLAN_RUNNING = "pre_plan_running"
    PRE_PLAN_COMPLETED = "pre_plan_completed"
    PRE_PLAN_AWAITING_DECISION = "pre_plan_awaiting_decision"
    QUEUING = "queuing"
    PLAN_QUEUED = "plan_queued"
    PLANNING = "planning"
    PLANNED = "planned"
    TF_POLICY_CHECKED = "tf_policy_checked"
    TF_POLICY_OVERRIDE = "tf_policy_override"
    POST_PLAN_RUNNING = "post_plan_running"
    POST_PLAN_COMPLETED = "post_plan_completed"
    POST_PLAN_AWAITING_DECISION = "post_plan_awaiting_decision"  # go-tfe knows it, the documents do not
    COST_ESTIMATING = "cost_estimating"
    COST_ESTIMATED = "cost_estimated"
    POLICY_CHECKING = "policy_checking"
    POLICY_OVERRIDE = "policy_override"
    POLICY_SOFT_FAILED = "policy_soft_failed"
    POLICY_CHECKED = "policy_checked"
    CONFIRMED = "confirmed"
    PRE_APPLY_RUNNING = "pre_apply_running"
    PRE_APPLY_COMPLETED = "pre_apply_completed"
    QUEUING_APPLY = "queuing_apply"
    APPLY_QUEUED = "apply_queued"
    APPLYING = "applying"
    POST_APPLY_RUNNING = "post_apply_running"
    POST_APPLY_COMPLETED = "post_apply_completed"
    APPLIED = "applied"
    DISCARDED = "discarded"
    ERRORED = "errored"
    CANCELED = "canceled"
    FORCE_CANCELED = "force_canceled"  # documented; the API answers `canceled` with `force-canceled-at` instead
    PLANNED_AND_FINISHED = "planned_and_finished"
    PLANNED_AND_SAVED = "planned_and_saved"
    ASSESSING = "assessing"
    ASSESSED = "assessed"


class RunPhase(StrEnum):
    """The stage of a run to which a status belongs, in the order of the run states page."""

    PENDING = "pending"
    FETCH = "fetch"
    PRE_PLAN = "pre_plan"
    PLAN = "plan"
    POST_PLAN = "post_plan"
    COST_ESTIMATE = "cost_estimate"
    POLICY_CHECK = "policy_check"
    PRE_APPLY = "pre_apply"
    APPLY = "apply"
    POST_APPLY = "post_apply"
    ASSESSMENT = "assessment"
    COMPLETED = "completed"


class RunEnding(StrEnum):
    """How a run that is final has ended."""

    DONE = "done"
    FAILED = "failed"
    BROKEN_OFF = "broken_off"


class PhaseStatus(StrEnum):
    """The status of one plan or one apply."""

    CREATED = "created"
    PENDING = "pending"
    QUEUED = "queued"
    MANAGED_QUEUED = "managed_queued"
    AGENT_QUEUED = "agent_queued"
    RUNNING = "running"
    ERRORED = "errored"
    CANCELED = "canceled"
    FINISHED = "finished"
    UNREACHABLE = "unreachable"


class RunOperation(StrEnum):
    """What a run does, as `filter[operation]` takes it."""

    PLAN_ONLY = "plan_only"
    PLAN_AND_APPLY = "plan_and_apply"
    SAVE_PLAN = "save_plan"
    REFRESH_ONLY = "refresh_only"
    DESTROY = "destroy"
    EMPTY_APPLY = "empty_apply"


class RunSource(StrEnum):
    """What queued a run, as `filter[source]` takes it. The documents list the first three; clients meet the others."""

    TFE_UI = "tfe-ui"
    TFE_API = "tfe-api"
    TFE_CONFIGURATION_VERSION = "tfe-configuration-version"
    TERRAFORM = "terraform"
    TERRAFORM_CLOUD = "terraform+cloud"
    TFE_RUN_TRIGGER = "tfe-run-trigger"


class StatusGroup(StrEnum):
    """A collection of run statuses, as `filter[status_group]` takes it."""

    NON_FINAL = "non_final"
    FINAL = "final"
    DISCARDABLE = "discardable"


class RunAction(StrEnum):
    """What a person may do to a run."""

    APPLY = "apply"
    DISCARD = "discard"
    CANCEL = "cancel"
    FORCE_CANCEL = "force_cancel"
    FORCE_EXECUTE = "force_execute"

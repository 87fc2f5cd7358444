"""The enumerations of the HCP Terraform run API.

Source: HCP Terraform API, "Runs" (run states, operations, sources, status groups), "Plans", "Applies"; the public
OpenAPI document; and, where marked, HashiCorp's own client.

HCP Terraform adds values every year. An unknown value in a response is not an error: it stays the string that the API
sent (see `wire`). Only arguments of callers are checked against these lists. This module imports nothing of the
project.
"""

from enum import StrEnum
from typing import Self


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
    POST_PLAN_AWAITING_DECISION = "post_plan_awaiting_decision"  # in go-tfe, not in the documents
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
    FORCE_CANCELED = "force_canceled"  # documented; the API returns `canceled` with `force-canceled-at` instead
    PLANNED_AND_FINISHED = "planned_and_finished"
    PLANNED_AND_SAVED = "planned_and_saved"
    ASSESSING = "assessing"
    ASSESSED = "assessed"


class RunPhase(StrEnum):
    """The phases of a run, in the order of the run states page."""

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
    """How a final run ended."""

    DONE = "done"
    FAILED = "failed"
    ABORTED = "aborted"


class PhaseStatus(StrEnum):
    """The status of a plan or apply."""

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


class CheckStatus(StrEnum):
    """The status of a policy check, a policy evaluation, a task stage or a task result."""

    PENDING = "pending"
    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    SOFT_FAILED = "soft_failed"
    HARD_FAILED = "hard_failed"
    AWAITING_OVERRIDE = "awaiting_override"
    OVERRIDDEN = "overridden"
    CANCELED = "canceled"
    ERRORED = "errored"
    UNREACHABLE = "unreachable"


class ConfigurationStatus(StrEnum):
    """The status of a configuration version."""

    PENDING = "pending"
    FETCHING = "fetching"
    UPLOADED = "uploaded"
    ARCHIVED = "archived"
    ERRORED = "errored"

    @classmethod
    def unprocessed(cls) -> frozenset[Self]:
        """The statuses in which its files are not available yet."""
        return frozenset({cls.PENDING, cls.FETCHING})


class RunOperation(StrEnum):
    """The operation of a run, as in `filter[operation]`."""

    PLAN_ONLY = "plan_only"
    PLAN_AND_APPLY = "plan_and_apply"
    SAVE_PLAN = "save_plan"
    REFRESH_ONLY = "refresh_only"
    DESTROY = "destroy"
    EMPTY_APPLY = "empty_apply"


class RunSource(StrEnum):
    """The source of a run, as in `filter[source]`. The documents list the first three; the others were observed."""

    TFE_UI = "tfe-ui"
    TFE_API = "tfe-api"
    TFE_CONFIGURATION_VERSION = "tfe-configuration-version"
    TERRAFORM = "terraform"
    TERRAFORM_CLOUD = "terraform+cloud"
    TFE_RUN_TRIGGER = "tfe-run-trigger"


class StatusGroup(StrEnum):
    """A group of run statuses, as in `filter[status_group]`."""

    NON_FINAL = "non_final"
    FINAL = "final"
    DISCARDABLE = "discardable"


class RunAction(StrEnum):
    """An action on a run."""

    APPLY = "apply"
    DISCARD = "discard"
    CANCEL = "cancel"
    FORCE_CANCEL = "force_cancel"
    FORCE_EXECUTE = "force_execute"

"""The checks between a plan and its apply: cost estimates, policy checks, task stages.

A check has a status of its own. These functions relate it to the status of the run, which `lifecycle` describes.

Sources: HCP Terraform API, "Policy Checks", "Run Tasks", "Cost Estimates"; HashiCorp's own client.
"""

from collections.abc import Collection

from tfruns.lifecycle import RULES, rule_of, sources_of, timestamp_key
from tfruns.vocabulary import CheckStatus, RunPhase, RunStatus

_C = CheckStatus

_UNFINISHED = frozenset({_C.PENDING, _C.QUEUED, _C.RUNNING})
_NOT_FAILED = _UNFINISHED | {_C.PASSED, _C.OVERRIDDEN, _C.UNREACHABLE}

_PHASES = frozenset(
    {RunPhase.PRE_PLAN, RunPhase.POST_PLAN, RunPhase.COST_ESTIMATE, RunPhase.POLICY_CHECK, RunPhase.PRE_APPLY}
)
_STATUSES = frozenset(status for status, rule in RULES.items() if rule.phase in _PHASES)


def has_check_failed(status: str) -> bool:
    """Whether a check in this status failed or awaits an override; True for an unknown status."""
    return status not in _NOT_FAILED


def awaits_override(status: str) -> bool:
    """Whether a policy check or task stage in this status blocks its run until a person overrides it."""
    return status in {_C.SOFT_FAILED, _C.AWAITING_OVERRIDE}


def is_in_checks(status: str) -> bool:
    """Whether checks may block a run in this status; True for an unknown status."""
    return rule_of(status) is None or status in _STATUSES


def is_check_expected(
    status: str, timestamps: Collection[str], *, has_estimate: bool, has_policies: bool, task_stages: Collection[str]
) -> bool:
    """Whether a check follows the run's status without a person; True for an unknown status.

    Args:
        status: the run's status.
        timestamps: the keys of its status timestamps.
        has_estimate: whether the run has a cost estimate.
        has_policies: whether the run has policy checks.
        task_stages: the statuses of its task stages.
    """
    if rule_of(status) is None:
        return True
    return (
        _follows(status, timestamps, RunStatus.COST_ESTIMATING, RunStatus.COST_ESTIMATED, is_needed=has_estimate)
        or _follows(status, timestamps, RunStatus.POLICY_CHECKING, RunStatus.POLICY_CHECKED, is_needed=has_policies)
        or (status == RunStatus.PLANNED and not _UNFINISHED.isdisjoint(task_stages))
    )


def _follows(status: str, timestamps: Collection[str], begun: RunStatus, done: RunStatus, *, is_needed: bool) -> bool:
    return is_needed and status in sources_of(begun) and timestamp_key(done) not in timestamps

"""The statuses of cost estimates, policy checks and task stages."""

import pytest

from tests.support.tables import rows
from tfruns.checks import awaits_override, has_check_failed, is_check_expected, is_in_checks
from tfruns.lifecycle import RULES, TRANSITIONS
from tfruns.vocabulary import CheckStatus, RunStatus

S = RunStatus


@rows("status", CheckStatus)
def test_each_status_of_a_check_has_failed_or_not(status: CheckStatus) -> None:
    failed = {"failed", "soft_failed", "hard_failed", "awaiting_override", "canceled", "errored"}
    assert has_check_failed(status) is (status.value in failed)
    assert awaits_override(status) is (status.value in {"soft_failed", "awaiting_override"})


def test_unknown_status_of_a_check_counts_as_failed() -> None:
    assert has_check_failed("warped")
    assert not awaits_override("warped")


@rows("status", RunStatus)
def test_checks_can_block_a_run_only_in_their_phases(status: RunStatus) -> None:
    phases = {"pre_plan", "post_plan", "cost_estimate", "policy_check", "pre_apply"}
    assert is_in_checks(status) is (RULES[status].phase.value in phases)


def test_checks_may_block_a_run_with_an_unknown_status() -> None:
    assert is_in_checks("warped")


@rows("status", RunStatus)
@pytest.mark.parametrize(
    ("begun", "done", "has_estimate", "has_policies"),
    [
        (S.COST_ESTIMATING, "cost-estimated-at", True, False),
        (S.POLICY_CHECKING, "policy-checked-at", False, True),
    ],
)
def test_check_is_expected_until_it_is_done(
    status: RunStatus, begun: RunStatus, done: str, *, has_estimate: bool, has_policies: bool
) -> None:
    def expected(*timestamps: str, estimate: bool = has_estimate, policies: bool = has_policies) -> bool:
        return is_check_expected(status, timestamps, has_estimate=estimate, has_policies=policies, task_stages=())

    assert expected() is (begun in TRANSITIONS[status])
    assert not expected(done)
    assert not expected(estimate=False, policies=False)


@rows(
    ("status", "stages", "expected"),
    [
        ("planned", ["running"], True),
        ("planned", ["passed", "pending"], True),
        ("planned", ["passed", "failed"], False),
        ("planned", [], False),
        ("post_plan_completed", ["pending"], False),
        ("warped", [], True),
    ],
)
def test_unfinished_task_stage_is_expected_after_the_plan(status: str, stages: list[str], *, expected: bool) -> None:
    found = is_check_expected(status, (), has_estimate=False, has_policies=False, task_stages=stages)
    assert found is expected

"""The policies and run tasks between a plan and its apply that failed or await an override."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from anyio import to_thread

from tfruns.checks import has_check_failed
from tfruns.client.client import Client
from tfruns.masking.secrets import Mask, masked_line
from tfruns.masking.text import one_line, sanitize
from tfruns.runs.tolerant import Reads
from tfruns.views.diagnosis import PolicyCheckView, PolicyView, TaskStageView, TaskView, TfPoliciesView
from tfruns.vocabulary import CheckStatus
from tfruns.wire.checks import (
    PolicyCheck,
    PolicyEvaluation,
    PolicySetOutcome,
    TaskResult,
    TaskStage,
    TfPolicyEvaluation,
    TfPolicySetOutcome,
)
from tfruns.wire.runs import Run

_MAX_OUTPUT_LINES = 12
_MAX_SHOWN = 6


async def failed_policy_checks(client: Client, run: Run, reads: Reads, mask: Mask) -> list[PolicyCheckView]:
    """The Sentinel policy checks that failed, with the end of their output."""
    if not run.policy_checks:
        return []
    checks = await reads.some("policy checks", client.policy_checks.list_for_run(run.id))
    return [await _check(client, check, reads, mask) for check in checks if has_check_failed(check.status)][:_MAX_SHOWN]


async def _check(client: Client, check: PolicyCheck, reads: Reads, mask: Mask) -> PolicyCheckView:
    output = await reads.one("policy check output", client.policy_checks.read_output(check.id)) or b""
    lines = await to_thread.run_sync(_output_lines, output, mask)
    result = check.result
    return PolicyCheckView(
        id=check.id,
        status=check.status,
        scope=check.scope,
        hard_failed=result.hard_failed if result else None,
        soft_failed=result.soft_failed if result else None,
        may_override=check.permissions.can_override if check.permissions else None,
        output=tuple(lines),
    )


def _output_lines(output: bytes, mask: Mask) -> list[str]:
    lines = [line for line in mask(sanitize(output.decode("utf-8", errors="replace"))).splitlines() if line.strip()]
    return [one_line(line, 160) for line in lines[-_MAX_OUTPUT_LINES:]]


async def failed_task_stages(client: Client, run: Run, reads: Reads, mask: Mask) -> list[TaskStageView]:
    """The task stages that failed or await an override, with the tasks and policies that caused it."""
    if not run.task_stages:
        return []
    stages = await reads.some("task stages", client.task_stages.list_for_run(run.id))
    views = []
    for stage in stages:
        if not has_check_failed(stage.status):
            continue
        include = ("task_results", "policy_evaluations")
        whole = await reads.one("task stage", client.task_stages.read(stage.id, include=include)) or stage
        tasks = await to_thread.run_sync(_tasks, whole, mask)
        policies = await _policies(client, whole, reads, mask)
        views.append(TaskStageView(stage.id, stage.stage, stage.status, tuple(tasks), tuple(policies)))
    return views


def _tasks(stage: TaskStage, mask: Mask) -> list[TaskView]:
    found = [result for related in stage.task_results if (result := stage.follow(related, TaskResult))]
    return [
        TaskView(
            task=masked_line(result.task_name or "", 60, mask),
            status=result.status,
            enforcement=result.workspace_task_enforcement_level,
            message=masked_line(result.message or "", 200, mask),
        )
        for result in found
        if has_check_failed(result.status)
    ][:_MAX_SHOWN]


async def _policies(client: Client, stage: TaskStage, reads: Reads, mask: Mask) -> list[PolicyView]:
    rows: list[PolicyView] = []
    for related in stage.policy_evaluations:
        evaluation = stage.follow(related, PolicyEvaluation)
        if evaluation is not None and not has_check_failed(evaluation.status):
            continue
        for outcome in await reads.some("policy outcomes", client.task_stages.list_policy_outcomes(related.id)):
            rows += await to_thread.run_sync(_policy_rows, outcome, mask)
    return rows[:_MAX_SHOWN]


def _policy_rows(outcome: PolicySetOutcome, mask: Mask) -> list[PolicyView]:
    rows = [_policy(policy, mask) for policy in outcome.outcomes or () if policy.get("status") != CheckStatus.PASSED]
    if outcome.error:
        name = masked_line(outcome.policy_set_name or "", 60, mask)
        rows.append(PolicyView(policy=name, error=masked_line(outcome.error, 200, mask)))
    return rows


def _policy(policy: dict[str, Any], mask: Mask) -> PolicyView:
    return PolicyView(
        policy=masked_line(str(policy.get("policy_name") or ""), 60, mask),
        status=one_line(str(policy.get("status") or ""), 40),
        enforcement=one_line(str(policy.get("enforcement_level") or ""), 40),
        description=masked_line(str(policy.get("description") or ""), 160, mask),
    )


# -- Terraform policies -----------------------------------------------------------------------------------------------


async def failed_tf_policies(client: Client, run: Run, reads: Reads, mask: Mask) -> list[TfPoliciesView]:
    """The evaluations of Terraform policies that failed or await an override, with the resources that failed."""
    if not run.tf_policy_evaluations:
        return []
    found = await reads.some("Terraform policies", client.tf_policy_evaluations.list_for_run(run.id))
    return [
        await _tf_policies(client, evaluation, reads, mask)
        for evaluation in found
        if has_check_failed(evaluation.status)
    ][:_MAX_SHOWN]


async def _tf_policies(client: Client, evaluation: TfPolicyEvaluation, reads: Reads, mask: Mask) -> TfPoliciesView:
    rows: list[PolicyView] = []
    listing = client.tf_policy_evaluations.list_outcomes(evaluation.id)
    for outcome in await reads.some("Terraform policy outcomes", listing):
        rows += await to_thread.run_sync(_tf_policy_rows, outcome, mask)
    count, error = evaluation.result_count, evaluation.error
    summary = " ".join(filter(None, (error.summary, error.detail))) if error else ""
    return TfPoliciesView(
        id=evaluation.id,
        stage=masked_line(evaluation.stage_type or "", 40, mask) or None,
        status=evaluation.status,
        mandatory_failed=count.mandatory_failed if count else None,
        may_override=evaluation.permissions.can_override if evaluation.permissions else None,
        error=masked_line(summary, 300, mask),
        policies=tuple(rows[:_MAX_SHOWN]),
    )


def _tf_policy_rows(outcome: TfPolicySetOutcome, mask: Mask) -> list[PolicyView]:
    return [
        replace(_policy(policy, mask), resources=tuple(_failed_resources(policy, mask))[:_MAX_SHOWN])
        for policy in outcome.outcomes or ()
        if policy.get("status") != CheckStatus.PASSED
    ]


def _failed_resources(policy: dict[str, Any], mask: Mask) -> Iterator[str]:
    """The addresses of the resources that failed a policy, with the messages; a message may concern no resource."""
    for diagnostic in _objects(policy.get("diagnostics")):
        for resource in _objects(diagnostic.get("resources")):
            text = ": ".join(_texts(resource.get("resource_name"), resource.get("error_message")))
            yield masked_line(text, 200, mask)
        for text in _texts(diagnostic.get("error_message")):
            yield masked_line(text, 200, mask)


def _objects(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(*values: Any) -> list[str]:
    return [value for value in values if isinstance(value, str) and value]

"""What stands between a plan and its apply, for somebody who asks why a run stopped there."""

from typing import Any

from tfruns.client.client import Client
from tfruns.foreign_text import clean, one_line
from tfruns.jsonapi import JSON
from tfruns.logs.paging import Hide
from tfruns.tools.hiding import hidden_line
from tfruns.tools.reads import Reads
from tfruns.wire.checks import PolicyCheck, PolicyEvaluation, TaskResult, TaskStage
from tfruns.wire.runs import Run

_GOOD = {"passed", "unreachable", "pending", "running", "overridden", "queued"}
_MAX_OUTPUT_LINES = 12
_MAX_SHOWN = 6


async def failed_policy_checks(client: Client, run: Run, reads: Reads, hide: Hide) -> list[dict[str, JSON]]:
    """The Sentinel policy checks that failed, with the end of what Sentinel printed."""
    if not run.policy_checks:
        return []
    checks = await reads.some("policy checks", client.policy_checks.list_for_run(run.id))
    return [await _check(client, check, reads, hide) for check in checks if check.status not in _GOOD][:_MAX_SHOWN]


async def _check(client: Client, check: PolicyCheck, reads: Reads, hide: Hide) -> dict[str, JSON]:
    output = await reads.one("policy check output", client.policy_checks.read_output(check.id)) or b""
    lines = [line for line in hide(clean(output.decode("utf-8", errors="replace"))).splitlines() if line.strip()]
    result = check.result
    return _said(
        {
            "id": check.id,
            "status": check.status,
            "scope": check.scope,
            "hard_failed": result.hard_failed if result else None,
            "soft_failed": result.soft_failed if result else None,
            "may_override": check.permissions.can_override if check.permissions else None,
            "output": [one_line(line, 160) for line in lines[-_MAX_OUTPUT_LINES:]],
        }
    )


async def failed_task_stages(client: Client, run: Run, reads: Reads, hide: Hide) -> list[dict[str, JSON]]:
    """The task stages that failed or wait for an override, with the tasks and policies that are to blame."""
    if not run.task_stages:
        return []
    stages = await reads.some("task stages", client.task_stages.list_for_run(run.id))
    views = []
    for stage in stages:
        if stage.status in _GOOD:
            continue
        include = ("task_results", "policy_evaluations")
        whole = await reads.one("task stage", client.task_stages.read(stage.id, include=include)) or stage
        view: dict[str, JSON] = {"id": stage.id, "stage": stage.stage, "status": stage.status}
        view |= {"tasks": _tasks(whole, hide), "policies": await _policies(client, whole, reads, hide)}
        views.append(_said(view))
    return views


def _tasks(stage: TaskStage, hide: Hide) -> list[dict[str, JSON]]:
    found = [result for related in stage.task_results if (result := stage.follow(related, TaskResult))]
    return [
        _said(
            {
                "task": hidden_line(result.task_name or "", 60, hide),
                "status": result.status,
                "enforcement": result.workspace_task_enforcement_level,
                "message": hidden_line(result.message or "", 200, hide),
            }
        )
        for result in found
        if result.status not in _GOOD
    ][:_MAX_SHOWN]


async def _policies(client: Client, stage: TaskStage, reads: Reads, hide: Hide) -> list[dict[str, JSON]]:
    rows: list[dict[str, JSON]] = []
    for related in stage.policy_evaluations:
        evaluation = stage.follow(related, PolicyEvaluation)
        if evaluation is not None and evaluation.status in _GOOD:
            continue
        for outcome in await reads.some("policy outcomes", client.task_stages.list_policy_outcomes(related.id)):
            rows += [_policy(policy, hide) for policy in outcome.outcomes or () if policy.get("status") != "passed"]
            if outcome.error:
                rows.append(
                    {
                        "policy": one_line(outcome.policy_set_name or "", 60),
                        "error": hidden_line(outcome.error, 200, hide),
                    }
                )
    return rows[:_MAX_SHOWN]


def _policy(policy: dict[str, Any], hide: Hide) -> dict[str, JSON]:
    return _said(
        {
            "policy": hidden_line(str(policy.get("policy_name") or ""), 60, hide),
            "status": one_line(str(policy.get("status") or ""), 40),
            "enforcement": one_line(str(policy.get("enforcement_level") or ""), 40),
            "description": hidden_line(str(policy.get("description") or ""), 160, hide),
        }
    )


def _said(view: dict[str, JSON]) -> dict[str, JSON]:
    return {key: value for key, value in view.items() if value not in (None, "", [])}

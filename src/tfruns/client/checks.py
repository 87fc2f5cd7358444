"""The checks between a plan and its apply: cost estimates, policy checks, task stages, Terraform policies.

Sources: HCP Terraform API, "Cost Estimates", "Policy Checks", "Run Tasks"; the OpenAPI document.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import TypeVar

from tfruns.client.error_mapping import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.lost_responses import unknown_outcome
from tfruns.client.parsing import parse_one
from tfruns.client.references import api_path, check_any_id, check_id, parse_run
from tfruns.client.response_matching import Matcher, is_resource
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import ExpectedResponse, Transport, include_param
from tfruns.errors import OutcomeUnknown, TfrunsError, TransitionNotAllowed
from tfruns.jsonapi import JSON
from tfruns.vocabulary import CheckStatus
from tfruns.wire.checks import (
    CostEstimate,
    PolicyCheck,
    PolicySetOutcome,
    TaskStage,
    TfPolicyEvaluation,
    TfPolicySetOutcome,
)

_READ = Purpose("read runs")
_OVERRIDE = Purpose("manage policy overrides", errors=((409, "", TransitionNotAllowed),))
_MAX_OUTPUT_BYTES = 4_000_000
_TF_POLICY = "Terraform policy evaluation"

Overridable = TypeVar("Overridable", PolicyCheck, TaskStage, TfPolicyEvaluation)


class CostEstimates:
    """The cost estimates of runs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, cost_estimate_id: str) -> CostEstimate:
        """Read a cost estimate.

        Wire: GET /cost-estimates/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_id("ce", cost_estimate_id)
        path, matches = api_path("cost-estimates", id_), is_resource("cost-estimates", id_)
        answer = await self._transport.get(path, purpose=_READ, matches=matches)
        return parse_one(CostEstimate, answer.document)


class PolicyChecks:
    """The Sentinel policy checks of runs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, policy_check_id: str) -> PolicyCheck:
        """Read a policy check.

        Wire: GET /policy-checks/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_id("polchk", policy_check_id)
        path, matches = api_path("policy-checks", id_), is_resource("policy-checks", id_)
        answer = await self._transport.get(path, purpose=_READ, matches=matches)
        return parse_one(PolicyCheck, answer.document)

    async def override(self, policy_check_id: str) -> PolicyCheck:
        """Override a soft-failed policy check, so that its run continues.

        Source: HCP Terraform API, "Override Policy".
        Wire: POST /policy-checks/{id}/actions/override -> 200, the policy check.

        Raises:
            Forbidden: 403, this token lacks the permission.
            NotFound: 404, absent, or hidden from this token.
            TransitionNotAllowed: 409, it cannot be overridden, or already is.
            OutcomeUnknown: the response was lost, and the policy check's status does not show the override.
        """
        id_ = check_id("polchk", policy_check_id)
        return await _override(
            self._transport,
            PolicyCheck,
            api_path("policy-checks", id_, "actions", "override"),
            {},
            lambda: self.read(id_),
            matches=is_resource("policy-checks", id_),
            confirming_statuses={CheckStatus.OVERRIDDEN},
        )

    def list_for_run(self, run: str) -> Listing[PolicyCheck]:
        """The policy checks of a run.

        Wire: GET /runs/{run_id}/policy-checks -> 200, a page.
        """
        run_path = api_path("runs", parse_run(run, self._transport.settings.address), "policy-checks")
        return listing(self._transport, PolicyCheck, run_path, {}, purpose=_READ)

    async def read_output(self, policy_check_id: str) -> bytes:
        """Read Sentinel's output.

        Wire: GET /policy-checks/{id}/output -> 200, a text, or 307 to one.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        path = api_path("policy-checks", check_id("polchk", policy_check_id), "output")
        return await self._transport.download(path, purpose=_READ, max_bytes=_MAX_OUTPUT_BYTES) or b""


class TaskStages:
    """The run tasks and OPA policies of runs."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, task_stage_id: str, *, include: Sequence[str] = ()) -> TaskStage:
        """Read a task stage; `include=["task_results", "policy_evaluations"]` adds its results.

        Wire: GET /task-stages/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_id("ts", task_stage_id)
        path, matches = api_path("task-stages", id_), is_resource("task-stages", id_)
        answer = await self._transport.get(path, include_param(include), purpose=_READ, matches=matches)
        return parse_one(TaskStage, answer.document)

    async def override(self, task_stage_id: str, *, comment: str | None = None) -> TaskStage:
        """Override the failed policies and tasks of a task stage that awaits an override, so that its run continues.

        Source: HCP Terraform API, "Override a Task Stage".
        Wire: POST /task-stages/{id}/actions/override -> 200, the task stage.

        Raises: as `PolicyChecks.override`.
        """
        id_ = check_id("ts", task_stage_id)
        return await _override(
            self._transport,
            TaskStage,
            api_path("task-stages", id_, "actions", "override"),
            {"comment": comment} if comment and comment.strip() else {},
            lambda: self.read(id_),
            matches=is_resource("task-stages", id_),
            confirming_statuses={CheckStatus.RUNNING, CheckStatus.PASSED},
        )

    def list_for_run(self, run: str) -> Listing[TaskStage]:
        """The task stages of a run.

        Wire: GET /runs/{run_id}/task-stages -> 200, a page.
        """
        run_path = api_path("runs", parse_run(run, self._transport.settings.address), "task-stages")
        return listing(self._transport, TaskStage, run_path, {}, purpose=_READ)

    def list_policy_outcomes(self, policy_evaluation_id: str) -> Listing[PolicySetOutcome]:
        """The outcomes of a policy evaluation, one for each policy set.

        Source: HCP Terraform API, "Policy Evaluations".
        Wire: GET /policy-evaluations/{id}/policy-set-outcomes -> 200, a page.
        """
        path = api_path("policy-evaluations", check_id("poleval", policy_evaluation_id), "policy-set-outcomes")
        return listing(self._transport, PolicySetOutcome, path, {}, purpose=_READ)


class TfPolicyEvaluations:
    """The evaluations of Terraform policies of runs. The API is a beta, and not every organization has it."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, tf_policy_evaluation_id: str) -> TfPolicyEvaluation:
        """Read an evaluation.

        Wire: GET /tf-policy-evaluations/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_any_id(tf_policy_evaluation_id, _TF_POLICY)
        path, matches = api_path("tf-policy-evaluations", id_), is_resource("tf-policy-evaluations", id_)
        answer = await self._transport.get(path, purpose=_READ, matches=matches)
        return parse_one(TfPolicyEvaluation, answer.document)

    def list_for_run(self, run: str) -> Listing[TfPolicyEvaluation]:
        """The evaluations of a run.

        Wire: GET /runs/{run_id}/tf-policy-evaluations -> 200, a page.
        """
        path = api_path("runs", parse_run(run, self._transport.settings.address), "tf-policy-evaluations")
        return listing(self._transport, TfPolicyEvaluation, path, {}, purpose=_READ)

    def list_outcomes(self, tf_policy_evaluation_id: str) -> Listing[TfPolicySetOutcome]:
        """The outcomes of an evaluation, one for each policy set.

        Wire: GET /tf-policy-evaluations/{id}/tf-policy-set-outcomes -> 200, a page.
        """
        id_ = check_any_id(tf_policy_evaluation_id, _TF_POLICY)
        path = api_path("tf-policy-evaluations", id_, "tf-policy-set-outcomes")
        return listing(self._transport, TfPolicySetOutcome, path, {}, purpose=_READ)

    async def override(self, tf_policy_evaluation_id: str, *, comment: str | None = None) -> TfPolicyEvaluation:
        """Override the failed policies of an evaluation that awaits it, so that its run continues.

        Source: the OpenAPI document, "Override a Terraform Policy Evaluation".
        Wire: POST /tf-policy-evaluations/{id}/actions/override -> 200, the evaluation.

        Raises: as `PolicyChecks.override`.
        """
        id_ = check_any_id(tf_policy_evaluation_id, _TF_POLICY)
        return await _override(
            self._transport,
            TfPolicyEvaluation,
            api_path("tf-policy-evaluations", id_, "actions", "override"),
            {"comment": comment} if comment and comment.strip() else {},
            lambda: self.read(id_),
            matches=is_resource("tf-policy-evaluations", id_),
            confirming_statuses={CheckStatus.OVERRIDDEN},
        )


async def _override(
    transport: Transport,
    kind: type[Overridable],
    path: str,
    body: JSON,
    read: Callable[[], Awaitable[Overridable]],
    *,
    matches: Matcher,
    confirming_statuses: Collection[str],
) -> Overridable:
    """Send an override, once, and return what was overridden.

    Args:
        transport: the API.
        kind: the model of what is overridden.
        path: the action's path.
        body: the request body.
        read: reads it.
        matches: whether a document is its document.
        confirming_statuses: statuses that are possible only after an override.

    Raises:
        OutcomeUnknown: the response was lost, and the status does not show the override or cannot be read.
        TfrunsError: the override was refused, or not sent.
    """
    try:
        answer = await transport.post(path, body, expected=ExpectedResponse(matches), purpose=_OVERRIDE)
    except AttemptFailed as failure:
        try:
            found = await read()
        except TfrunsError:
            raise _unknown(failure.error, None) from failure.error
        if found.status not in confirming_statuses:
            raise _unknown(failure.error, found.status) from failure.error
        return found
    return parse_one(kind, answer.document)


def _unknown(error: TfrunsError, status: str | None) -> OutcomeUnknown:
    now = f"its status is {status}" if status else "it could not be read"
    return unknown_outcome(
        error,
        f"It is not known whether the override will be carried out; {now}.",
        "Read the run again in a moment. If it still waits for the override, send it again.",
    )

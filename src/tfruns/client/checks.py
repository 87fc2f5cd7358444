"""What stands between a plan and its apply.

Sources: HCP Terraform API, "Cost Estimates", "Policy Checks", "Run Tasks".
"""

from collections.abc import Sequence

from tfruns.client.belonging import is_resource
from tfruns.client.faults import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.overrides import override
from tfruns.client.reading import read_one
from tfruns.client.references import api_path, check_id, parse_run
from tfruns.client.transport import Transport, include_param
from tfruns.wire.checks import CostEstimate, PolicyCheck, PolicySetOutcome, TaskStage

_READ = Purpose("read runs")
_MAX_OUTPUT_BYTES = 4_000_000


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
        path, is_answer = api_path("cost-estimates", id_), is_resource("cost-estimates", id_)
        answer = await self._transport.get(path, purpose=_READ, is_answer=is_answer)
        return read_one(CostEstimate, answer.document)


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
        path, is_answer = api_path("policy-checks", id_), is_resource("policy-checks", id_)
        answer = await self._transport.get(path, purpose=_READ, is_answer=is_answer)
        return read_one(PolicyCheck, answer.document)

    async def override(self, policy_check_id: str) -> None:
        """Override a policy check that failed softly, so that its run goes on.

        Source: HCP Terraform API, "Override Policy".
        Wire: POST /policy-checks/{id}/actions/override -> 200, the policy check.

        Raises:
            Forbidden: 403, this token may not.
            NotFound: 404, absent, or hidden from this token.
            TransitionNotAllowed: 409, it cannot be overridden, or was already.
            OutcomeUnknown: the answer was lost, and the policy check does not show that it was overridden.
        """
        id_ = check_id("polchk", policy_check_id)
        await override(
            self._transport,
            api_path("policy-checks", id_, "actions", "override"),
            {},
            lambda: self.read(id_),
            is_answer=is_resource("policy-checks", id_),
            shown_by={"overridden"},
        )

    def list_for_run(self, run: str) -> Listing[PolicyCheck]:
        """The policy checks of a run.

        Wire: GET /runs/{run_id}/policy-checks -> 200, a page.
        """
        run_path = api_path("runs", parse_run(run, self._transport.settings.address), "policy-checks")
        return listing(self._transport, PolicyCheck, run_path, {}, purpose=_READ)

    async def read_output(self, policy_check_id: str) -> bytes:
        """Read what Sentinel printed.

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
        """Read a task stage; `include=["task_results", "policy_evaluations"]` brings what is in it.

        Wire: GET /task-stages/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_id("ts", task_stage_id)
        path, is_answer = api_path("task-stages", id_), is_resource("task-stages", id_)
        answer = await self._transport.get(path, include_param(include), purpose=_READ, is_answer=is_answer)
        return read_one(TaskStage, answer.document)

    async def override(self, task_stage_id: str, *, comment: str | None = None) -> None:
        """Override the failed policies and tasks of a stage that waits for it, so that its run goes on.

        Source: HCP Terraform API, "Override a Task Stage".
        Wire: POST /task-stages/{id}/actions/override -> 200, the task stage.

        Raises: as `PolicyChecks.override`.
        """
        id_ = check_id("ts", task_stage_id)
        await override(
            self._transport,
            api_path("task-stages", id_, "actions", "override"),
            {"comment": comment} if comment and comment.strip() else {},
            lambda: self.read(id_),
            is_answer=is_resource("task-stages", id_),
            shown_by={"running", "passed"},
        )

    def list_for_run(self, run: str) -> Listing[TaskStage]:
        """The task stages of a run.

        Wire: GET /runs/{run_id}/task-stages -> 200, a page.
        """
        run_path = api_path("runs", parse_run(run, self._transport.settings.address), "task-stages")
        return listing(self._transport, TaskStage, run_path, {}, purpose=_READ)

    def list_policy_outcomes(self, policy_evaluation_id: str) -> Listing[PolicySetOutcome]:
        """What the policies of an evaluation said, by policy set.

        Source: HCP Terraform API, "Policy Evaluations".
        Wire: GET /policy-evaluations/{id}/policy-set-outcomes -> 200, a page.
        """
        path = api_path("policy-evaluations", check_id("poleval", policy_evaluation_id), "policy-set-outcomes")
        return listing(self._transport, PolicySetOutcome, path, {}, purpose=_READ)

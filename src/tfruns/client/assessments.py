"""Health assessments of workspaces: drift and checks. Source: HCP Terraform API, "Assessment Results"."""

from tfruns.client.error_mapping import Purpose
from tfruns.client.parsing import parse_one
from tfruns.client.references import api_path, check_id
from tfruns.client.response_matching import is_kind, is_resource
from tfruns.client.transport import Transport
from tfruns.client.workspaces import Workspaces
from tfruns.wire.assessments import AssessmentResult

_READ = Purpose("read assessment results")
_READ_JSON = Purpose("admin")


class Assessments:
    """The health assessments of workspaces."""

    def __init__(self, transport: Transport, workspaces: Workspaces) -> None:
        self._transport = transport
        self._workspaces = workspaces

    async def read_current(self, workspace: str) -> AssessmentResult:
        """Read the result of the latest health assessment of a workspace.

        Wire: GET /workspaces/{workspace_id}/current-assessment-result -> 200.

        Raises:
            NotFound: 404, the workspace has no result, or it is absent or hidden from this token.
        """
        path = api_path("workspaces", await self._workspaces.resolve(workspace), "current-assessment-result")
        answer = await self._transport.get(
            path, purpose=_READ, matches=is_kind("assessment-results"), is_used_once=True
        )
        return parse_one(AssessmentResult, answer.document)

    async def read(self, assessment_result_id: str) -> AssessmentResult:
        """Read the result of a health assessment.

        Wire: GET /assessment-results/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_id("asmtres", assessment_result_id)
        answer = await self._transport.get(
            api_path("assessment-results", id_), purpose=_READ, matches=is_resource("assessment-results", id_)
        )
        return parse_one(AssessmentResult, answer.document)

    async def read_json(self, assessment_result_id: str, *, max_bytes: int | None = None) -> bytes | None:
        """Download the plan of a health assessment as JSON, in which `resource_drift` lists what has drifted.

        It may contain sensitive values. None if it does not exist.

        Wire: GET /assessment-results/{id}/json-output -> 200, or 307.

        Raises:
            NotFound: 404, absent, failed, or this token lacks the admin permission on the workspace.
            TooLarge: it is larger than `max_bytes`.
        """
        path = api_path("assessment-results", check_id("asmtres", assessment_result_id), "json-output")
        return await self._transport.download(path, purpose=_READ_JSON, max_bytes=max_bytes)

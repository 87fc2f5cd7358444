"""Health assessments. Source: HCP Terraform API, "Assessment Results"; the OpenAPI document."""

from typing import ClassVar

from tfruns.wire.base import Resource, ToOne, WireTime


class AssessmentResult(Resource):
    """The result of a health assessment: drift, and the checks of the configuration."""

    wire_type: ClassVar[str] = "assessment-results"

    succeeded: bool | None = None
    drifted: bool | None = None
    resources_drifted: int | None = None
    resources_undrifted: int | None = None
    all_checks_succeeded: bool | None = None
    checks_passed: int | None = None
    checks_failed: int | None = None
    checks_errored: int | None = None
    checks_unknown: int | None = None
    error_message: str | None = None
    created_at: WireTime | None = None

    workspace: ToOne = None

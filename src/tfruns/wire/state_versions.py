"""State versions. Source: HCP Terraform API, "State Versions", "State Version Outputs"."""

from typing import Any, ClassVar

from pydantic import AwareDatetime, Field

from tfruns.wire.base import Resource, Secret, ToMany, ToOne


class StateVersion(Resource):
    """A state of a workspace. The addresses of its content are signed ones."""

    wire_type: ClassVar[str] = "state-versions"

    status: str
    serial: int | None = None
    size: int | None = None
    created_at: AwareDatetime | None = None
    terraform_version: str | None = None
    state_version: int | None = None
    resources_processed: bool | None = None
    resources: list[dict[str, Any]] | None = None
    modules: dict[str, Any] | None = None
    providers: dict[str, Any] | None = None
    intermediate: bool | None = None
    hosted_state_download_url: Secret = None
    hosted_json_state_download_url: Secret = None
    hosted_state_upload_url: Secret = None
    hosted_json_state_upload_url: Secret = None

    run: ToOne = None
    workspace: ToOne = None
    created_by: ToOne = None
    outputs: ToMany = ()


class StateVersionOutput(Resource):
    """An output of a state. The value of a sensitive one is null, except where it is read by itself."""

    wire_type: ClassVar[str] = "state-version-outputs"

    name: str
    sensitive: bool | None = None
    type: str | None = None
    detailed_type: Any = None
    value: Any = Field(default=None, repr=False)

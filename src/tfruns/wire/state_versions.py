"""State versions. Source: HCP Terraform API, "State Versions", "State Version Outputs"."""

from typing import Any, ClassVar

from pydantic import Field

from tfruns.wire.base import Resource, Secret, ToMany, ToOne, WireTime


class StateVersion(Resource):
    """A state version of a workspace. The URLs of its content are signed."""

    wire_type: ClassVar[str] = "state-versions"

    status: str
    serial: int | None = None
    size: int | None = None
    created_at: WireTime | None = None
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
    """An output of a state version. A sensitive value is null, except when the output is read by its id."""

    wire_type: ClassVar[str] = "state-version-outputs"

    name: str
    sensitive: bool | None = None
    type: str | None = None
    detailed_type: Any = None
    value: Any = Field(default=None, repr=False)

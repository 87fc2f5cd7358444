"""Plans and applies, the two phases of a run. Sources: HCP Terraform API, "Plans", "Applies"; the OpenAPI document."""

from typing import Annotated, ClassVar

from pydantic import Field

from tfruns.vocabulary import PhaseStatus
from tfruns.wire.base import Resource, Secret, Timestamps, ToMany


class _Phase(Resource):
    """The common part of plans and applies. The URL of the log is signed, and so a secret."""

    status: Annotated[PhaseStatus | str, Field(union_mode="left_to_right")]
    status_timestamps: Timestamps | None = None
    log_read_url: Secret = None
    resource_additions: int | None = None
    resource_changes: int | None = None
    resource_destructions: int | None = None
    resource_imports: int | None = None
    state_versions: ToMany = ()


class Plan(_Phase):
    """The plan of a run."""

    wire_type: ClassVar[str] = "plans"

    has_changes: bool | None = None
    exports: ToMany = ()
    generated_configuration: bool | None = None
    structured_run_output_enabled: bool | None = None


class Apply(_Phase):
    """The apply of a run."""

    wire_type: ClassVar[str] = "applies"

    action_invocations: int | None = None
    action_failures: int | None = None

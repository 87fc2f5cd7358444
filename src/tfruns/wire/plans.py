"""Plans and applies, the two phases of a run. Sources: HCP Terraform API, "Plans", "Applies"; the OpenAPI document."""

from typing import Annotated, ClassVar

from pydantic import Field

from tfruns.vocabulary import PhaseStatus
from tfruns.wire.base import Resource, Secret, Timestamps, ToMany


class _Phase(Resource):
    """The common part of plans and applies.

    Attributes:
        log_read_url: the signed URL of the log, and so a secret. It expires.
        resource_additions: number of resources to add, or that were added.
        resource_changes: number of resources to change in place, or that were changed.
        resource_destructions: number of resources to destroy, or destroyed; a replacement is also an addition.
        resource_imports: number of resources to import, or that were imported.
        state_versions: the states that it wrote.
    """

    status: Annotated[PhaseStatus | str, Field(union_mode="left_to_right")]
    status_timestamps: Timestamps | None = None
    log_read_url: Secret = None
    resource_additions: int | None = None
    resource_changes: int | None = None
    resource_destructions: int | None = None
    resource_imports: int | None = None
    state_versions: ToMany = ()


class Plan(_Phase):
    """The plan of a run.

    Attributes:
        has_changes: whether it changes anything.
        exports: its exports.
        generated_configuration: whether it generated configuration for imports.
        structured_run_output_enabled: whether the log is in JSON.
    """

    wire_type: ClassVar[str] = "plans"

    has_changes: bool | None = None
    exports: ToMany = ()
    generated_configuration: bool | None = None
    structured_run_output_enabled: bool | None = None


class Apply(_Phase):
    """The apply of a run.

    Attributes:
        action_invocations: number of actions that were invoked.
        action_failures: number of actions that failed.
    """

    wire_type: ClassVar[str] = "applies"

    action_invocations: int | None = None
    action_failures: int | None = None

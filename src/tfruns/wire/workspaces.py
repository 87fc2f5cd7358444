"""Workspaces and their tags. Source: HCP Terraform API, "Workspaces"."""

from typing import Any, ClassVar

from pydantic import Field

from tfruns.wire.base import Flags, Resource, ToMany, ToOne, WireTime


class WorkspacePermissions(Flags):
    """The permissions of this token in the workspace."""

    can_read_run: bool | None = None
    can_queue_run: bool | None = None
    can_queue_apply: bool | None = None
    can_queue_destroy: bool | None = None
    can_lock: bool | None = None
    can_unlock: bool | None = None
    can_force_unlock: bool | None = None


class Workspace(Resource):
    """A workspace.

    Attributes:
        locked: whether it is locked, by a run or a user. New runs wait then.
        locked_by: the run, user or team that locked it.
        locked_reason: the reason that the user gave.
        locked_at: the time at which a user locked it; an addition of the local backend.
        auto_apply: whether runs apply automatically after a successful plan.
        execution_mode: `remote`, `agent` or `local`.
        terraform_version: an exact version, a constraint, or `latest`.
        working_directory: the directory in the configuration in which Terraform runs.
        resource_count: number of resources in the current state.
        current_run: the run that occupies the workspace, or the last that was applied.
        latest_run: the newest run.
        current_configuration_version: the configuration that a new run uses.
        current_state_version: the current state.
        current_assessment_result: the newest health assessment.
    """

    wire_type: ClassVar[str] = "workspaces"

    name: str | None = None
    description: str | None = None
    auto_apply: bool | None = None
    locked: bool | None = None
    locked_reason: str | None = None
    locked_at: WireTime | None = None
    execution_mode: str | None = None
    terraform_version: str | None = None
    working_directory: str | None = None
    resource_count: int | None = None
    created_at: WireTime | None = None
    updated_at: WireTime | None = None
    permissions: WorkspacePermissions | None = None

    organization: ToOne = None
    project: ToOne = None
    current_run: ToOne = None
    latest_run: ToOne = None
    locked_by: ToOne = None
    current_configuration_version: ToOne = None
    current_state_version: ToOne = None
    current_assessment_result: ToOne = None
    agent_pool: ToOne = None
    ssh_key: ToOne = None
    readme: ToOne = None
    outputs: ToMany = ()
    vars: ToMany = ()


class WorkspaceOutput(Resource):
    """An output of a workspace's current state, as in `include=outputs`."""

    wire_type: ClassVar[str] = "workspace-outputs"

    name: str
    sensitive: bool | None = None
    output_type: str | None = None
    value: Any = Field(default=None, repr=False)


class WorkspaceResource(Resource):
    """A resource instance in a workspace's current state."""

    wire_type: ClassVar[str] = "resources"

    address: str
    name: str
    created_at: str | None = None
    updated_at: str | None = None
    module: str | None = None
    provider: str | None = None
    provider_type: str | None = None
    modified_by_state_version_id: str | None = None
    name_index: str | None = None


class TagBinding(Resource):
    """A tag of a workspace, with its value."""

    wire_type: ClassVar[str] = "tag-bindings"

    key: str
    value: str | None = None
    created_at: WireTime | None = None


class EffectiveTagBinding(TagBinding):
    """A tag of a workspace or inherited from its project."""

    wire_type: ClassVar[str] = "effective-tag-bindings"


class Tag(Resource):
    """A tag of an organization, without a value."""

    wire_type: ClassVar[str] = "tags"

    name: str
    instance_count: int | None = None

    organization: ToOne = None

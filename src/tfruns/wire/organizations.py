"""Organizations and their projects. Source: HCP Terraform API, "Organizations", "Projects"."""

from typing import ClassVar

from tfruns.wire.base import Flags, Resource, ToOne, WireTime


class Organization(Resource):
    """An organization. Its id is its name."""

    wire_type: ClassVar[str] = "organizations"

    name: str | None = None
    external_id: str | None = None
    email: str | None = None
    created_at: WireTime | None = None
    default_execution_mode: str | None = None
    cost_estimation_enabled: bool | None = None
    permissions: Flags | None = None

    default_project: ToOne = None
    default_agent_pool: ToOne = None
    data_retention_policy: ToOne = None
    entitlement_set: ToOne = None


class Project(Resource):
    """A project, which groups workspaces of an organization."""

    wire_type: ClassVar[str] = "projects"

    name: str | None = None
    description: str | None = None
    workspace_count: int | None = None
    team_count: int | None = None
    permissions: Flags | None = None

    organization: ToOne = None


class EntitlementSet(Resource):
    """The features that an organization may use. Without `operations`, the Terraform CLI plans locally."""

    wire_type: ClassVar[str] = "entitlement-sets"

    operations: bool | None = None
    state_storage: bool | None = None
    cost_estimation: bool | None = None
    sentinel: bool | None = None
    run_tasks: bool | None = None
    teams: bool | None = None
    agents: bool | None = None
    vcs_integrations: bool | None = None
    private_module_registry: bool | None = None
    audit_logging: bool | None = None
    policy_enforcement: bool | None = None
    sso: bool | None = None
    configuration_designer: bool | None = None
    global_run_tasks: bool | None = None

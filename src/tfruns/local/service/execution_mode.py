"""Where the runs of a workspace are executed. Source: HCP Terraform API, "Create a Workspace", `execution-mode`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from tfruns.local.store.schema import OrganizationRow, WorkspaceRow

DEFAULT_MODE = "remote"


def execution_mode(settings: Mapping[str, Any], organization_settings: Mapping[str, Any]) -> str:
    """The workspace's own setting, else the default of the organization: `remote`, or `local` for states only."""
    return str(settings.get("execution-mode") or organization_settings.get("default-execution-mode", DEFAULT_MODE))


def executes_runs(session: Session, row: WorkspaceRow) -> bool:
    """Whether this backend executes the runs of a workspace, and does not only keep its states."""
    organization = session.get_one(OrganizationRow, row.organization)
    return execution_mode(row.settings, organization.settings) != "local"

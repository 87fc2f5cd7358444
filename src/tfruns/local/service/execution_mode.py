"""Where the runs of a workspace are executed. Source: HCP Terraform API, "Create a Workspace", `execution-mode`."""

from sqlalchemy.orm import Session

from tfruns.local.store.schema import OrganizationRow, WorkspaceRow

DEFAULT_MODE = "remote"


def execution_mode(row: WorkspaceRow, organization: OrganizationRow) -> str:
    """The workspace's own setting, else the default of the organization: `remote`, or `local` for states only."""
    return str(row.settings.get("execution-mode") or organization.settings.get("default-execution-mode", DEFAULT_MODE))


def executes_runs(session: Session, row: WorkspaceRow) -> bool:
    """Whether this backend executes the runs of a workspace, and does not only keep its states."""
    organization = session.get_one(OrganizationRow, row.organization)
    return execution_mode(row, organization) != "local"

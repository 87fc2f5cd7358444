"""`tfruns state list`."""

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Workspace
from tfruns.cli.paging import FIRST_PAGE, Paging
from tfruns.cli.tables import Cell, Column
from tfruns.cli.workspace.parts import list_part
from tfruns.views.workspaces import StateVersionRow

_COLUMNS = (
    Column("state version", is_key=True),
    Column("serial", is_key=True),
    "current",
    Column("created", is_key=True),
    Column("run", hides=3),
    Column("resources", hides=4),
    Column("terraform", hides=1),
    Column("status", hides=2),
)


def list_states(
    *,
    workspace: Workspace = None,
    paging: Paging = FIRST_PAGE,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List state versions, newest first.

    For example:
        tfruns state list --workspace network
    """
    list_part(
        "state_versions",
        _COLUMNS,
        _cells,
        workspace=workspace,
        organization=organization,
        paging=paging,
        options=options,
    )


def _cells(row: StateVersionRow) -> tuple[Cell, ...]:
    current = "current" if row.current else None
    return (row.id, row.serial, current, row.created_at, row.run_id, row.resources, row.terraform, row.status)

"""`tfruns config list`."""

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Workspace
from tfruns.cli.paging import FIRST_PAGE, Paging
from tfruns.cli.tables import Cell, Column
from tfruns.cli.workspace.parts import list_part
from tfruns.views.workspaces import ConfigurationRow

_COLUMNS = (
    Column("configuration version", is_key=True),
    Column("status", is_key=True),
    "current",
    Column("at", is_key=True),
    Column("source", hides=1),
    Column("speculative", hides=2),
    Column("provisional", hides=3),
    Column("error", shrinks=True),
)


def list_configurations(
    *,
    workspace: Workspace = None,
    paging: Paging = FIRST_PAGE,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List configuration versions, newest first.

    To plan an earlier one again, create a run with --configuration-version.

    For example:
        tfruns config list --workspace network
    """
    list_part(
        "configuration_versions",
        _COLUMNS,
        _cells,
        workspace=workspace,
        organization=organization,
        paging=paging,
        options=options,
    )


def _cells(row: ConfigurationRow) -> tuple[Cell, ...]:
    current = "current" if row.current else None
    return (row.id, row.status, current, row.at, row.source, row.speculative, row.provisional, row.error)

"""`tfruns workspace resources`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, SelectedWorkspace
from tfruns.cli.paging import FIRST_PAGE, Paging
from tfruns.cli.tables import Cell, Column
from tfruns.cli.workspace.parts import list_part
from tfruns.views.workspaces import ResourceRow

_COLUMNS = (Column("resource", is_key=True), Column("provider", hides=1), Column("updated", hides=2))


def resources(
    workspace: SelectedWorkspace = None,
    *,
    search: Annotated[str, Parameter(help="List only addresses with this text")] = "",
    paging: Paging = FIRST_PAGE,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List the resources of the current state.

    For example:
        tfruns workspace resources network
        tfruns workspace resources network --search aws_subnet --json
    """
    list_part(
        "resources",
        _COLUMNS,
        _cells,
        workspace=workspace,
        organization=organization,
        paging=paging,
        options=options,
        search=search,
    )


def _cells(row: ResourceRow) -> tuple[Cell, ...]:
    return (row.address, row.provider, row.updated_at)

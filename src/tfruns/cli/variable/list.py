"""`tfruns variable list`."""

from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Workspace
from tfruns.cli.paging import FIRST_PAGE, Paging
from tfruns.cli.tables import Cell, Column
from tfruns.cli.workspace.parts import list_part
from tfruns.masking.secrets import MASKED
from tfruns.views.workspaces import VariableRow

_COLUMNS = (
    Column("variable", is_key=True),
    Column("value", is_key=True, shrinks=True),
    "category",
    Column("hcl", hides=2),
    Column("variable set", hides=3),
    Column("description", shrinks=True, hides=1),
)


def list_variables(
    *,
    workspace: Workspace = None,
    search: Annotated[str, Parameter(help="List only names with this text")] = "",
    paging: Paging = FIRST_PAGE,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List the variables of a workspace.

    Includes those of variable sets. The values of sensitive variables are never shown.

    For example:
        tfruns variable list --workspace network
        tfruns variable list --search region --json
    """
    list_part(
        "variables",
        _COLUMNS,
        _cells,
        workspace=workspace,
        organization=organization,
        paging=paging,
        options=options,
        search=search,
    )


def _cells(row: VariableRow) -> tuple[Cell, ...]:
    value = MASKED if row.sensitive else row.value
    return (row.key, value, row.category, row.hcl, row.variable_set, row.description)

"""`tfruns workspace actions`."""

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, SelectedWorkspace
from tfruns.cli.paging import FIRST_PAGE, Paging
from tfruns.cli.tables import Cell, Column
from tfruns.cli.workspace.parts import list_part
from tfruns.views.workspaces import ActionRow

_COLUMNS = (
    Column("action", is_key=True),
    Column("provider", hides=1),
    Column("instances", shrinks=True),
    Column("invocations", hides=2),
)


def actions(
    workspace: SelectedWorkspace = None,
    *,
    paging: Paging = FIRST_PAGE,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List the actions of a workspace.

    A run invokes one with `tfruns run create --invoke-action ADDRESS`. The local backend does not list actions.

    For example:
        tfruns workspace actions network
    """
    list_part(
        "actions", _COLUMNS, _cells, workspace=workspace, organization=organization, paging=paging, options=options
    )


def _cells(row: ActionRow) -> tuple[Cell, ...]:
    instances = ", ".join(row.keys) if isinstance(row.keys, tuple) else row.keys
    return (row.address, row.provider, instances, row.invocations)

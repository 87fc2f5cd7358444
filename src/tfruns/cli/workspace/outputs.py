"""`tfruns workspace outputs`."""

import json
from typing import Annotated

from cyclopts import Parameter

from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, SelectedWorkspace
from tfruns.cli.paging import FIRST_PAGE, Paging
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import Cell, Column
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.terminal import print_json
from tfruns.cli.workspace.parts import list_part
from tfruns.errors import InvalidInput, NotFound, TooLarge
from tfruns.masking.text import sanitize
from tfruns.views.workspaces import OutputRow, WorkspacePartPage

_COLUMNS = (Column("output", is_key=True), Column("type", hides=1), Column("value", is_key=True, shrinks=True))
_NAME = "Print only the value of this output"


def outputs(
    workspace: SelectedWorkspace = None,
    *,
    name: Annotated[str, Parameter(help=_NAME)] = "",
    search: Annotated[str, Parameter(help="List only names with this text")] = "",
    paging: Paging = FIRST_PAGE,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """List the outputs of the current state.

    Sensitive values are never shown. With --name, a string is printed as it is, and any other value as JSON.

    For example:
        tfruns workspace outputs network
        tfruns workspace outputs network --name vpc_id
    """
    if not name:
        list_part(
            "outputs",
            _COLUMNS,
            _cells,
            workspace=workspace,
            organization=organization,
            paging=paging,
            options=options,
            search=search,
        )

    async def work(session: Session) -> None:
        found = await resolve_workspace(session, workspace, organization)
        _print_value(await _row(session, found, name), is_json=options.json)

    run_command(work, options)


def _cells(row: OutputRow) -> tuple[Cell, ...]:
    return (row.name, row.type, _text(row))


def _text(row: OutputRow) -> str:
    return row.value if isinstance(row.value, str) else json.dumps(row.value, ensure_ascii=False)


async def _row(session: Session, workspace: str, name: str) -> OutputRow:
    """The output with exactly this name.

    Raises:
        NotFound: the current state has no such output.
    """
    page: int | None = 1
    while page is not None:
        view = await session.call(
            "get_workspace_details",
            WorkspacePartPage,
            workspace_id=workspace,
            part="outputs",
            search=name,
            page_number=page,
            page_size=1,  # the value of a single row is complete
        )
        for row in view.rows:
            if isinstance(row, OutputRow) and row.name == name:
                return row
        page = view.next_page
    raise NotFound(
        f"The current state of {workspace} has no output {name}.",
        cause="No applied run has set it.",
        solution=f"List the outputs: {session.command('workspace', 'outputs', workspace)}",
    )


def _print_value(row: OutputRow, *, is_json: bool) -> None:
    if row.sensitive:
        raise InvalidInput(
            f"The output {row.name} is sensitive: its value is never shown.",
            cause="The configuration marks it as sensitive.",
            solution=f"Read it with `terraform output -raw {row.name}`.",
        )
    if row.is_truncated:
        raise TooLarge("The value is too long to be printed.", solution="Read it with `terraform output`.")
    if is_json:
        print_json(row.value)
    else:
        print(sanitize(_text(row)))

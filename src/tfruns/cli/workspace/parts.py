"""Shared parts of the commands that list a part of a workspace: its outputs, resources, variables and versions."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NoReturn, TypeVar

from tfruns.cli.options import CommonOptions
from tfruns.cli.paging import Paging
from tfruns.cli.session import Session, run_command
from tfruns.cli.tables import Cell, Column, print_table
from tfruns.cli.targets import resolve_workspace
from tfruns.cli.terminal import say
from tfruns.views.base import View
from tfruns.views.workspaces import WorkspacePartPage

R = TypeVar("R", bound=View)


def list_part(
    part: str,
    columns: Sequence[str | Column],
    cells: Callable[[R], Sequence[Cell]],
    *,
    workspace: str | None,
    organization: str | None,
    paging: Paging,
    options: CommonOptions,
    search: str = "",
) -> NoReturn:
    """Run a command that prints a part of a workspace as a table.

    Args:
        part: the part, as in the tool `get_workspace_details`.
        columns: the columns of the table.
        cells: the cells of a row.
        workspace: the given workspace, if any.
        organization: the given organization, if any.
        paging: the rows to show.
        options: the common options.
        search: a part of the names to list; empty for all.
    """

    async def work(session: Session) -> None:
        name = await resolve_workspace(session, workspace, organization)

        async def page(number: int, size: int) -> WorkspacePartPage:
            return await session.call(
                "get_workspace_details",
                WorkspacePartPage,
                workspace_id=name,
                part=part,
                search=search,
                page_number=number,
                page_size=size,
            )

        session.show(await paging.read(page), partial(_print, columns, cells, paging))

    run_command(work, options)


def _print(
    columns: Sequence[str | Column], cells: Callable[[R], Sequence[Cell]], paging: Paging, view: WorkspacePartPage
) -> None:
    print_table(columns, (cells(row) for row in view.rows))  # type: ignore[arg-type]  # the part has rows of one kind
    if view.note or not view.rows:
        say(view.note or ("Nothing was found." if view.page == 1 else f"Page {view.page} is empty."))
    paging.print_more(view.next_page)

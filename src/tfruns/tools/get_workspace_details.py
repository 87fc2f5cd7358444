"""Read a workspace: its settings, or one of its parts.

Sources: HCP Terraform API, "Workspaces", "State Versions", "State Version Outputs", "Workspace Resources", "Workspace
Variables", "Configuration Versions", "Terraform actions", "Assessment Results".
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Literal

from pydantic import Field

from tfruns.arguments import PageNumber, PageSize, WorkspaceRef
from tfruns.client.client import Client
from tfruns.client.listing import check_page
from tfruns.errors import InvalidInput
from tfruns.next_actions import Argument
from tfruns.policy import Toolset
from tfruns.runs.results import empty_page_text
from tfruns.runs.workspace_parts import (
    Part,
    PartQuery,
    read_actions,
    read_configurations,
    read_health,
    read_outputs,
    read_resources,
    read_state_versions,
    read_variables,
)
from tfruns.runs.workspace_settings import workspace_view
from tfruns.tool import Context, Result, tool
from tfruns.views.workspaces import WorkspacePartPage, WorkspaceView

PartName = Annotated[
    Literal[
        "settings", "outputs", "resources", "variables", "state_versions", "configuration_versions", "actions", "health"
    ],
    Field(description="settings include lock and permissions; actions, those that a run can invoke; health, drift"),
]
Search = Annotated[str, Field(description="Part of the name of an output, resource, variable or action")]

_READERS: Mapping[str, Callable[[Client, PartQuery], Awaitable[Part]]] = {
    "outputs": read_outputs,
    "resources": read_resources,
    "variables": read_variables,
    "state_versions": read_state_versions,
    "configuration_versions": read_configurations,
    "actions": read_actions,
    "health": read_health,
}
_SEARCHED = {"outputs", "resources", "variables", "actions"}


@tool(
    title="Read a workspace",
    toolset=Toolset.WORKSPACES,
    order=161,
    is_read_only=True,
    instruction="get_workspace_details shows outputs, resources, variables, state and configuration versions.",
)
async def get_workspace_details(
    context: Context,
    workspace_id: WorkspaceRef,
    part: PartName = "settings",
    search: Search = "",
    page_number: PageNumber = 1,
    page_size: PageSize = 20,
) -> Result[WorkspaceView] | Result[WorkspacePartPage]:
    """Read a workspace, or a page of one part of it. Sensitive values are never shown."""
    client, search = context.client, search.strip()
    if search and part not in _SEARCHED:
        raise InvalidInput(
            (Argument("search"), f" cannot be used for {part}."),
            solution=f"Omit it, or use it for {', '.join(sorted(_SEARCHED))}.",
        )
    check_page(page_number, page_size)
    workspace = await client.workspaces.read(workspace_id, include=("current_run", "locked_by"))
    if part == "settings":
        return Result(partial(workspace_view, client, workspace), workspace.document)
    found = await _READERS[part](client, PartQuery(workspace, search, page_number, page_size))

    async def view() -> WorkspacePartPage:
        return WorkspacePartPage(
            workspace_id=workspace.id,
            part=part,
            rows=found.rows,
            page=page_number,
            next_page=found.next_page,
            total_count=found.total_count,
            note=found.note or _note_of_empty_page(found, page_number, page_size),
        )

    return Result(view, found.document)


def _note_of_empty_page(found: Part, number: int, size: int) -> str:
    """Why a page after the last one has no rows; empty for other pages."""
    if found.rows or number == 1 or not found.total_count:
        return ""
    return empty_page_text(number, -(-found.total_count // size))

"""The scope around the call of a tool: what its arguments name is looked up before, and rows of its answer after.

Locations are read from the API for each call and again right before a change: nothing is remembered, since a workspace
can be renamed. What is outside of the scope and what does not exist get the same answer, after the same requests.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Any

from tfruns.client.client import Client
from tfruns.client.references import check_id, check_organization
from tfruns.errors import Forbidden, NotFound, OutOfScope
from tfruns.jsonapi import JSON
from tfruns.tools.scope import Place, Scope
from tfruns.wire.run_params import RunParams
from tfruns.wire.workspaces import Workspace

_MOST_CONFIGURATIONS = 1_000  # of a workspace that are searched for one


class Kind(Enum):
    """What an argument names."""

    RUN = "run"
    WORKSPACE = "workspace"
    ORGANIZATION = "organization"
    WORKSPACE_NAMES = "workspace names"
    CONFIGURATION = "configuration version"


ARGUMENTS: Mapping[str, Kind] = {
    "run_id": Kind.RUN,
    "workspace_id": Kind.WORKSPACE,
    "organization": Kind.ORGANIZATION,
    "filter_workspace_names": Kind.WORKSPACE_NAMES,
    "params.configuration_version_id": Kind.CONFIGURATION,
}
"""The arguments of all tools that name something which may be outside. Lists narrow the names themselves."""


async def enforce_scope(scope: Scope, client: Client, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call, if all that they name is in the scope; a run and a workspace are ids then.

    Raises:
        OutOfScope: something else is named, or nothing that exists; nothing was changed.
        TfrunsError: what is named cannot be read.
    """
    checked = dict(values)
    if not scope.is_limited:
        return checked
    if "run_id" in values:
        checked["run_id"] = client.runs.id_of(values["run_id"])
        await _check_run(scope, client, checked["run_id"])
    if "workspace_id" in values:
        workspace = await _workspace_in(scope, client, values["workspace_id"])
        checked["workspace_id"] = workspace.id
        await _check_configuration(client, workspace.id, values.get("params"))
    if "organization" in values:
        checked["organization"] = check_organization(values["organization"])
        if not scope.has_organization(checked["organization"]):
            raise outside(Kind.ORGANIZATION)
    return checked


async def check_location(scope: Scope, client: Client, values: Mapping[str, Any]) -> None:
    """Read again, right before a change, whether the run or workspace is still in the scope.

    Raises: as `enforce_scope`.
    """
    if scope.is_limited and "run_id" in values:
        await _check_run(scope, client, values["run_id"])
    elif scope.is_limited and "workspace_id" in values:
        await _workspace_in(scope, client, values["workspace_id"])


def outside(kind: Kind) -> OutOfScope:
    """The one error for what is outside of the scope and for what does not exist."""
    return OutOfScope(f"No such {kind.value} in the scope of this server.")


async def _check_run(scope: Scope, client: Client, run_id: str) -> None:
    try:
        run = await client.runs.read(run_id, include=["workspace"])
        workspace = run.follow(run.workspace, Workspace)
        if workspace is None and run.workspace is not None:
            workspace = await client.workspaces.read(run.workspace.id)
    except (NotFound, Forbidden):
        workspace = None
    if workspace is None or not scope.has_workspace(place_of(workspace)):
        raise outside(Kind.RUN)


async def _workspace_in(scope: Scope, client: Client, reference: str) -> Workspace:
    try:
        workspace = await client.workspaces.read(reference)
    except (NotFound, Forbidden):
        raise outside(Kind.WORKSPACE) from None
    if not scope.has_workspace(place_of(workspace)):
        raise outside(Kind.WORKSPACE)
    return workspace


async def _check_configuration(client: Client, workspace_id: str, params: object) -> None:
    """A configuration version does not say whose it is: it has to be among those of the workspace itself."""
    if not isinstance(params, RunParams) or params.configuration_version_id is None:
        return
    wanted = check_id("cv", params.configuration_version_id, what="configuration_version_id")
    number = 0
    async for version in client.configuration_versions.list_for_workspace(workspace_id):
        number += 1
        if version.id == wanted:
            return
        if number == _MOST_CONFIGURATIONS:
            break
    raise OutOfScope(
        "The workspace has no such configuration version.",
        solution="Use one of this workspace's own configuration versions, or leave it out for the latest.",
    )


def place_of(workspace: Workspace) -> Place:
    """Where a workspace is, by the API's own names."""
    return Place(workspace.id, workspace.name, workspace.organization.id if workspace.organization else None)


async def drop_out_of_scope(
    scope: Scope, client: Client, view: dict[str, JSON], organization: str | None
) -> dict[str, JSON]:
    """What a tool answers, without rows about workspaces that are outside, and without a word about them.

    Lists are made from what is inside to begin with; this holds should one of them ever not be.
    """
    if not scope.is_limited:
        return view
    names = {row["id"]: _name(row) for row in _rows(view.get("included")) if row.get("type") == "workspaces"}
    result = dict(view)
    for key, rows in view.items():
        if isinstance(rows, list):
            result[key] = [row for row in rows if await _is_inside(scope, client, row, organization, names)]
    return result


async def _is_inside(
    scope: Scope, client: Client, row: JSON, organization: str | None, names: Mapping[str, str | None]
) -> bool:
    workspace_id, name = _workspace_of(row)
    if workspace_id is None:
        return True
    name = name or names.get(workspace_id)
    if name and organization:
        return scope.has_workspace(Place(workspace_id, name, organization))
    try:
        return scope.has_workspace(place_of(await client.workspaces.read(workspace_id)))
    except (NotFound, Forbidden):
        return False


def _workspace_of(row: JSON) -> tuple[str | None, str | None]:
    """The id and the name of the workspace that a row is about, in a view or in a document of the API."""
    if not isinstance(row, dict):
        return None, None
    if row.get("workspace_id"):
        return row["workspace_id"], row.get("workspace_name")
    if str(row.get("id", "")).startswith("ws-"):
        return row["id"], _name(row)
    related = ((row.get("relationships") or {}).get("workspace") or {}).get("data") or {}
    return related.get("id"), None


def _name(row: Mapping[str, Any]) -> str | None:
    return row.get("name") or (row.get("attributes") or {}).get("name")


def _rows(value: JSON) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []

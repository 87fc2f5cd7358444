"""The second and the last stage of a call: everything that the arguments and the result name has to be in the scope.

The location of a run or workspace is read from the API for each call, and again before a change. It is never cached,
because a workspace can be renamed. A name outside the scope and a name that does not exist cause the same error, after
the same requests.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, TypeVar

from tfruns.client.client import Client
from tfruns.client.references import check_id, check_organization, check_workspace_name
from tfruns.errors import Forbidden, NotFound, OutOfScope
from tfruns.jsonapi import JSON
from tfruns.scope import Scope, WorkspaceLocation, location_of
from tfruns.tool import Role, Tool
from tfruns.views.base import View, as_json
from tfruns.wire.run_params import RunParams
from tfruns.wire.workspaces import Workspace
from tfruns.wording import listed

_MAX_CONFIGURATIONS = 1_000  # of a workspace; the number that is searched


async def enforce_scope(tool: Tool, scope: Scope, client: Client, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of a call with runs and workspaces resolved to ids, if everything is in the scope.

    Raises:
        OutOfScope: an argument names something outside the scope, or something that does not exist.
        TfrunsError: a location cannot be read.
    """
    checked = dict(values)
    if not scope.is_limited:
        return checked
    workspace_id = ""
    for name, role in tool.roles.items():
        match role:
            case Role.RUN:
                checked[name] = client.runs.id_of(values[name])
                await _check_run(scope, client, checked[name])
            case Role.WORKSPACE:
                checked[name] = workspace_id = (await _workspace_in(scope, client, values[name])).id
            case Role.ORGANIZATION:
                checked[name] = check_organization(values[name])
                if not scope.has_organization(checked[name]):
                    raise _outside(role)
            case Role.RUN_OPTIONS:
                await _check_configuration(client, workspace_id, values[name])
            case Role.SAVED_WORKSPACE:
                checked[name] = await _saved_workspace(tool, scope, client, values)
            case Role.NEW_NAME | Role.WORKSPACE_NAMES | Role.COMMENT:
                pass
    return checked


async def _saved_workspace(tool: Tool, scope: Scope, client: Client, values: Mapping[str, Any]) -> str:
    """The id of a workspace that is in the scope, also by its new name; of one to create, `organization/name`."""
    reference, new_name = tool.argument(Role.SAVED_WORKSPACE, values), tool.argument(Role.NEW_NAME, values)
    if values["create"]:
        organization, name = client.workspaces.location_of_new(reference)
        if not scope.has_workspace(WorkspaceLocation("", name, organization)):
            raise _outside(Role.WORKSPACE)
        return f"{organization}/{name}"
    workspace = await _workspace_in(scope, client, reference)
    if new_name and not scope.has_workspace(replace(location_of(workspace), name=check_workspace_name(new_name))):
        raise OutOfScope("The new name is outside the scope of this server.")
    return workspace.id


async def check_location(tool: Tool, scope: Scope, client: Client, values: Mapping[str, Any]) -> None:
    """Check again, immediately before a change, whether the run or workspace is in the scope.

    Raises:
        OutOfScope: it is not.
        TfrunsError: its location cannot be read.
    """
    if not scope.is_limited:
        return
    for name, role in tool.roles.items():
        if role is Role.RUN:
            await _check_run(scope, client, values[name])
        elif role is Role.WORKSPACE:
            await _workspace_in(scope, client, values[name])
        elif role is Role.SAVED_WORKSPACE:
            await _saved_workspace(tool, scope, client, values)


def _outside(role: Role) -> OutOfScope:
    """The one error for a name outside the scope and for a name that does not exist."""
    error = OutOfScope(f"No such {role.value} in the scope of this server.")
    error.role = role.value
    return error


async def _check_run(scope: Scope, client: Client, run_id: str) -> None:
    try:
        run = await client.runs.read(run_id, include=["workspace"])
        workspace = run.follow(run.workspace, Workspace)
        if workspace is None and run.workspace is not None:
            workspace = await client.workspaces.read(run.workspace.id)
    except (NotFound, Forbidden):
        workspace = None
    if workspace is None or not scope.has_workspace(location_of(workspace)):
        raise _outside(Role.RUN)


async def _workspace_in(scope: Scope, client: Client, reference: str) -> Workspace:
    try:
        workspace = await client.workspaces.read(reference)
    except (NotFound, Forbidden):
        raise _outside(Role.WORKSPACE) from None
    if not scope.has_workspace(location_of(workspace)):
        raise _outside(Role.WORKSPACE)
    return workspace


async def _check_configuration(client: Client, workspace_id: str, params: object) -> None:
    """Search for a configuration version among those of the workspace, because it does not name its workspace."""
    if not isinstance(params, RunParams) or params.configuration_version_id is None:
        return
    wanted = check_id("cv", params.configuration_version_id, what="configuration_version_id")
    ids: list[str] = []
    async for version in client.configuration_versions.list_for_workspace(workspace_id):
        ids.append(version.id)
        if version.id == wanted:
            return
        if len(ids) == _MAX_CONFIGURATIONS:
            break
    newest = f" The newest: {listed(ids)}." if ids else ""
    raise OutOfScope(
        f"The workspace has no such configuration version.{newest}",
        solution="Use a configuration version of this workspace, or omit it for the latest.",
    )


R = TypeVar("R", bound=View | dict[str, Any])


async def drop_out_of_scope(tool: Tool, scope: Scope, client: Client, result: R, values: Mapping[str, Any]) -> R:
    """The result of a tool without rows about workspaces outside the scope, and without a hint that they exist.

    Lists are already restricted to the scope when they are read. This is the second line of defense.
    """
    if not scope.is_limited:
        return result
    organization = tool.argument(Role.ORGANIZATION, values)
    members = result if isinstance(result, dict) else {item.name: getattr(result, item.name) for item in fields(result)}
    names = {row["id"]: _name(row) for row in _rows(members.get("included")) if row.get("type") == "workspaces"}
    lists = {name: rows for name, rows in members.items() if isinstance(rows, list | tuple)}
    kept = {
        name: type(rows)([row for row in rows if await _is_inside(scope, client, row, organization, names)])
        for name, rows in lists.items()
    }
    return type(result)(**{**result, **kept}) if isinstance(result, dict) else replace(result, **kept)


async def _is_inside(
    scope: Scope, client: Client, row: object, organization: str | None, names: Mapping[str, str | None]
) -> bool:
    workspace_id, name = _workspace_of(as_json(row, is_complete=True))
    if workspace_id is None:
        return True
    name = name or names.get(workspace_id)
    if name and organization:
        return scope.has_workspace(WorkspaceLocation(workspace_id, name, organization))
    try:
        return scope.has_workspace(location_of(await client.workspaces.read(workspace_id)))
    except (NotFound, Forbidden):
        return False


def _workspace_of(row: JSON) -> tuple[str | None, str | None]:
    """The id and the name of the workspace of a row, in a view or in a document of the API."""
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

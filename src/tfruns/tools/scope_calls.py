"""A scope around the call of a tool: what its arguments name is looked up before, and rows of its answer after.

What an argument names is known by its own name, so that no tool has to remember the scope.
"""

from collections.abc import Mapping
from enum import Enum

from tfruns.client.client import Client
from tfruns.client.references import check_id, check_organization
from tfruns.errors import OutOfScope
from tfruns.jsonapi import JSON
from tfruns.tools.scope import Place, Scope
from tfruns.tools.scope_places import Places
from tfruns.wire.run_params import RunParams

_MOST_CONFIGURATIONS = 1_000  # of a workspace that are looked through for one


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
"""The arguments that name something which may be outside, in all tools."""


async def within(scope: Scope, places: Places, client: Client, values: Mapping[str, JSON]) -> dict[str, JSON]:
    """The arguments of a call, where all that they name may be touched; what was named is an id then.

    Between this look and what the tool does, a name can change its owner, and an id cannot.

    Raises:
        OutOfScope: something else is named; nothing was changed.
        TfrunsError: what is named cannot be read.
    """
    values = dict(values)
    if not scope.is_limited:
        return values
    if "run_id" in values:
        values["run_id"] = client.runs.id_of(values["run_id"])
        await _check_workspace(scope, places, client, await places.workspace_of(client, values["run_id"]), "The run")
    if "workspace_id" in values:
        place = await _check_workspace(scope, places, client, values["workspace_id"], "The workspace")
        values["workspace_id"] = place.id
        await _check_configuration(client, place, values.get("params"))
    if "organization" in values:
        organization = values["organization"] = check_organization(values["organization"])
        if not scope.has_organization(organization):
            raise OutOfScope("The organization is outside of what this server may touch.")
        if "filter_workspace_names" in values:
            values["filter_workspace_names"] = _names(scope, organization, values["filter_workspace_names"])
    return values


async def _check_workspace(scope: Scope, places: Places, client: Client, workspace: str, what: str) -> Place:
    place = await places.place_of(client, workspace)
    if not scope.has_workspace(place):
        raise OutOfScope(f"{what} is outside of what this server may touch.")
    return place


async def _check_configuration(client: Client, place: Place, params: object) -> None:
    """A configuration version does not say whose it is: it has to be among those of the workspace itself."""
    if not isinstance(params, RunParams) or params.configuration_version_id is None:
        return
    wanted = check_id("cv", params.configuration_version_id, what="configuration_version_id")
    number = 0
    async for version in client.configuration_versions.list_for_workspace(place.id):
        number += 1
        if version.id == wanted:
            return
        if number == _MOST_CONFIGURATIONS:
            break
    raise OutOfScope(
        "The configuration version is not one of the run's workspace.",
        solution="Use one of this workspace's own configuration versions, or leave it out for the latest.",
    )


def _names(scope: Scope, organization: str, given: str | None) -> str | None:
    """The filter by names, narrowed to what may be touched. Rows are looked at again when they have come."""
    allowed = scope.names_in(organization)
    if allowed is None:
        return given
    if given is None:
        return ",".join(allowed)
    if outside := [name for name in given.split(",") if name.strip() not in allowed]:
        raise OutOfScope(f"{len(outside)} of the workspaces are outside of what this server may touch.")
    return given


async def without_outsiders(
    scope: Scope, places: Places, client: Client, view: dict[str, JSON], organization: str | None
) -> dict[str, JSON]:
    """What a tool answers, without the rows of lists that are about workspaces which may not be touched."""
    if not scope.is_limited:
        return view
    result = dict(view)
    if organization is not None and scope.workspaces:
        for total in ("total_count", "total_pages"):
            result.pop(total, None)  # they count what is outside, on this page and on others
    hidden = 0
    for key, rows in view.items():
        if isinstance(rows, list):
            kept = [row for row in rows if await _is_inside(scope, places, client, row, organization)]
            hidden += len(rows) - len(kept)
            result[key] = kept
    if hidden:
        note = f"{hidden} more are outside of what this server may touch."
        result["note"] = f"{result['note']} {note}" if result.get("note") else note
    return result


async def _is_inside(scope: Scope, places: Places, client: Client, row: JSON, organization: str | None) -> bool:
    workspace_id, name = _workspace_in(row)
    if workspace_id is None:
        return True
    if name and organization:
        return scope.has_workspace(Place(workspace_id, name, organization))
    return scope.has_workspace(await places.place_of(client, workspace_id))


def _workspace_in(row: JSON) -> tuple[str | None, str | None]:
    """The id and the name of the workspace that a row is about, in a view or in a document of the API."""
    if not isinstance(row, dict):
        return None, None
    if row.get("workspace_id"):
        return row["workspace_id"], row.get("workspace_name")
    if str(row.get("id", "")).startswith("ws-"):
        return row["id"], row.get("name") or (row.get("attributes") or {}).get("name")
    related = ((row.get("relationships") or {}).get("workspace") or {}).get("data") or {}
    return related.get("id"), None

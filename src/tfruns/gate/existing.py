"""Errors about ids and names that do not exist: with what exists, as far as it is in the scope."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tfruns.client.client import Client
from tfruns.errors import NotFound, OutOfScope, TfrunsError, UnprocessableEntity
from tfruns.scope import Scope
from tfruns.tool import Role, Tool


@asynccontextmanager
async def naming_what_exists(
    tool: Tool, scope: Scope, client: Client, values: Mapping[str, Any]
) -> AsyncIterator[None]:
    """Add what exists to the error of a call that names something that does not.

    Args:
        tool: the called tool.
        scope: limits what is told.
        client: the API.
        values: the arguments as the caller gave them, with the default organization.
    """
    try:
        yield
    except (NotFound, OutOfScope, UnprocessableEntity) as error:
        found = await _explained(error, tool, scope, client, values)
        if found is None:
            raise
        found.request_id = error.request_id
        raise found from error


async def _explained(
    error: TfrunsError, tool: Tool, scope: Scope, client: Client, values: Mapping[str, Any]
) -> TfrunsError | None:
    """The better error; None if the named things exist, or if nothing can be read about them."""
    from tfruns.runs import existing  # noqa: PLC0415  # only errors need it

    missing = existing.Missing(scope, client)
    try:
        if isinstance(error, OutOfScope):
            return await _in_scope(missing, error, tool, values)
        for name, role in tool.roles.items():
            if (found := await _of_argument(missing, error, role, values[name], tool, values)) is not None:
                return found
    except TfrunsError:
        pass  # the original error is right, too
    return None


async def _in_scope(missing: Any, error: OutOfScope, tool: Tool, values: Mapping[str, Any]) -> TfrunsError | None:
    """The error for what is outside the scope; None if it is not about a whole argument."""
    if error.role is None:
        return None
    role = Role(error.role)
    named = tool.argument(role, values)
    if named is None and role is Role.WORKSPACE and not values.get("create"):
        named = tool.argument(Role.SAVED_WORKSPACE, values)
    return await missing.in_scope(error, role, named) if named is not None else None


async def _of_argument(
    missing: Any, error: TfrunsError, role: Role, value: Any, tool: Tool, values: Mapping[str, Any]
) -> TfrunsError | None:
    """The error for one argument, if what it names does not exist."""
    found: TfrunsError | None = None
    if role is Role.RUN_OPTIONS and value is not None and value.configuration_version_id is not None:
        workspace = tool.argument(Role.WORKSPACE, values)
        found = await missing.configuration_version(workspace, value.configuration_version_id)
    elif isinstance(error, NotFound):
        match role:
            case Role.WORKSPACE:
                found = await missing.workspace(value)
            case Role.SAVED_WORKSPACE if values["create"]:
                found = await missing.organization(missing.client.workspaces.location_of_new(value)[0])
            case Role.SAVED_WORKSPACE:
                found = await missing.workspace(value)
            case Role.RUN:
                found = await missing.run(value)
            case Role.ORGANIZATION:
                found = await missing.organization(value)
    return found

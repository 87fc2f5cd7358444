"""The organization of a call that names none. It is found before the scope is checked."""

from collections.abc import Mapping
from typing import Any

from tfruns.client.client import Client
from tfruns.client.references import is_bare_name
from tfruns.scope import Scope
from tfruns.tool import Role, Tool


async def with_organization(tool: Tool, scope: Scope, client: Client, values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call, with the organization of omitted organizations and of bare workspace names.

    Raises:
        InvalidInput: the call needs an organization, and there is none, or several.
        TfrunsError: the organizations cannot be read.
    """
    completed = dict(values)
    for name, role in tool.roles.items():
        value = values[name]
        if role is Role.ORGANIZATION and not (value or "").strip():
            completed[name] = await _organization(scope, client)
        elif role in {Role.WORKSPACE, Role.SAVED_WORKSPACE} and is_bare_name(value):
            completed[name] = f"{await _organization(scope, client)}/{value.strip()}"
    return completed


async def _organization(scope: Scope, client: Client) -> str:
    from tfruns.runs.organizations import find_organization  # noqa: PLC0415  # most calls name theirs

    return await find_organization(scope, client)

"""Set or delete a variable of a workspace. Source: HCP Terraform API, "Workspace Variables".

A value is write-only here: no result, question, error or audit line contains it.
"""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal

from anyio import to_thread
from pydantic import Field

from tfruns.arguments import WorkspaceRef
from tfruns.client.client import Client
from tfruns.errors import InvalidInput, NotFound
from tfruns.impact import Impact, ImpactKind
from tfruns.masking.known_values import remember_value
from tfruns.masking.text import one_line
from tfruns.next_actions import Argument
from tfruns.policy import Toolset
from tfruns.runs.impact_parts import named_workspace
from tfruns.runs.scoped_lists import there_are
from tfruns.tool import Context, Proof, Result, tool
from tfruns.views.workspaces import VariableView
from tfruns.wire.variables import Variable

Key = Annotated[str, Field(description="The variable's name")]
Value = Annotated[str | None, Field(description="Never shown again. Required for a new variable")]
Category = Annotated[Literal["terraform", "env"], Field(description="env: an environment variable")]
Sensitive = Annotated[bool | None, Field(description="Write-only: the value can never be read. Cannot be undone")]
Hcl = Annotated[bool | None, Field(description="The value is an HCL expression, not a string")]
Description = Annotated[str | None, Field(description="For human readers")]
Delete = Annotated[bool, Field(description="Delete the variable")]

_MAX_KEY = 256  # characters
_SHOWN_KEY = 100
_NOT_SENSITIVE = "Not sensitive: everyone who can read the workspace's variables can read the value."


async def impact_of_set(client: Client, values: Mapping[str, Any]) -> Impact:
    """A variable changes what later runs do; a value that is overwritten or deleted is lost.

    Raises:
        InvalidInput: the arguments contradict each other, or the value of a new variable is missing.
        NotFound: the variable to delete does not exist. Sent without a confirmation, the call could delete it later.
    """
    name = _checked(values)
    workspace = await client.workspaces.read(values["workspace_id"])
    found = await _find(client, workspace.id, name, values["category"])
    if found is None and values["delete"]:
        raise await _no_variable(client, workspace.id, values["category"], name)
    if found is None and values["value"] is None:
        raise _no_value(values["category"], name)
    key = one_line(name, _SHOWN_KEY)
    kind = "environment variable" if values["category"] == "env" else "variable"
    verb = "Delete" if values["delete"] else "Change" if found else "Create"
    is_lost = found is not None and found.sensitive is not False and (values["delete"] or values["value"] is not None)
    return Impact(
        kinds=frozenset({ImpactKind.CHANGE_WORKSPACE}),
        question=f"{verb} the {kind} {key} of {named_workspace(workspace)}?",
        at_stake=(
            "Later runs use it. Runs that exist keep the values with which they were created.",
            *(("Its current value is sensitive and cannot be read back.",) if is_lost else ()),
        ),
        state=[workspace.id, found.id if found else None, found.version_id if found else None],
    )


async def _find(client: Client, workspace_id: str, key: str, category: str) -> Variable | None:
    """The workspace's own variable with this name and category."""
    variables = await client.variables.list_own(workspace_id)
    return next((found for found in variables if found.key == key and found.category == category), None)


async def _no_variable(client: Client, workspace_id: str, category: str, name: str) -> NotFound:
    """The error for a variable that does not exist. It lists those that do."""
    variables = await client.variables.list_own(workspace_id)
    names = [one_line(found.key, _SHOWN_KEY) for found in variables if found.category == category]
    return NotFound(
        f"The workspace has no {category} variable {one_line(name, _SHOWN_KEY)}. {there_are(names, name)}",
        solution="List its variables. Those of a variable set cannot be changed here.",
    )


@tool(
    title="Set a variable",
    toolset=Toolset.ADMINISTRATION,
    order=190,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_set,
    proofs=(Proof.CODE,),
    instruction="set_variable sets or deletes a variable of a workspace.",
)
async def set_variable(
    context: Context,
    workspace_id: WorkspaceRef,
    key: Key,
    value: Value = None,
    category: Category = "terraform",
    sensitive: Sensitive = None,
    hcl: Hcl = None,
    description: Description = None,
    delete: Delete = False,
) -> Result[VariableView]:
    """Create, change or delete a variable of a workspace. Omitted fields do not change."""
    options: dict[str, Any] = {"hcl": hcl, "sensitive": sensitive, "description": description}
    name = _checked({"key": key, "value": value, "delete": delete, **options})
    client = context.client
    workspace = await client.workspaces.resolve(workspace_id)
    found = await _find(client, workspace, name, category)
    if delete:
        return await _delete(client, workspace, name, category, found)
    if value is not None and (sensitive or (found is not None and found.sensitive is not False)):
        await to_thread.run_sync(remember_value, value)  # before an error of the API can repeat it
    if found is not None:
        changed = await client.variables.update(workspace, found.id, value=value, **options)
        return _result(workspace, changed, "updated")
    if value is None:
        raise _no_value(category, name)
    created = await client.variables.create(workspace, name, value, category=category, **options)
    return _result(workspace, created, "created")


async def _delete(
    client: Client, workspace_id: str, name: str, category: str, found: Variable | None
) -> Result[VariableView]:
    if found is None:
        raise await _no_variable(client, workspace_id, category, name)
    await client.variables.delete(workspace_id, found.id)
    return _result(workspace_id, found, "deleted")


def _no_value(category: str, name: str) -> InvalidInput:
    return InvalidInput(
        (Argument("value"), f" is required: the workspace has no {category} variable {one_line(name, _SHOWN_KEY)}.")
    )


def _checked(values: Mapping[str, Any]) -> str:
    """The name of the variable.

    Raises:
        InvalidInput: the name is empty or too long, or the arguments contradict each other.
    """
    name: str = values["key"].strip()
    if not name or len(name) > _MAX_KEY or not name.isprintable():
        raise InvalidInput((Argument("key"), f" must be 1 to {_MAX_KEY} printable characters."))
    given = any(values[option] is not None for option in ("value", "hcl", "sensitive", "description"))
    if values["delete"] and given:
        raise InvalidInput(
            (Argument("delete"), " cannot be combined with a value or an option."), solution="Omit one of them."
        )
    if not values["delete"] and not given:
        raise InvalidInput(("There is nothing to set: ", Argument("value"), " is missing."))
    return name


def _result(workspace_id: str, variable: Variable, change: str) -> Result[VariableView]:
    return Result(
        partial(_view, workspace_id, variable, change),
        {"data": variable.model_copy(update={"value": None}).to_wire()},
    )


async def _view(workspace_id: str, variable: Variable, change: str) -> VariableView:
    is_readable = variable.sensitive is False and change != "deleted"
    return VariableView(
        workspace_id=workspace_id,
        key=variable.key,
        category=variable.category,
        sensitive=variable.sensitive,
        hcl=variable.hcl or None,
        change=change,
        note=_NOT_SENSITIVE if is_readable else "",
    )

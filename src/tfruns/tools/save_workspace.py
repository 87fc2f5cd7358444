"""Create or change a workspace. Source: HCP Terraform API, "Workspaces"."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import Field

from tfruns.client.client import Client
from tfruns.errors import InvalidInput, UnprocessableEntity
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.masking.text import one_line
from tfruns.next_actions import Argument
from tfruns.policy import Toolset
from tfruns.runs.impact_parts import named_workspace
from tfruns.runs.workspace_settings import workspace_view
from tfruns.tool import Context, Proof, Result, Role, tool
from tfruns.views.workspaces import WorkspaceView
from tfruns.wire.workspaces import Workspace

Reference = Annotated[
    str, Field(description='As for other tools; with create, "organization/name"'), Role.SAVED_WORKSPACE
]
Create = Annotated[bool, Field(description="Create it; otherwise it must exist")]
Name = Annotated[str, Field(description="New name"), Role.NEW_NAME]
Description = Annotated[str | None, Field(description="For human readers")]
AutoApply = Annotated[bool | None, Field(description="Apply later runs without confirmation")]
Version = Annotated[str | None, Field(description="Terraform version, constraint, or latest")]
WorkingDirectory = Annotated[str | None, Field(description="Directory in the configuration")]
Tags = Annotated[list[str] | None, Field(description='With create: "key" or "key:value"')]

_SHOWN = 200  # characters of a setting


_SETTINGS = ("name", "description", "auto_apply", "terraform_version", "working_directory")


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that the call gives. An empty name is none; an empty text removes a setting."""
    given = {name: values[name] for name in _SETTINGS if values.get(name) is not None}
    return given if given.get("name") else {name: value for name, value in given.items() if name != "name"}


async def impact_of_save(client: Client, values: Mapping[str, Any]) -> Impact:
    """Auto-apply lets later runs apply without confirmation; other settings change what later runs do.

    Raises:
        InvalidInput: the arguments contradict each other.
    """
    _check(values)
    given = _given(values)
    workspace = None if values["create"] else await client.workspaces.read(values["workspace_id"])
    changed = given if workspace is None else _changes(workspace, given)
    kinds = {ImpactKind.AUTO_APPLY} if changed.get("auto_apply") else set()
    if workspace is not None and changed.keys() - {"description"}:
        kinds.add(ImpactKind.CHANGE_WORKSPACE)
    if not kinds:
        return NO_IMPACT
    name = values["workspace_id"] if workspace is None else named_workspace(workspace)
    return Impact(
        kinds=frozenset(kinds),
        question=f"{'Create' if workspace is None else 'Change'} the workspace {one_line(name, _SHOWN)}?",
        at_stake=(
            *(_change(setting, workspace, new) for setting, new in changed.items()),
            *(("Later runs then apply their plans without confirmation.",) if changed.get("auto_apply") else ()),
        ),
        state=[workspace.id, sorted((name, str(_now(workspace, name))) for name in changed)] if workspace else [name],
    )


def _changes(workspace: Workspace, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given settings that differ from the present ones."""
    return {name: new for name, new in given.items() if (_now(workspace, name) or None) != (new or None)}


def _now(workspace: Workspace, setting: str) -> Any:
    return getattr(workspace, setting)


def _change(setting: str, workspace: Workspace | None, new: object) -> str:
    old = "" if workspace is None else f"{_shown(_now(workspace, setting))} -> "
    return f"{setting}: {old}{_shown(new)}"


def _shown(value: object) -> str:
    if value is None or value == "":
        return "(not set)"
    return f"«{one_line(value, _SHOWN)}»" if isinstance(value, str) else str(value).lower()


@tool(
    title="Create or change a workspace",
    toolset=Toolset.ADMINISTRATION,
    order=191,
    is_destructive=True,
    is_idempotent=True,
    impact=impact_of_save,
    proofs=(Proof.CODE,),
    instruction="save_workspace creates a workspace or changes its settings; delete_workspace deletes an empty one.",
)
async def save_workspace(
    context: Context,
    workspace_id: Reference,
    create: Create = False,
    name: Name = "",
    description: Description = None,
    auto_apply: AutoApply = None,
    terraform_version: Version = None,
    working_directory: WorkingDirectory = None,
    tags: Tags = None,
) -> Result[WorkspaceView]:
    """Create a workspace, or change settings of one. Omitted settings do not change."""
    given = _given(
        {
            "name": name,
            "description": description,
            "auto_apply": auto_apply,
            "terraform_version": terraform_version,
            "working_directory": working_directory,
        }
    )
    _check({"create": create, "tags": tags, **given})
    if create:
        saved = await _created(context.client, workspace_id, given, _parsed(tags or []))
    else:
        saved = await context.client.workspaces.update(workspace_id, **given)
    return Result(partial(workspace_view, context.client, saved), saved.document)


def _check(values: Mapping[str, Any]) -> None:
    """Refuse arguments that contradict each other.

    Raises:
        InvalidInput: they do.
    """
    if values["create"] and values.get("name"):
        raise InvalidInput(
            (Argument("name"), " is for a workspace that exists."), solution="Give the name in the reference."
        )
    if not values["create"] and values["tags"] is not None:
        raise InvalidInput((Argument("tags"), " can only be given for a new workspace."), solution="Omit them.")
    if not values["create"] and not _given(values):
        raise InvalidInput("There is nothing to change.", solution="Give at least one setting.")
    _parsed(values["tags"] or [])


async def _created(client: Client, reference: str, given: Mapping[str, Any], tags: dict[str, str]) -> Workspace:
    """Create a workspace.

    Raises:
        UnprocessableEntity: the workspace exists already, or a setting is invalid.
    """
    owner, name = client.workspaces.location_of_new(reference)
    try:
        return await client.workspaces.create(owner, name, tags=tags, **given)
    except UnprocessableEntity as error:
        if "already been taken" not in error.message:
            raise
        raise UnprocessableEntity(
            f"The workspace {owner}/{name} already exists.",
            status=error.status,
            cause="A name is unique in its organization.",
            solution="Choose another name, or change that workspace.",
            request_id=error.request_id,
        ) from None


def _parsed(tags: list[str]) -> dict[str, str]:
    """The values of tags by key.

    Raises:
        InvalidInput: a tag has no key.
    """
    found = {key.strip(): value.strip() for key, _, value in (tag.partition(":") for tag in tags)}
    if "" in found:
        raise InvalidInput("A tag has no key.", solution="Write it as key or key:value.")
    return found

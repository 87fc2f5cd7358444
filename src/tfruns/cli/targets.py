"""The organization, workspace and run of a command, with defaults from the environment and the `cloud` block."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tfruns.cli.cloud_block import CloudBlock, read_cloud_block
from tfruns.cli.session import Session
from tfruns.client.references import is_bare_name
from tfruns.errors import InvalidInput, NotFound

if TYPE_CHECKING:
    from tfruns.wire.workspaces import Workspace


async def resolve_organization(session: Session, organization: str | None) -> str:
    """The given organization, else the first of: `TF_CLOUD_ORGANIZATION`, the `cloud` block, the only visible one.

    A profile that the command or the environment names comes before the environment, the default profile after the
    `cloud` block.

    With the local backend, its organization takes precedence over the block, which belongs to another API.

    Raises:
        InvalidInput: none of them is set, and the token can access none or several.
    """
    if organization:
        session.remember_organization(organization)
        return organization
    profile = session.profile
    # The organization of the client is that of the environment, or that of the local backend.
    found = (
        profile.named("organization")
        or session.gate.client.settings.organization
        or _block().organization
        or profile.organization
    )
    if found:
        return found
    from tfruns.runs.organizations import find_organization  # noqa: PLC0415  # most commands do not need it

    return await find_organization(session.gate.policy.scope, session.gate.client)


async def resolve_workspace(session: Session, workspace: str | None, organization: str | None) -> str:
    """The given workspace, else `TF_WORKSPACE`, else that of the `cloud` block; a bare name with its organization.

    Raises:
        InvalidInput: none of them is set, or `TF_WORKSPACE` contradicts the block.
    """
    found = selected_workspace(session, workspace)
    if not found:
        raise InvalidInput(
            "The workspace is missing.",
            cause="TF_WORKSPACE is not set, and this directory has no `cloud` block with a workspace.",
            solution="Specify its name, organization/name, id, or browser URL.",
        )
    return f"{await resolve_organization(session, organization)}/{found}" if is_bare_name(found) else found


def selected_workspace(session: Session, workspace: str | None) -> str | None:
    """The given workspace, else that of the profile, the environment or the `cloud` block; None if none is set.

    Raises:
        InvalidInput: `TF_WORKSPACE` contradicts the block.
    """
    profile = session.profile
    return (
        workspace
        or profile.named("workspace")
        or _block().workspace_for(os.environ.get("TF_WORKSPACE"))
        or profile.workspace
    )


async def resolve_run(session: Session, run: str | None, workspace: str | None, organization: str | None) -> str:
    """The given run, else the current run of the workspace.

    Raises:
        InvalidInput: the workspace is not set.
        NotFound: the workspace has no current run.
    """
    if run:
        return run
    name = await resolve_workspace(session, workspace, organization)
    found = (await _read_workspace(session, name)).current_run
    if found is None:
        raise NotFound(
            f"The workspace {name} has no current run.",
            cause="It has no runs, or only plan-only runs.",
            solution="Create a run, or specify a run id.",
        )
    return found.id


async def _read_workspace(session: Session, workspace: str) -> "Workspace":
    """Read a workspace.

    Raises:
        NotFound: it does not exist. The error lists the workspaces that do.
    """
    client = session.gate.client
    try:
        return await client.workspaces.read(workspace)
    except NotFound as error:
        from tfruns.runs.existing import Missing  # noqa: PLC0415  # only errors need it

        raise await Missing(session.gate.policy.scope, client).workspace(workspace) or error from None


def _block() -> CloudBlock:
    return read_cloud_block(Path.cwd())

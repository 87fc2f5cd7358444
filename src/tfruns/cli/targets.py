"""Which organization, workspace and run a command means where the command line does not say."""

import os
import re
from pathlib import Path

from tfruns.cli.cloud_block import CloudBlock, read_cloud_block
from tfruns.cli.session import Session
from tfruns.errors import InvalidInput, NotFound


def resolve_organization(session: Session, organization: str | None) -> str:
    """The organization: what was said, else `TF_CLOUD_ORGANIZATION`, else that of the `cloud` block.

    The local backend is not what the block is about, and has an organization of its own.

    Raises:
        InvalidInput: nobody says.
    """
    # That of the client is TF_CLOUD_ORGANIZATION, or the local backend's.
    found = organization or session.gate.client.settings.organization or _block().organization
    if not found:
        raise InvalidInput(
            "Which organization?",
            cause="It is neither in the command, nor in TF_CLOUD_ORGANIZATION, nor in a `cloud` block here.",
            solution="Say it with --organization.",
        )
    return found


def resolve_workspace(session: Session, workspace: str | None, organization: str | None) -> str:
    """The workspace, in a form that the tools take: what was said, else `TF_WORKSPACE`, else that of the `cloud` block.

    Raises:
        InvalidInput: nobody says, or the block and `TF_WORKSPACE` say different things.
    """
    found = workspace or _block().workspace_for(os.environ.get("TF_WORKSPACE"))
    if not found:
        raise InvalidInput(
            "Which workspace?",
            cause="It is neither in the command, nor in TF_WORKSPACE, nor in a `cloud` block here.",
            solution="Say it: a name, organization/name, an id, or its browser URL.",
        )
    is_bare = "/" not in found and not re.fullmatch(r"ws-[A-Za-z0-9]{1,64}", found)
    return f"{resolve_organization(session, organization)}/{found}" if is_bare else found


async def resolve_run(session: Session, run: str | None, workspace: str | None, organization: str | None) -> str:
    """The run: what was said, else the current run of the workspace.

    Raises:
        InvalidInput: nobody says which workspace.
        NotFound: it has no run.
    """
    if run:
        return run
    name = resolve_workspace(session, workspace, organization)
    found = (await session.gate.client.workspaces.read(name)).current_run
    if found is None:
        raise NotFound(f"The workspace {name} has no current run.", solution="Create one, or name a run by its id.")
    return found.id


def _block() -> CloudBlock:
    return read_cloud_block(Path.cwd())

"""Where things are: the workspace of a run, and the name and organization of a workspace, as the API has them."""

import time
from collections.abc import Callable
from typing import TypeVar

from tfruns.client.client import Client
from tfruns.errors import OutOfScope
from tfruns.tools.scope import Place
from tfruns.wire.workspaces import Workspace

_REMEMBERED_S = 60.0  # a workspace can get another name
_MOST = 10_000

K = TypeVar("K")
V = TypeVar("V")


class Places:
    """What was read of workspaces and runs, remembered for a while. A run never leaves its workspace."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._runs: dict[str, str] = {}
        self._workspaces: dict[str, tuple[float, Place]] = {}

    async def workspace_of(self, client: Client, run_id: str) -> str:
        """The id of a run's workspace.

        Raises:
            OutOfScope: the API does not say.
        """
        run_id = client.runs.id_of(run_id)
        if run_id not in self._runs:
            run = await client.runs.read(run_id)
            if run.workspace is None:
                raise OutOfScope("The API does not say which workspace the run belongs to.")
            _remember(self._runs, run_id, run.workspace.id)
        return self._runs[run_id]

    async def place_of(self, client: Client, workspace: str) -> Place:
        """The place of a workspace that is given in whatever way; a name is asked for each time."""
        read_at, place = self._workspaces.get(workspace, (float("-inf"), None))
        if place is None or self._now() - read_at > _REMEMBERED_S:
            place = _place(await client.workspaces.read(workspace))
            _remember(self._workspaces, place.id, (self._now(), place))
        return place


def _place(workspace: Workspace) -> Place:
    return Place(workspace.id, workspace.name, workspace.organization.id if workspace.organization else None)


def _remember(memory: dict[K, V], key: K, value: V) -> None:
    """Remember it, and forget what was remembered first if there is too much."""
    memory.pop(key, None)
    memory[key] = value
    if len(memory) > _MOST:
        del memory[next(iter(memory))]

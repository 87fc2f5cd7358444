"""The variables of a workspace. Source: HCP Terraform API, "Workspace Variables", "Variable Sets"."""

from collections.abc import Sequence

from tfruns.client.error_mapping import Purpose
from tfruns.client.parsing import parse_many
from tfruns.client.references import api_path, check_id
from tfruns.client.transport import Transport
from tfruns.errors import NotFound
from tfruns.next_actions import Argument
from tfruns.wire.variables import Variable

_READ = Purpose("read variables")


class Variables:
    """The variables of workspaces."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list_for_workspace(self, workspace_id: str) -> Sequence[Variable]:
        """The variables of a workspace, including those of its variable sets if the API supports `all-vars`.

        Wire: GET /workspaces/{workspace_id}/all-vars -> 200; if that is 404, …/vars.

        Raises:
            NotFound, Forbidden: hidden from this token.
        """
        workspace_id = check_id("ws", workspace_id, what=(Argument("workspace_id"),))
        try:
            answer = await self._transport.get(api_path("workspaces", workspace_id, "all-vars"), purpose=_READ)
        except NotFound:  # an older Terraform Enterprise
            answer = await self._transport.get(api_path("workspaces", workspace_id, "vars"), purpose=_READ)
        return parse_many(Variable, answer.document)

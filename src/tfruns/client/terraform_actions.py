"""Actions that a workspace's configuration declares. Source: HCP Terraform API, "Terraform actions"."""

from tfruns.client.error_mapping import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.references import api_path
from tfruns.client.transport import Transport
from tfruns.client.workspaces import Workspaces
from tfruns.wire.terraform_actions import TerraformAction


class TerraformActions:
    """The actions of workspaces."""

    def __init__(self, transport: Transport, workspaces: Workspaces) -> None:
        self._transport = transport
        self._workspaces = workspaces

    def list_for_workspace(self, workspace: str) -> Listing[TerraformAction]:
        """The actions of a workspace. Their addresses are values for `invoke_action_addrs` of a new run.

        Wire: GET /workspaces/{workspace_id}/terraform-actions -> 200, a page.

        Raises, when read:
            NotFound: 404, absent, hidden from this token, or an API without actions.
        """

        async def path() -> str:
            return api_path("workspaces", await self._workspaces.resolve(workspace), "terraform-actions")

        return listing(self._transport, TerraformAction, path, {}, purpose=Purpose("read workspaces"))

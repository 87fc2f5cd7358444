"""Workspaces. Source: HCP Terraform API, "Workspaces"."""

from collections.abc import Sequence

from tfruns.client.faults import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.reading import read_one
from tfruns.client.references import WorkspaceId, api_path, check_organization, parse_workspace
from tfruns.client.transport import Transport, include_param
from tfruns.wire.workspaces import Workspace

_READ = Purpose("read workspaces")


class Workspaces:
    """The workspaces of HCP Terraform. One may be given by id, `organization/name`, bare name or browser address."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, workspace: str, *, include: Sequence[str] = ()) -> Workspace:
        """Read a workspace.

        Source: HCP Terraform API, "Show workspace".
        Wire: GET /workspaces/{id}, or GET /organizations/{organization}/workspaces/{name} -> 200, the workspace.

        Raises:
            InvalidInput: neither id, name nor address of a workspace; nothing was sent.
            NotFound: 404, absent, or hidden from this token.
        """
        settings = self._transport.settings
        found = parse_workspace(workspace, settings.address, settings.organization)
        if isinstance(found, WorkspaceId):
            path = api_path("workspaces", found.id)
        else:
            path = api_path("organizations", found.organization, "workspaces", found.name)
        answer = await self._transport.get(path, include_param(include), purpose=_READ)
        return read_one(Workspace, answer.document)

    async def resolve(self, workspace: str) -> str:
        """The id of a workspace; asks the API only if it is given by its name.

        Raises: as `read`.
        """
        settings = self._transport.settings
        found = parse_workspace(workspace, settings.address, settings.organization)
        return found.id if isinstance(found, WorkspaceId) else (await self.read(workspace)).id

    def list_for_organization(
        self, organization: str, *, search: str = "", include: Sequence[str] = ()
    ) -> Listing[Workspace]:
        """The workspaces of an organization that this token may see.

        Source: HCP Terraform API, "List workspaces".
        Wire: GET /organizations/{organization}/workspaces -> 200, a page, with totals.

        Args:
            organization: its name.
            search: a part of the workspace's name.
            include: related resources that come along, such as `current_run`.
        """
        path = api_path("organizations", check_organization(organization), "workspaces")
        query = {**({"search[name]": search} if search else {}), **include_param(include)}
        return listing(self._transport, Workspace, path, query, purpose=_READ)

"""Workspaces. Source: HCP Terraform API, "Workspaces"."""

from collections.abc import Mapping, Sequence

from tfruns.client.belonging import has_attributes, is_kind, is_resource
from tfruns.client.faults import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.reading import read_one
from tfruns.client.recovery import unknown_outcome
from tfruns.client.references import WorkspaceId, api_path, check_organization, check_workspace_name, parse_workspace
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import Expected, Transport, include_param
from tfruns.errors import OutcomeUnknown, TfrunsError, UnexpectedResponse
from tfruns.jsonapi import JSON, create_document
from tfruns.wire.workspaces import Workspace

_READ = Purpose("read workspaces")
_CREATE = Purpose("manage workspaces")


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
            path, is_answer = api_path("workspaces", found.id), is_resource("workspaces", found.id)
        else:  # which may be a former name, that the answer does not show
            path = api_path("organizations", found.organization, "workspaces", found.name)
            is_answer = is_kind("workspaces")
        answer = await self._transport.get(
            path,
            include_param(include),
            purpose=_READ,
            is_answer=is_answer,
            is_used_once=not isinstance(found, WorkspaceId),
        )
        return read_one(Workspace, answer.document)

    async def create(
        self,
        organization: str,
        name: str,
        *,
        auto_apply: bool | None = None,
        terraform_version: str | None = None,
        working_directory: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Workspace:
        """Create a workspace. What is not said is the API's to choose.

        Source: HCP Terraform API, "Create a Workspace".
        Wire: POST /organizations/{organization}/workspaces -> 201, the workspace.

        Args:
            organization: its name.
            name: of the workspace; no other of the organization has it.
            auto_apply: whether runs apply by themselves when their plan succeeds.
            terraform_version: an exact version, a constraint, or `latest`.
            working_directory: where in the configuration Terraform runs.
            tags: by key; a value may be empty.

        Raises:
            InvalidInput: a name that cannot be; nothing was sent.
            NotFound: 404, the organization is absent, or hidden from this token, which may not create workspaces.
            UnprocessableEntity: 422, the name is taken, or a value is not acceptable.
            OutcomeUnknown: the answer was lost.
        """
        path = api_path("organizations", check_organization(organization), "workspaces")
        options = {
            "auto-apply": auto_apply,
            "terraform-version": terraform_version,
            "working-directory": working_directory,
        }
        said: dict[str, JSON] = {key: value for key, value in options.items() if value is not None}
        body = create_document("workspaces", {"name": check_workspace_name(name), **said})
        if tags:
            bindings = [
                {"type": "tag-bindings", "attributes": {"key": key, "value": value}} for key, value in tags.items()
            ]
            body["data"]["relationships"] = {"tag-bindings": {"data": bindings}}
        try:
            expected = Expected(has_attributes("workspaces", {"name": name.strip()}))
            answer = await self._transport.post(path, body, expected=expected, purpose=_CREATE)
            return read_one(Workspace, answer.document)
        except AttemptFailed as failure:
            raise _unknown_creation(failure.error) from failure.error
        except UnexpectedResponse as error:
            raise _unknown_creation(error) from error

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


def _unknown_creation(error: TfrunsError) -> OutcomeUnknown:
    return unknown_outcome(
        error, "It is not known whether the workspace was created.", "Read the workspace by its name."
    )

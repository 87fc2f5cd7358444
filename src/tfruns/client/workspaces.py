"""Workspaces. Source: HCP Terraform API, "Workspaces"."""

from collections.abc import Mapping, Sequence

from tfruns.client.error_mapping import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.lost_responses import unknown_outcome
from tfruns.client.parsing import parse_one
from tfruns.client.references import WorkspaceId, api_path, check_organization, check_workspace_name, parse_workspace
from tfruns.client.response_matching import has_attributes, is_kind, is_resource
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import ExpectedResponse, Transport, include_param
from tfruns.errors import OutcomeUnknown, TfrunsError, UnexpectedResponse
from tfruns.jsonapi import JSON, create_document
from tfruns.wire.workspaces import Workspace

_READ = Purpose("read workspaces")
_CREATE = Purpose("manage workspaces")


class Workspaces:
    """Workspaces. A workspace is given by its id, `organization/name`, bare name or browser address."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, workspace: str, *, include: Sequence[str] = ()) -> Workspace:
        """Read a workspace.

        Source: HCP Terraform API, "Show workspace".
        Wire: GET /workspaces/{id}, or GET /organizations/{organization}/workspaces/{name} -> 200, the workspace.

        Raises:
            InvalidInput: not the id, name or address of a workspace; nothing was sent.
            NotFound: 404, absent, or hidden from this token.
        """
        settings = self._transport.settings
        found = parse_workspace(workspace, settings.address, settings.organization)
        if isinstance(found, WorkspaceId):
            path, matches = api_path("workspaces", found.id), is_resource("workspaces", found.id)
        else:  # it may be a former name, which the response does not contain
            path = api_path("organizations", found.organization, "workspaces", found.name)
            matches = is_kind("workspaces")
        answer = await self._transport.get(
            path,
            include_param(include),
            purpose=_READ,
            matches=matches,
            is_used_once=not isinstance(found, WorkspaceId),
        )
        return parse_one(Workspace, answer.document)

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
        """Create a workspace. The API chooses omitted settings.

        Source: HCP Terraform API, "Create a Workspace".
        Wire: POST /organizations/{organization}/workspaces -> 201, the workspace.

        Args:
            organization: the organization's name.
            name: the workspace's name, unique in the organization.
            auto_apply: whether runs apply automatically after a successful plan.
            terraform_version: an exact version, a constraint, or `latest`.
            working_directory: the directory in the configuration in which Terraform runs.
            tags: tag values by key; a value may be empty.

        Raises:
            InvalidInput: the name is malformed; nothing was sent.
            NotFound: 404, the organization is absent, or this token may not create workspaces in it.
            UnprocessableEntity: 422, the name is taken, or a value is invalid.
            OutcomeUnknown: the response was lost.
        """
        path = api_path("organizations", check_organization(organization), "workspaces")
        options = {
            "auto-apply": auto_apply,
            "terraform-version": terraform_version,
            "working-directory": working_directory,
        }
        given: dict[str, JSON] = {key: value for key, value in options.items() if value is not None}
        body = create_document("workspaces", {"name": check_workspace_name(name), **given})
        if tags:
            bindings = [
                {"type": "tag-bindings", "attributes": {"key": key, "value": value}} for key, value in tags.items()
            ]
            body["data"]["relationships"] = {"tag-bindings": {"data": bindings}}
        try:
            expected = ExpectedResponse(has_attributes("workspaces", {"name": name.strip()}))
            answer = await self._transport.post(path, body, expected=expected, purpose=_CREATE)
            return parse_one(Workspace, answer.document)
        except AttemptFailed as failure:
            raise _unknown_creation(failure.error) from failure.error
        except UnexpectedResponse as error:
            raise _unknown_creation(error) from error

    async def resolve(self, workspace: str) -> str:
        """The id of a workspace; sends a request only for a name.

        Raises: as `read`.
        """
        settings = self._transport.settings
        found = parse_workspace(workspace, settings.address, settings.organization)
        return found.id if isinstance(found, WorkspaceId) else (await self.read(workspace)).id

    def list_for_organization(
        self, organization: str, *, search: str = "", include: Sequence[str] = ()
    ) -> Listing[Workspace]:
        """The workspaces of an organization that this token can read.

        Source: HCP Terraform API, "List workspaces".
        Wire: GET /organizations/{organization}/workspaces -> 200, a page, with totals.

        Args:
            organization: the organization's name.
            search: a substring of the workspace's name.
            include: related resources to include, such as `current_run`.
        """
        path = api_path("organizations", check_organization(organization), "workspaces")
        query = {**({"search[name]": search} if search else {}), **include_param(include)}
        return listing(self._transport, Workspace, path, query, purpose=_READ)


def _unknown_creation(error: TfrunsError) -> OutcomeUnknown:
    return unknown_outcome(
        error, "It is not known whether the workspace was created.", "Read the workspace by its name."
    )

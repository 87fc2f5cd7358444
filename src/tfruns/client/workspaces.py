"""Workspaces. Source: HCP Terraform API, "Workspaces"."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from tfruns.client.error_mapping import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.lost_responses import unknown_outcome
from tfruns.client.parsing import parse_one
from tfruns.client.references import WorkspaceId, api_path, check_organization, check_workspace_name, parse_workspace
from tfruns.client.response_matching import has_attributes, is_kind, is_resource
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import NO_CONTENT, ExpectedResponse, Transport, include_param
from tfruns.errors import InvalidInput, NotFound, OutcomeUnknown, TfrunsError, UnexpectedResponse
from tfruns.jsonapi import JSON, create_document
from tfruns.next_actions import Argument
from tfruns.wire.workspaces import Workspace, WorkspaceResource

_READ = Purpose("read workspaces")
_CREATE = Purpose("manage workspaces")
_DELETE = Purpose("admin")
_LOCK = Purpose("lock and unlock workspaces")
_FORCE_UNLOCK = Purpose("admin")


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

    def location_of_new(self, workspace: str) -> tuple[str, str]:
        """The organization and the name of a workspace to create, from `organization/name` or a bare name.

        Raises:
            InvalidInput: it is an id, or a name is malformed.
        """
        settings = self._transport.settings
        found = parse_workspace(workspace, settings.address, settings.organization)
        if isinstance(found, WorkspaceId):
            raise InvalidInput(
                (Argument("workspace_id"), " is an id, and a new workspace has none yet."),
                solution="Use organization/name.",
            )
        return found.organization, found.name

    async def create(
        self,
        organization: str,
        name: str,
        *,
        description: str | None = None,
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
            description: a description for people.
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
            "description": description,
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

    async def update(
        self,
        workspace: str,
        *,
        name: str | None = None,
        description: str | None = None,
        auto_apply: bool | None = None,
        terraform_version: str | None = None,
        working_directory: str | None = None,
    ) -> Workspace:
        """Update the settings of a workspace. Omitted fields do not change.

        Source: HCP Terraform API, "Update a Workspace".
        Wire: PATCH /workspaces/{id} -> 200, the workspace.

        Raises:
            UnprocessableEntity: 422, the name is taken, or a value is invalid.
            NotFound: 404, absent, or this token may not change it.
            OutcomeUnknown: the response was lost.
        """
        options = {
            "name": None if name is None else check_workspace_name(name),
            "description": description,
            "auto-apply": auto_apply,
            "terraform-version": terraform_version,
            "working-directory": working_directory,
        }
        workspace_id = await self.resolve(workspace)
        given: dict[str, JSON] = {key: value for key, value in options.items() if value is not None}
        body: JSON = {"data": {"type": "workspaces", "id": workspace_id, "attributes": given}}
        expected = ExpectedResponse(is_resource("workspaces", workspace_id))
        try:
            path = api_path("workspaces", workspace_id)
            answer = await self._transport.patch(path, body, expected=expected, purpose=_CREATE)
            return parse_one(Workspace, answer.document)
        except AttemptFailed as failure:
            raise unknown_outcome(
                failure.error,
                "It is not known whether the workspace was changed.",
                "Read the workspace; to be sure, send the same change again.",
            ) from failure.error

    async def safe_delete(self, workspace: str) -> None:
        """Delete a workspace that manages no resources and is not locked, with its runs, states and variables.

        Source: HCP Terraform API, "Safe Delete a workspace".
        Wire: POST /workspaces/{id}/actions/safe-delete -> 204.

        Raises:
            Conflict: 409, it manages resources, or is locked.
            NotFound: 404, absent, or this token may not delete it.
            OutcomeUnknown: the response was lost, and the workspace still exists or cannot be read.
        """
        workspace_id = await self.resolve(workspace)
        path = api_path("workspaces", workspace_id, "actions", "safe-delete")
        try:
            await self._transport.post(path, {}, expected=NO_CONTENT, purpose=_DELETE)
        except AttemptFailed as failure:
            with suppress(TfrunsError):
                try:
                    await self.read(workspace_id)
                except NotFound:
                    return
            raise unknown_outcome(
                failure.error,
                "It is not known whether the workspace was deleted.",
                "Read the workspace: if it still exists, delete it again.",
            ) from failure.error

    def list_resources(self, workspace: str) -> Listing[WorkspaceResource]:
        """The resource instances in a workspace's current state.

        Source: HCP Terraform API, "Workspace Resources".
        Wire: GET /workspaces/{id}/resources -> 200, a page.
        """

        async def path() -> str:
            return api_path("workspaces", await self.resolve(workspace), "resources")

        return listing(self._transport, WorkspaceResource, path, {}, purpose=_READ)

    async def resolve(self, workspace: str) -> str:
        """The id of a workspace; sends a request only for a name.

        Raises: as `read`.
        """
        settings = self._transport.settings
        found = parse_workspace(workspace, settings.address, settings.organization)
        return found.id if isinstance(found, WorkspaceId) else (await self.read(workspace)).id

    async def lock(self, workspace: str, *, reason: str = "") -> Workspace:
        """Lock a workspace, so that no run starts in it. New runs are accepted, and wait.

        Source: HCP Terraform API, "Lock a workspace".
        Wire: POST /workspaces/{id}/actions/lock -> 200, the workspace.

        Raises:
            Conflict: 409, it is already locked, by a user or by a run.
            NotFound: 404, absent, or this token may not lock it.
            OutcomeUnknown: the response was lost, and the workspace does not show the lock.
        """
        return await self._change_lock(workspace, "lock", {"reason": reason} if reason else {}, _LOCK)

    async def unlock(self, workspace: str) -> Workspace:
        """Remove this user's lock. Runs that waited for it start.

        Source: HCP Terraform API, "Unlock a workspace".
        Wire: POST /workspaces/{id}/actions/unlock -> 200, the workspace.

        Raises:
            Conflict: 409, it is not locked, or is locked by a run or another user.
            NotFound: 404, absent, or this token may not unlock it.
            OutcomeUnknown: the response was lost, and the workspace is still locked or cannot be read.
        """
        return await self._change_lock(workspace, "unlock", {}, _LOCK)

    async def force_unlock(self, workspace: str) -> Workspace:
        """Remove the lock of any user. Runs that waited for it start.

        Source: HCP Terraform API, "Force Unlock a workspace".
        Wire: POST /workspaces/{id}/actions/force-unlock -> 200, the workspace.

        Raises: as `unlock`; `Forbidden` or `NotFound` without admin permission on the workspace.
        """
        return await self._change_lock(workspace, "force-unlock", {}, _FORCE_UNLOCK)

    async def _change_lock(self, workspace: str, action: str, body: JSON, purpose: Purpose) -> Workspace:
        workspace_id = await self.resolve(workspace)
        path = api_path("workspaces", workspace_id, "actions", action)
        try:
            expected = ExpectedResponse(is_resource("workspaces", workspace_id))
            answer = await self._transport.post(path, body, expected=expected, purpose=purpose)
            return parse_one(Workspace, answer.document)
        except AttemptFailed as failure:
            return await self._after_lost_lock(workspace_id, action, body, failure.error)

    async def _after_lost_lock(self, workspace_id: str, action: str, body: JSON, error: TfrunsError) -> Workspace:
        """The workspace, if it shows the effect of a change of its lock whose response was lost.

        Another user may have set a lock without a reason, so only the given reason proves that the lock is this one.
        """
        found: Workspace | None = None
        with suppress(TfrunsError):
            found = await self.read(workspace_id)
        reason = body.get("reason")
        if found is not None:
            has_reason = bool(reason) and found.locked_reason == reason
            if has_reason if action == "lock" else found.locked is False:
                return found
        now = "it could not be read" if found is None else "it is locked" if found.locked else "it is not locked"
        raise unknown_outcome(
            error,
            f"It is not known whether the {action} of the workspace took effect; {now}.",
            "Read the workspace again in a moment, before you repeat the change.",
        ) from error

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

"""State versions and their outputs. Source: HCP Terraform API, "State Versions", "State Version Outputs"."""

from collections.abc import Sequence

from tfruns.client.error_mapping import Purpose
from tfruns.client.listing import Listing, Page, listing
from tfruns.client.lost_responses import unknown_outcome
from tfruns.client.parsing import parse_one
from tfruns.client.references import api_path, check_id
from tfruns.client.response_matching import is_kind, is_resource
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import ExpectedResponse, Transport, include_param
from tfruns.client.workspaces import Workspaces
from tfruns.errors import OutcomeUnknown, TfrunsError, UnexpectedResponse
from tfruns.next_actions import Argument
from tfruns.wire.state_versions import StateVersion, StateVersionOutput

_READ = Purpose("read state versions")
_READ_OUTPUTS = Purpose("read state outputs")
_WRITE = Purpose("read and write state versions")


class StateVersions:
    """The state versions of workspaces."""

    def __init__(self, transport: Transport, workspaces: Workspaces) -> None:
        self._transport = transport
        self._workspaces = workspaces

    async def read(self, state_version_id: str, *, include: Sequence[str] = ()) -> StateVersion:
        """Read a state version. The content is not read.

        Wire: GET /state-versions/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_id("sv", state_version_id, what=(Argument("state_version_id"),))
        answer = await self._transport.get(
            api_path("state-versions", id_),
            include_param(include),
            purpose=_READ,
            matches=is_resource("state-versions", id_),
        )
        return parse_one(StateVersion, answer.document)

    async def read_current(self, workspace: str) -> StateVersion:
        """Read the current state version of a workspace.

        Wire: GET /workspaces/{workspace_id}/current-state-version -> 200.

        Raises:
            NotFound: 404, the workspace has no state, or it is absent or hidden from this token.
        """
        path = api_path("workspaces", await self._workspaces.resolve(workspace), "current-state-version")
        answer = await self._transport.get(path, purpose=_READ, matches=is_kind("state-versions"), is_used_once=True)
        return parse_one(StateVersion, answer.document)

    def list_for_workspace(self, workspace: str) -> Listing[StateVersion]:
        """The state versions of a workspace, newest first.

        The API filters them by the names of the organization and workspace, so the workspace is read first.

        Source: HCP Terraform API, "List State Versions".
        Wire: GET /state-versions?filter[organization][name]=…&filter[workspace][name]=… -> 200, a page, with totals.
        """

        async def read_page(number: int, size: int) -> Page[StateVersion]:
            found = await self._workspaces.read(workspace)
            if found.organization is None or found.name is None:
                raise UnexpectedResponse(
                    "The workspace has no name or organization, by which the API lists its states."
                )
            names = {"filter[organization][name]": found.organization.id, "filter[workspace][name]": found.name}
            states = listing(self._transport, StateVersion, api_path("state-versions"), names, purpose=_READ)
            return await states.page(number, size=size)

        return Listing(read_page)

    def list_current_outputs(self, workspace: str) -> Listing[StateVersionOutput]:
        """The outputs of a workspace's current state. The value of a sensitive output is None.

        Source: HCP Terraform API, "Show Current State Version Outputs for a Workspace".
        Wire: GET /workspaces/{workspace_id}/current-state-version-outputs -> 200, a page.

        Raises, when read:
            NotFound: 404, the workspace has no state, or it is absent or hidden from this token.
        """

        async def path() -> str:
            return api_path("workspaces", await self._workspaces.resolve(workspace), "current-state-version-outputs")

        return listing(self._transport, StateVersionOutput, path, {}, purpose=_READ_OUTPUTS)

    async def roll_back(self, workspace: str, state_version_id: str) -> StateVersion:
        """Make a copy of an earlier state version the current state. Real resources are not changed.

        Source: HCP Terraform API, "Rollback to a Previous State Version".
        Wire: PATCH /workspaces/{workspace_id}/state-versions -> 201, the new state version.

        Raises:
            Conflict: 409, the workspace is not locked by this user.
            NotFound: 404, absent, of another workspace, or hidden from this token.
            OutcomeUnknown: the response was lost.
        """
        id_ = check_id("sv", state_version_id, what=(Argument("state_version_id"),))
        path = api_path("workspaces", await self._workspaces.resolve(workspace), "state-versions")
        source = {"data": {"type": "state-versions", "id": id_}}
        body = {"data": {"type": "state-versions", "relationships": {"rollback-state-version": source}}}
        try:
            expected = ExpectedResponse(is_kind("state-versions"))
            answer = await self._transport.patch(path, body, expected=expected, purpose=_WRITE)
            return parse_one(StateVersion, answer.document)
        except AttemptFailed as failure:
            raise _unknown_rollback(failure.error) from failure.error
        except UnexpectedResponse as error:
            raise _unknown_rollback(error) from error


def _unknown_rollback(error: TfrunsError) -> OutcomeUnknown:
    return unknown_outcome(
        error,
        "It is not known whether the state was rolled back.",
        "List the state versions: a rollback adds one. The workspace stays locked.",
    )

"""The variables of a workspace. Source: HCP Terraform API, "Workspace Variables", "Variable Sets"."""

from collections.abc import Sequence
from contextlib import suppress

from tfruns.client.error_mapping import Purpose
from tfruns.client.lost_responses import unknown_outcome
from tfruns.client.parsing import parse_many, parse_one
from tfruns.client.references import api_path, check_id
from tfruns.client.response_matching import has_attributes, is_resource
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import ApiResponse, ExpectedResponse, Transport
from tfruns.errors import NotFound, OutcomeUnknown, TfrunsError
from tfruns.jsonapi import JSON, create_document
from tfruns.next_actions import Argument
from tfruns.wire.variables import Variable

_READ = Purpose("read variables")
_WRITE = Purpose("read and write variables")


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
        return parse_many(Variable, (await self._list(workspace_id)).document)

    async def _list(self, workspace_id: str) -> ApiResponse:
        try:
            return await self._transport.get(api_path("workspaces", workspace_id, "all-vars"), purpose=_READ)
        except NotFound:  # an older Terraform Enterprise
            return await self._transport.get(api_path("workspaces", workspace_id, "vars"), purpose=_READ)

    async def list_own(self, workspace_id: str) -> Sequence[Variable]:
        """The variables of a workspace itself, without those of its variable sets.

        Wire: GET /workspaces/{workspace_id}/vars -> 200.

        Raises:
            NotFound, Forbidden: hidden from this token.
        """
        path = api_path("workspaces", check_id("ws", workspace_id, what=(Argument("workspace_id"),)), "vars")
        return parse_many(Variable, (await self._transport.get(path, purpose=_READ)).document)

    async def create(
        self,
        workspace_id: str,
        key: str,
        value: str,
        *,
        category: str = "terraform",
        hcl: bool | None = None,
        sensitive: bool | None = None,
        description: str | None = None,
    ) -> Variable:
        """Create a variable of a workspace.

        Source: HCP Terraform API, "Create a Variable".
        Wire: POST /workspaces/{workspace_id}/vars -> 201, the variable.

        Args:
            workspace_id: the workspace's id.
            key: the name.
            value: the value; with `hcl`, an HCL expression.
            category: `terraform`, or `env` for an environment variable.
            hcl: whether the value is an HCL expression; the API's default is false.
            sensitive: whether the API never returns the value; the API's default is false.
            description: a description for people.

        Raises:
            UnprocessableEntity: 422, the key is taken, or a value is invalid.
            NotFound: 404, absent, or this token may not change variables.
            OutcomeUnknown: the response was lost.
        """
        path = api_path("workspaces", check_id("ws", workspace_id, what=(Argument("workspace_id"),)), "vars")
        options = {"hcl": hcl, "sensitive": sensitive, "description": description}
        given: dict[str, JSON] = {name: option for name, option in options.items() if option is not None}
        body = create_document("vars", {"key": key, "value": value, "category": category, **given})
        expected = ExpectedResponse(has_attributes("vars", {"key": key, "category": category}))
        try:
            answer = await self._transport.post(path, body, expected=expected, purpose=_WRITE)
        except AttemptFailed as failure:
            raise _unknown_change(failure.error, "created") from failure.error
        return parse_one(Variable, answer.document)

    async def update(
        self,
        workspace_id: str,
        variable_id: str,
        *,
        value: str | None = None,
        hcl: bool | None = None,
        sensitive: bool | None = None,
        description: str | None = None,
    ) -> Variable:
        """Update a variable of a workspace. Omitted fields do not change.

        Source: HCP Terraform API, "Update Variables".
        Wire: PATCH /workspaces/{workspace_id}/vars/{variable_id} -> 200, the variable.

        Raises:
            UnprocessableEntity: 422, a value is invalid, or a sensitive variable would become readable.
            NotFound: 404, absent, or this token may not change variables.
            OutcomeUnknown: the response was lost.
        """
        path, id_ = self._path(workspace_id, variable_id)
        options = {"value": value, "hcl": hcl, "sensitive": sensitive, "description": description}
        given: dict[str, JSON] = {name: option for name, option in options.items() if option is not None}
        body: JSON = {"data": {"type": "vars", "id": id_, "attributes": given}}
        expected = ExpectedResponse(is_resource("vars", id_))
        try:
            answer = await self._transport.patch(path, body, expected=expected, purpose=_WRITE)
        except AttemptFailed as failure:
            raise _unknown_change(failure.error, "changed") from failure.error
        return parse_one(Variable, answer.document)

    async def delete(self, workspace_id: str, variable_id: str) -> None:
        """Delete a variable of a workspace.

        Source: HCP Terraform API, "Delete Variables".
        Wire: DELETE /workspaces/{workspace_id}/vars/{variable_id} -> 204.

        Raises:
            NotFound: 404, absent, or this token may not change variables.
            OutcomeUnknown: the response was lost, and the variable still exists or cannot be read.
        """
        path, id_ = self._path(workspace_id, variable_id)
        try:
            await self._transport.delete(path, purpose=_WRITE)
        except AttemptFailed as failure:
            with suppress(TfrunsError):
                if all(variable.id != id_ for variable in await self.list_own(workspace_id)):
                    return
            raise _unknown_change(failure.error, "deleted") from failure.error

    def _path(self, workspace_id: str, variable_id: str) -> tuple[str, str]:
        id_ = check_id("var", variable_id)
        return api_path("workspaces", check_id("ws", workspace_id), "vars", id_), id_


def _unknown_change(error: TfrunsError, verb: str) -> OutcomeUnknown:
    return unknown_outcome(
        error,
        f"It is not known whether the variable was {verb}.",
        "List the variables; the value of a sensitive one is not shown. To be sure, send the same change again.",
    )

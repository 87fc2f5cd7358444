"""Configuration versions. Source: HCP Terraform API, "Configuration Versions"."""

from typing import BinaryIO

from tfruns.client.error_mapping import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.lost_responses import unknown_outcome
from tfruns.client.parsing import parse_one
from tfruns.client.references import api_path, check_id
from tfruns.client.response_matching import has_attributes, is_resource
from tfruns.client.retries import AttemptFailed
from tfruns.client.transport import ExpectedResponse, Transport
from tfruns.client.workspaces import Workspaces
from tfruns.errors import ConnectionFailed, OutcomeUnknown, TfrunsError, UnexpectedResponse, UnprocessableEntity
from tfruns.jsonapi import JSON, create_document
from tfruns.vocabulary import ConfigurationStatus
from tfruns.wire.configuration_versions import ConfigurationVersion

_READ = Purpose("read runs")
_CREATE = Purpose("queue plans")
_POLL_S = 0.5  # the interval of the Terraform CLI


class ConfigurationVersions:
    """The configuration versions of workspaces."""

    def __init__(self, transport: Transport, workspaces: Workspaces) -> None:
        self._transport = transport
        self._workspaces = workspaces

    async def read(self, configuration_version_id: str) -> ConfigurationVersion:
        """Read a configuration version.

        Wire: GET /configuration-versions/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_id("cv", configuration_version_id)
        answer = await self._transport.get(
            api_path("configuration-versions", id_), purpose=_READ, matches=is_resource("configuration-versions", id_)
        )
        return parse_one(ConfigurationVersion, answer.document)

    async def create(
        self,
        workspace: str,
        *,
        auto_queue_runs: bool | None = None,
        speculative: bool | None = None,
        provisional: bool | None = None,
    ) -> ConfigurationVersion:
        """Create a configuration version, to which files can be uploaded. `upload_url` is returned only here.

        Source: HCP Terraform API, "Create a Configuration Version".
        Wire: POST /workspaces/{workspace_id}/configuration-versions -> 201, the configuration version.

        Args:
            workspace: id, `organization/name`, bare name, or browser address.
            auto_queue_runs: whether the upload queues a run; the API's default is true.
            speculative: whether it is only for plan-only runs.
            provisional: whether it becomes the workspace's current one only after a run of it is applied.

        Raises:
            NotFound: 404, absent, or hidden from this token.
            OutcomeUnknown: the response was lost. A configuration version without files has no effect: create another.
        """
        options = {"auto-queue-runs": auto_queue_runs, "speculative": speculative, "provisional": provisional}
        attributes: dict[str, JSON] = {name: value for name, value in options.items() if value is not None}
        path = api_path("workspaces", await self._workspaces.resolve(workspace), "configuration-versions")
        body = create_document("configuration-versions", attributes)
        try:
            expected = ExpectedResponse(has_attributes("configuration-versions", attributes))
            answer = await self._transport.post(path, body, expected=expected, purpose=_CREATE)
            return parse_one(ConfigurationVersion, answer.document)
        except AttemptFailed as failure:
            raise _unknown_creation(failure.error) from failure.error
        except UnexpectedResponse as error:
            raise _unknown_creation(error) from error

    async def upload(self, version: ConfigurationVersion, archive: BinaryIO) -> None:
        """Upload the files of a configuration version that was just created.

        Source: HCP Terraform API, "Upload Configuration Files".
        Wire: PUT {upload_url} -> 200; without the token.

        Args:
            version: as `create` returned it.
            archive: a gzip tar, open for reading, that can be read from its beginning more than once.

        Raises:
            OutcomeUnknown: the answer was lost, and the configuration version cannot be read.
            TfrunsError: the upload failed, and the configuration version still waits for its files.
        """
        if not version.upload_url:
            raise UnexpectedResponse("The API returned no URL for the upload.")
        try:
            await self._transport.upload(version.upload_url, archive)
        except TfrunsError as failure:
            if isinstance(failure, ConnectionFailed):
                raise  # nothing was sent
            try:
                now = await self.read(version.id)
            except TfrunsError:
                raise _unknown_upload(failure) from failure
            if now.status == ConfigurationStatus.PENDING:
                raise  # otherwise the files arrived, and only the response was lost

    async def wait_until_processed(
        self, configuration_version_id: str, *, timeout_s: float = 30.0
    ) -> ConfigurationVersion:
        """Wait until uploaded files are processed, and return the configuration version; after the timeout, as it is.

        Wire: GET /configuration-versions/{id} -> 200, every 0.5 s.

        Raises:
            UnprocessableEntity: the files were rejected.
            NotFound: 404, absent, or hidden from this token.
        """
        clock = self._transport.clock
        deadline = clock.monotonic() + timeout_s
        while True:
            version = await self.read(configuration_version_id)
            if version.status == ConfigurationStatus.ERRORED:
                reason = version.error_message or version.error or "no reason was given"
                raise UnprocessableEntity(f"The configuration was rejected: {reason}")
            if version.status not in ConfigurationStatus.unprocessed() or clock.monotonic() + _POLL_S > deadline:
                return version
            await clock.sleep(_POLL_S)

    def list_for_workspace(self, workspace: str) -> Listing[ConfigurationVersion]:
        """The configuration versions of a workspace, newest first.

        Wire: GET /workspaces/{workspace_id}/configuration-versions -> 200, a page, with totals.
        """

        async def path() -> str:
            return api_path("workspaces", await self._workspaces.resolve(workspace), "configuration-versions")

        return listing(self._transport, ConfigurationVersion, path, {}, purpose=_READ)


def _unknown_upload(error: TfrunsError) -> OutcomeUnknown:
    return unknown_outcome(
        error,
        "It is not known whether the files arrived.",
        "Read the configuration version: while it is pending, they did not, and can be uploaded again.",
    )


def _unknown_creation(error: TfrunsError) -> OutcomeUnknown:
    return unknown_outcome(
        error,
        "It is not known whether the configuration version was created.",
        "One without files has no effect: create it again.",
    )

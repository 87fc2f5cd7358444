"""Configuration versions. Source: HCP Terraform API, "Configuration Versions"."""

from tfruns.client.faults import Purpose
from tfruns.client.listing import Listing, listing
from tfruns.client.reading import read_one
from tfruns.client.references import api_path, check_id
from tfruns.client.transport import Transport
from tfruns.client.workspaces import Workspaces
from tfruns.wire.configuration_versions import ConfigurationVersion

_READ = Purpose("read runs")


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
        path = api_path("configuration-versions", check_id("cv", configuration_version_id))
        answer = await self._transport.get(path, purpose=_READ)
        return read_one(ConfigurationVersion, answer.document)

    def list_for_workspace(self, workspace: str) -> Listing[ConfigurationVersion]:
        """The configuration versions of a workspace, the newest first.

        Wire: GET /workspaces/{workspace_id}/configuration-versions -> 200, a page, with totals.
        """

        async def path() -> str:
            return api_path("workspaces", await self._workspaces.resolve(workspace), "configuration-versions")

        return listing(self._transport, ConfigurationVersion, path, {}, purpose=_READ)

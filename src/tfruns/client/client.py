"""The client: one connection pool, with the API's resources as attributes."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from tfruns.client.activity import Account, Comments, RunEvents
from tfruns.client.assessments import Assessments
from tfruns.client.checks import CostEstimates, PolicyChecks, TaskStages
from tfruns.client.clock import Clock
from tfruns.client.configuration_versions import ConfigurationVersions
from tfruns.client.organizations import Organizations
from tfruns.client.phases import Applies, Plans
from tfruns.client.ping import PingResult, ping
from tfruns.client.runs import Runs
from tfruns.client.settings import Settings, load_settings
from tfruns.client.state_versions import StateVersions
from tfruns.client.terraform_actions import TerraformActions
from tfruns.client.transport import Transport
from tfruns.client.variables import Variables
from tfruns.client.workspaces import Workspaces

T = TypeVar("T")


class Client:
    """A client of HCP Terraform, Terraform Enterprise or the local backend.

        async with Client() as client:
            async for run in client.runs.list_for_workspace("my-organization/my-workspace"):
                print(run.id, run.status)

    Creating it does no I/O. Connections are opened on first use, kept alive, and shared by all calls of one event loop.
    A client without a token can be created, too; each of its calls raises `NoCredentials`.

    Args:
        address: address of the API; by default `TFE_ADDRESS`, `TFC_ADDRESS`, or HCP Terraform.
        token: API token; by default the first that `tfruns.client.credentials` finds.
        organization: organization of bare workspace names; by default `TF_CLOUD_ORGANIZATION`
            or `TFE_ORGANIZATION`.
        ca_file: private certificate authorities, in addition to the machine's; by default `TFE_CA_FILE`.
        http_transport: replaces the network, in tests or for an in-process ASGI application.
        clock: replaces the system clock in tests.

    Raises:
        InvalidInput: the address is invalid, or is plain HTTP to another machine.
    """

    def __init__(
        self,
        address: str | None = None,
        token: str | None = None,
        *,
        organization: str | None = None,
        ca_file: str | Path | None = None,
        http_transport: httpx2.AsyncBaseTransport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings: Settings = load_settings(address, token, organization=organization, ca_file=ca_file)
        transport = Transport(self.settings, http_transport=http_transport, clock=clock)
        self._transport = transport
        self.clock: Clock = transport.clock
        self.organizations = Organizations(transport)
        self.workspaces = Workspaces(transport)
        self.plans = Plans(transport)
        self.applies = Applies(transport)
        self.runs = Runs(transport, self.workspaces, self.plans, self.applies)
        self.configuration_versions = ConfigurationVersions(transport, self.workspaces)
        self.comments = Comments(transport)
        self.run_events = RunEvents(transport)
        self.policy_checks = PolicyChecks(transport)
        self.cost_estimates = CostEstimates(transport)
        self.task_stages = TaskStages(transport)
        self.variables = Variables(transport)
        self.state_versions = StateVersions(transport, self.workspaces)
        self.terraform_actions = TerraformActions(transport, self.workspaces)
        self.assessments = Assessments(transport, self.workspaces)
        self.account = Account(transport)
        self._derived: dict[type, Any] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def derived(self, kind: type[T]) -> T:
        """The one object of this class that belongs to this client, created by the first call.

        It holds what a caller derives from the answers to this client's token. Any thread may call this.
        """
        found: T | None = self._derived.get(kind)
        return self._derived.setdefault(kind, kind()) if found is None else found

    async def ping(self) -> PingResult:
        """Ping the API, once and without a token.

        Wire: GET /ping -> 204.

        Raises:
            TfrunsError: there was no response.
        """
        return await ping(self._transport)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

"""The client: one connection pool, and the API's resources as attributes."""

from pathlib import Path
from types import TracebackType
from typing import Self

import httpx2

from tfruns.client.activity import Account, Comments, RunEvents
from tfruns.client.checks import CostEstimates, PolicyChecks, TaskStages
from tfruns.client.clock import Clock
from tfruns.client.configuration_versions import ConfigurationVersions
from tfruns.client.organizations import Organizations
from tfruns.client.phases import Applies, Plans
from tfruns.client.probing import Greeting, ping
from tfruns.client.runs import Runs
from tfruns.client.settings import Settings, load_settings
from tfruns.client.transport import Transport
from tfruns.client.variables import Variables
from tfruns.client.workspaces import Workspaces


class Client:
    """A client of HCP Terraform, Terraform Enterprise or the local backend.

        async with Client() as client:
            async for run in client.runs.list_for_workspace("my-organization/my-workspace"):
                print(run.id, run.status)

    It is made without I/O; connections are opened when they are first needed, kept alive, and shared by all calls of
    one event loop. Without a token it can be made too: each call then raises `NoCredentials`.

    Args:
        address: of the API; by default `TFE_ADDRESS`, `TFC_ADDRESS`, or HCP Terraform.
        token: for the API; by default the first that `tfruns.client.credentials` finds.
        organization: that bare workspace names belong to; by default `TF_CLOUD_ORGANIZATION`.
        ca_file: private certificate authorities, in addition to the machine's; by default `TFE_CA_FILE`.
        http_transport: what carries requests instead of the network (a test, or an ASGI application in process).
        clock: the time, for tests.

    Raises:
        InvalidInput: an address that cannot be, or plain HTTP to another machine.
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
        self.runs = Runs(transport, self.workspaces)
        self.plans = Plans(transport)
        self.applies = Applies(transport)
        self.configuration_versions = ConfigurationVersions(transport, self.workspaces)
        self.comments = Comments(transport)
        self.run_events = RunEvents(transport)
        self.policy_checks = PolicyChecks(transport)
        self.cost_estimates = CostEstimates(transport)
        self.task_stages = TaskStages(transport)
        self.variables = Variables(transport)
        self.account = Account(transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def ping(self) -> Greeting:
        """Ask the API whether it is there, once and without a token.

        Wire: GET /ping -> 204.

        Raises:
            TfrunsError: there is no answer.
        """
        return await ping(self._transport)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

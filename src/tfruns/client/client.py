"""The client: one connection pool, with the API's resources as attributes."""

from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import httpx2

from tfruns.client.clock import Clock
from tfruns.client.ping import PingResult, ping
from tfruns.client.settings import Settings, load_settings
from tfruns.client.transport import Transport

if TYPE_CHECKING:
    from tfruns.client.activity import Account, Comments, RunEvents
    from tfruns.client.assessments import Assessments
    from tfruns.client.checks import CostEstimates, PolicyChecks, TaskStages, TfPolicyEvaluations
    from tfruns.client.configuration_versions import ConfigurationVersions
    from tfruns.client.organizations import Organizations
    from tfruns.client.phases import Applies, Plans
    from tfruns.client.runs import Runs
    from tfruns.client.state_versions import StateVersions
    from tfruns.client.terraform_actions import TerraformActions
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

    # -- the resources, each imported on first use, because a command or a tool uses few of them -----------------------

    @cached_property
    def organizations(self) -> "Organizations":
        from tfruns.client.organizations import Organizations

        return Organizations(self._transport)

    @cached_property
    def workspaces(self) -> "Workspaces":
        from tfruns.client.workspaces import Workspaces

        return Workspaces(self._transport)

    @cached_property
    def plans(self) -> "Plans":
        from tfruns.client.phases import Plans

        return Plans(self._transport)

    @cached_property
    def applies(self) -> "Applies":
        from tfruns.client.phases import Applies

        return Applies(self._transport)

    @cached_property
    def runs(self) -> "Runs":
        from tfruns.client.runs import Runs

        return Runs(self._transport, self.workspaces, self.plans, self.applies)

    @cached_property
    def configuration_versions(self) -> "ConfigurationVersions":
        from tfruns.client.configuration_versions import ConfigurationVersions

        return ConfigurationVersions(self._transport, self.workspaces)

    @cached_property
    def comments(self) -> "Comments":
        from tfruns.client.activity import Comments

        return Comments(self._transport)

    @cached_property
    def run_events(self) -> "RunEvents":
        from tfruns.client.activity import RunEvents

        return RunEvents(self._transport)

    @cached_property
    def policy_checks(self) -> "PolicyChecks":
        from tfruns.client.checks import PolicyChecks

        return PolicyChecks(self._transport)

    @cached_property
    def cost_estimates(self) -> "CostEstimates":
        from tfruns.client.checks import CostEstimates

        return CostEstimates(self._transport)

    @cached_property
    def task_stages(self) -> "TaskStages":
        from tfruns.client.checks import TaskStages

        return TaskStages(self._transport)

    @cached_property
    def tf_policy_evaluations(self) -> "TfPolicyEvaluations":
        from tfruns.client.checks import TfPolicyEvaluations

        return TfPolicyEvaluations(self._transport)

    @cached_property
    def variables(self) -> "Variables":
        from tfruns.client.variables import Variables

        return Variables(self._transport)

    @cached_property
    def state_versions(self) -> "StateVersions":
        from tfruns.client.state_versions import StateVersions

        return StateVersions(self._transport, self.workspaces)

    @cached_property
    def terraform_actions(self) -> "TerraformActions":
        from tfruns.client.terraform_actions import TerraformActions

        return TerraformActions(self._transport, self.workspaces)

    @cached_property
    def assessments(self) -> "Assessments":
        from tfruns.client.assessments import Assessments

        return Assessments(self._transport, self.workspaces)

    @cached_property
    def account(self) -> "Account":
        from tfruns.client.activity import Account

        return Account(self._transport)

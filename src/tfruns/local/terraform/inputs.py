"""What a phase is given, and what comes of it."""

from dataclasses import dataclass, field
from pathlib import Path

from tfruns.local.terraform.api_access import ApiAccess
from tfruns.local.terraform.directory import RunDirectory
from tfruns.local.terraform.environment import OperatorSettings, RunIdentity
from tfruns.local.terraform.executable import Terraform
from tfruns.local.terraform.plan_json import ResourceCounts
from tfruns.local.terraform.state import State
from tfruns.local.terraform.variables import VariableValue, sensitive_texts
from tfruns.masking.redaction import REMOVED
from tfruns.masking.secrets import Secrets
from tfruns.vocabulary import PhaseStatus


@dataclass(frozen=True, kw_only=True)
class ApplyInputs:
    """What both phases need.

    Attributes:
        terraform: what to run.
        directory: the run's own directory, absolute; the same for plan and apply. The plan makes it.
        run: its name in its environment.
        working_directory: where in the configuration Terraform runs.
        variables: the workspace's Terraform variables.
        run_variables: the run's own, which override them; HCL literals.
        environment: the workspace's environment variables.
        debugging_mode: whether Terraform's own trace goes into the log.
        is_text: whether the log is text instead of Terraform's machine-readable output; see `human`.
        settings: the operator's.
        limit_s: seconds that a command may take.
        api: how Terraform reaches the server's API; None where the backend has no address.
    """

    terraform: Terraform
    directory: Path
    run: RunIdentity
    working_directory: str = ""
    variables: tuple[VariableValue, ...] = ()
    run_variables: tuple[VariableValue, ...] = ()
    environment: tuple[VariableValue, ...] = ()
    debugging_mode: bool = False
    is_text: bool = False
    settings: OperatorSettings = field(default_factory=OperatorSettings)
    limit_s: float | None = None
    api: ApiAccess | None = None

    @property
    def run_dir(self) -> RunDirectory:
        return RunDirectory(self.directory, self.run.workspace_name, self.working_directory)

    @property
    def secret_texts(self) -> list[str]:
        """The values of sensitive variables, and the run's own token."""
        own = [self.api.token] if self.api is not None else []
        return [*own, *sensitive_texts((*self.variables, *self.run_variables, *self.environment))]

    @property
    def secrets(self) -> Secrets:
        """The texts that are kept out of the log."""
        return Secrets(of_variables=self.secret_texts, replacement=REMOVED)


@dataclass(frozen=True, kw_only=True)
class PlanInputs(ApplyInputs):
    """What only the plan needs.

    Attributes:
        archive: the configuration, a gzip tar.
        state: the workspace's current state, if it has one.

    The others are the run's options, as the API calls them.
    """

    archive: Path
    state: bytes | None = field(default=None, repr=False)
    is_destroy: bool = False
    refresh: bool = True
    refresh_only: bool = False
    target_addrs: tuple[str, ...] = ()
    replace_addrs: tuple[str, ...] = ()
    allow_config_generation: bool = False
    invoke_action_addrs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PlanOutcome:
    """How a plan ended.

    Attributes:
        status: finished, errored or canceled.
        exit_code: of the last command, if there was one.
        counts: what it would change, and whether that is anything; None without a plan.
        has_changes: as above; a change of outputs alone is one.
        plan_json: the plan as JSON; None without a plan. An errored one may exist, for the configuration in it.
        redacted_json: the same for the Terraform CLI, without sensitive values.
        has_generated_configuration: whether Terraform wrote configuration for imports.
        error: what went wrong, in Terraform's words where there are any; secrets removed.
    """

    status: PhaseStatus
    exit_code: int | None = None
    counts: ResourceCounts | None = None
    has_changes: bool | None = None
    plan_json: Path | None = None
    redacted_json: Path | None = None
    has_generated_configuration: bool = False
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class ApplyOutcome:
    """How an apply ended.

    Attributes:
        status: finished, errored or canceled. An apply that succeeded before it noticed a cancel is finished.
        exit_code: of Terraform, if it ran.
        counts: what it has changed, also if it failed halfway.
        state: the state as Terraform left it, however it ended; None if it is the one that the plan was given.
        error: what went wrong, in Terraform's words where there are any; secrets removed.
    """

    status: PhaseStatus
    exit_code: int | None = None
    counts: ResourceCounts = ResourceCounts()  # noqa: RUF009  # frozen
    state: State | None = None
    error: str | None = None

"""The inputs and outcomes of a plan and an apply."""

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
    """The inputs of an apply, which a plan has, too.

    Attributes:
        terraform: the executable.
        directory: the absolute path of the run's directory. The plan creates it, and the apply uses it.
        run: the identity of the run in its environment.
        working_directory: Terraform's working directory, relative to the configuration.
        variables: the Terraform variables of the workspace.
        run_variables: the variables of the run, as HCL literals, which override those of the workspace.
        environment: the environment variables of the workspace.
        debugging_mode: whether the log contains Terraform's trace.
        is_text: whether the log is text instead of Terraform's machine-readable output; see `plain_text`.
        settings: the operator's settings.
        limit_s: the maximum duration of a command in seconds; None for no limit.
        api: gives access to the server's API; None if the backend has no address.
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
        """The values of the sensitive variables, and the token of the run."""
        own = [self.api.token] if self.api is not None else []
        return [*own, *sensitive_texts((*self.variables, *self.run_variables, *self.environment))]

    @property
    def secrets(self) -> Secrets:
        """The secrets to mask in the log."""
        return Secrets(of_variables=self.secret_texts, replacement=REMOVED)


@dataclass(frozen=True, kw_only=True)
class PlanInputs(ApplyInputs):
    """The inputs of a plan.

    Attributes:
        archive: the configuration, a gzip-compressed tar archive.
        state: the current state of the workspace; None if it has none.

    The other attributes are the options of the run, with their names in the API.
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
    """The outcome of a plan.

    Attributes:
        status: finished, errored or canceled.
        exit_code: the exit code of the last command; None if none ran.
        counts: the numbers of planned changes; None without a plan.
        has_changes: whether the plan changes anything, including outputs; None without a plan.
        plan_json: the file of the JSON plan; None without a plan. An errored plan can have one with its configuration.
        redacted_json: the file of the redacted JSON plan, which the Terraform CLI renders.
        has_generated_configuration: whether Terraform generated configuration for imports.
        error: the error message, Terraform's own if it reported one, without secrets.
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
    """The outcome of an apply.

    Attributes:
        status: finished, errored or canceled. An apply that succeeds despite a cancel is finished.
        exit_code: the exit code of Terraform; None if it did not run.
        counts: the numbers of applied changes, also of an apply that failed or was canceled.
        state: the state that Terraform wrote, whatever the status; None if the state is unchanged.
        error: the error message, Terraform's own if it reported one, without secrets.
    """

    status: PhaseStatus
    exit_code: int | None = None
    counts: ResourceCounts = ResourceCounts()  # noqa: RUF009  # frozen
    state: State | None = None
    error: str | None = None

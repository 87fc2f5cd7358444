"""The two phases of a run: `run_plan`, then `run_apply` in the same directory.

Both return an outcome even if the configuration, a variable or Terraform fails, or the disk is full, and both complete
the log first. The only exception is an apply whose state cannot be read: see `recovery`.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tfruns.local.cancel_level import CancelLevel
from tfruns.local.files import is_disk_full
from tfruns.local.terraform.command import Commands, PhaseStopped
from tfruns.local.terraform.directory import BadWorkingDirectory, RunDirectory, state_after_failure
from tfruns.local.terraform.environment import run_environment
from tfruns.local.terraform.initialization import needs_init
from tfruns.local.terraform.inputs import ApplyInputs, ApplyOutcome, PlanInputs, PlanOutcome
from tfruns.local.terraform.log import PhaseLog
from tfruns.local.terraform.output import Sink
from tfruns.local.terraform.plain_text import as_plain_text
from tfruns.local.terraform.plan_files import PlanSummary, write_plan_files
from tfruns.local.terraform.plan_json import ResourceCounts
from tfruns.local.terraform.recovery import stop_leftovers
from tfruns.local.terraform.slug import BadArchive
from tfruns.local.terraform.slug_process import ArchiveInterrupted
from tfruns.local.terraform.state import BadState
from tfruns.local.terraform.variables import BadVariable, check_environment, write_var_file
from tfruns.vocabulary import PhaseStatus

_TOO_DEEP = "The plan can be applied but not shown: its values are nested too deep to be redacted."
_DISK_FULL = "The run failed: the server's disk is full. Free disk space, then start a new run."
_UNUSABLE_FILES = (
    "The run failed: the server cannot access its files: {}. Check its data directory, then start a new run."
)
_BAD_INPUT = (BadArchive, BadVariable, BadWorkingDirectory, BadState)


def run_plan(inputs: PlanInputs, *, log: PhaseLog, cancel_level: Callable[[], CancelLevel]) -> PlanOutcome:
    """Create the directory of the run and plan in it.

    Args:
        inputs: the inputs of the plan.
        log: receives Terraform's output; closed at the end.
        cancel_level: returns the requested level; called four times a second.
    """
    try:
        with log:
            try:
                return _plan(inputs, log, cancel_level)
            except (PhaseStopped, OSError, ArchiveInterrupted, *_BAD_INPUT) as error:
                stopped = _logged(error, log)
    except OSError as error:
        stopped = _stopped(error)
    return PlanOutcome(
        status=stopped.status,
        exit_code=stopped.exit_code,
        error=stopped.error,
        has_generated_configuration=inputs.run_dir.generated.exists(),
        plan_json=_existing(inputs.run_dir.plan_json, inputs.run_dir.redacted_json),
        redacted_json=_existing(inputs.run_dir.redacted_json),
    )


def run_apply(inputs: ApplyInputs, *, log: PhaseLog, cancel_level: Callable[[], CancelLevel]) -> ApplyOutcome:
    """Apply the plan in the directory of the run. The state is read even if the apply fails.

    Args:
        inputs: the inputs of the apply, the same as for the plan.
        log: receives Terraform's output; closed at the end.
        cancel_level: as for `run_plan`.

    Raises:
        OSError: the state cannot be read now, for example because too many files are open. The caller may retry.
    """
    counts = ResourceCounts()
    try:
        with log:
            try:
                inputs.run_dir.output.unlink(missing_ok=True)  # remove the output of the plan
                log.header(inputs.terraform)
                if not inputs.run_dir.plan_file.exists():
                    error = "The plan cannot be applied: its file is missing on the server. Start a new run."
                    raise PhaseStopped(PhaseStatus.ERRORED, error)
                commands = _commands(inputs, _sink(inputs, log), _freeing_reserve(inputs.run_dir, cancel_level))
                inputs.run_dir.create_reserve()
                result, summary = commands.run(*_apply_arguments(inputs))
                counts = summary.counts
                if result.has_succeeded:
                    return ApplyOutcome(
                        status=PhaseStatus.FINISHED, exit_code=0, counts=counts, state=inputs.run_dir.new_state()
                    )
                commands.check(result, summary)
            except (PhaseStopped, OSError, *_BAD_INPUT) as error:
                stopped = _logged(error, log)
    except OSError as error:
        stopped = _stopped(error)
    state, error_text = state_after_failure(inputs.run_dir, stopped.error)
    return ApplyOutcome(
        status=stopped.status, exit_code=stopped.exit_code, counts=counts, state=state, error=error_text
    )


def write_json_state(inputs: ApplyInputs) -> Path:
    """Write the state in the directory of the run in Terraform's JSON output format.

    Returns:
        The path of the file.

    Raises:
        PhaseStopped: Terraform cannot read the state.
        OSError: the disk is full.
    """
    path = inputs.run_dir.root / "state.json"
    commands = _commands(inputs, lambda _: None, lambda: CancelLevel.NONE)
    commands.read_json({path: ("show", "-json", "-no-color", str(inputs.run_dir.state_file))})
    return path


def _plan(inputs: PlanInputs, log: PhaseLog, cancel_level: Callable[[], CancelLevel]) -> PlanOutcome:
    run_dir = inputs.run_dir
    log.header(inputs.terraform)
    if run_dir.root.exists():  # planned again after a crash; the previous plan may still run
        stop_leftovers(run_dir, patience_s=0)
    run_dir.set_up(
        inputs.archive,
        inputs.state,
        needs_configuration=not inputs.is_destroy,
        is_canceled=lambda: cancel_level() >= CancelLevel.INTERRUPT,
    )
    for path, variables in zip(run_dir.var_files, (inputs.variables, inputs.run_variables), strict=True):
        write_var_file(path, variables)
    commands = _commands(inputs, _sink(inputs, log), cancel_level)
    if needs_init(inputs):
        run_dir.override_backend()
        commands.init(verbose=inputs.debugging_mode)
    else:
        run_dir.link_states()
    result, summary = commands.run(*plan_arguments(inputs))
    if not result.has_succeeded and not result.was_canceled and run_dir.plan_file.exists():
        write_plan_files(commands, reported=summary.counts)  # failed after it had generated configuration
    commands.check(result, summary)
    plan = write_plan_files(commands, reported=summary.counts, is_refresh_only=inputs.refresh_only)
    if not plan.is_redacted:
        log.write_warning(_TOO_DEEP)
    if inputs.is_text:
        commands.check(*commands.run("show", "-no-color", str(run_dir.plan_file)))
    return _finished(inputs, plan)


def _finished(inputs: PlanInputs, plan: PlanSummary) -> PlanOutcome:
    run_dir = inputs.run_dir
    return PlanOutcome(
        status=PhaseStatus.FINISHED,
        exit_code=0,
        counts=plan.counts,
        has_changes=plan.has_changes,
        plan_json=run_dir.plan_json,
        redacted_json=run_dir.redacted_json if plan.is_redacted else None,
        has_generated_configuration=run_dir.generated.exists(),
    )


def plan_arguments(inputs: PlanInputs) -> list[str]:
    """The arguments of `terraform plan` for the options of a run.

    Raises:
        PhaseStopped: this version of Terraform does not support an option.
    """
    if inputs.invoke_action_addrs and not inputs.terraform.has_invoke:
        version = f"{inputs.terraform.name} {inputs.terraform.version}"
        error = f"Actions cannot be invoked: {version} does not support it. Use Terraform 1.14 or later."
        raise PhaseStopped(PhaseStatus.ERRORED, error)
    run_dir = inputs.run_dir
    flags = {
        "-destroy": inputs.is_destroy,
        "-refresh=false": not inputs.refresh,
        "-refresh-only": inputs.refresh_only,
        f"-generate-config-out={run_dir.generated}": inputs.allow_config_generation,
    }
    return [
        "plan",
        "-input=false",
        "-json",
        f"-out={run_dir.plan_file}",
        *(flag for flag, is_set in flags.items() if is_set),
        *(f"-target={address}" for address in inputs.target_addrs),
        *(f"-replace={address}" for address in inputs.replace_addrs),
        *(f"-invoke={address}" for address in inputs.invoke_action_addrs),
        *_var_file_arguments(inputs),
    ]


def _apply_arguments(inputs: ApplyInputs) -> list[str]:
    variables = _var_file_arguments(inputs) if inputs.terraform.takes_variables_with_plan else []
    return ["apply", "-input=false", "-json", *variables, str(inputs.run_dir.plan_file)]


def _var_file_arguments(inputs: ApplyInputs) -> list[str]:
    both = zip(inputs.run_dir.var_files, (inputs.variables, inputs.run_variables), strict=True)
    return [f"-var-file={path}" for path, variables in both if variables]


def _sink(inputs: ApplyInputs, log: PhaseLog) -> Sink:
    return partial(_write, log, inputs.run_dir.reserve)


def _commands(inputs: ApplyInputs, write: Sink, cancel_level: Callable[[], CancelLevel]) -> Commands:
    check_environment(inputs.environment)
    return Commands(
        terraform=inputs.terraform,
        run_dir=inputs.run_dir,
        environment=run_environment(
            inputs.run,
            home=inputs.run_dir.home,
            settings=inputs.settings,
            variables=inputs.environment,
            debugging_mode=inputs.debugging_mode,
            api_environment=inputs.api.write(inputs.run_dir.root, inputs.settings.cli_config) if inputs.api else {},
        ),
        secrets=inputs.secrets,
        secret_texts=inputs.secret_texts,
        write=as_plain_text(write) if inputs.is_text else write,
        cancel_level=cancel_level,
        limit_s=inputs.limit_s,
    )


def _freeing_reserve(run_dir: RunDirectory, cancel_level: Callable[[], CancelLevel]) -> Callable[[], CancelLevel]:
    """The cancel level. Each poll also frees the reserve if the disk is almost full."""

    def level() -> CancelLevel:
        run_dir.free_reserve()
        return cancel_level()

    return level


def _write(log: PhaseLog, reserve: Path, data: bytes) -> None:
    """Write to the log. If this fails, free the reserve: Terraform is interrupted next and must save its state."""
    try:
        log.write(data)
    except OSError:
        reserve.unlink(missing_ok=True)
        raise


def _logged(error: Exception, log: PhaseLog) -> PhaseStopped:
    """The reason why the phase stopped, which is also written to the log unless the log contains it.

    Raises:
        OSError: the log cannot be written.
    """
    stopped = _stopped(error)
    if not stopped.is_logged:
        is_canceled = stopped.status is PhaseStatus.CANCELED
        log.write_error("The run was canceled." if is_canceled else stopped.error or "The phase failed.")
    return stopped


def _stopped(error: Exception) -> PhaseStopped:
    if isinstance(error, PhaseStopped):
        return error
    if isinstance(error, ArchiveInterrupted):
        return PhaseStopped(PhaseStatus.CANCELED)
    if is_disk_full(error):
        return PhaseStopped(PhaseStatus.ERRORED, _DISK_FULL)
    if isinstance(error, OSError):
        return PhaseStopped(PhaseStatus.ERRORED, _UNUSABLE_FILES.format(error.strerror))
    return PhaseStopped(
        PhaseStatus.ERRORED,
        f"The configuration cannot be used: {error}" if isinstance(error, BadArchive) else str(error),
    )


def _existing(path: Path, *others: Path) -> Path | None:
    return path if all(file.exists() for file in (path, *others)) else None

"""The two phases of a run, carried out: `run_plan`, then, in the same directory, `run_apply`.

Both return an outcome, whatever a configuration, a variable, Terraform or a full disk does; and both finish the log
before they return. Only where the state that an apply has left cannot be read there is none: see `recovery`.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from tfruns.local.disk import DISK_FULL
from tfruns.local.execution.command import Commands, Stopped
from tfruns.local.execution.environment import run_environment
from tfruns.local.execution.human import as_text
from tfruns.local.execution.initialization import needs_init
from tfruns.local.execution.jobs import ApplyJob, ApplyOutcome, PlanJob, PlanOutcome
from tfruns.local.execution.leftovers import end_leftovers
from tfruns.local.execution.log import PhaseLog
from tfruns.local.execution.output import Sink
from tfruns.local.execution.plan_files import PlanSummary, write_plan_files
from tfruns.local.execution.plan_json import Counts
from tfruns.local.execution.process import INTERRUPT
from tfruns.local.execution.slug import BadArchive
from tfruns.local.execution.slug_process import ArchiveInterrupted
from tfruns.local.execution.state import BadState
from tfruns.local.execution.variables import BadVariable, check_environment, write_var_file
from tfruns.local.execution.workdir import BadWorkingDirectory, Workdir, state_after_failure
from tfruns.vocabulary import PhaseStatus

_NOT_READABLE = "The plan is stored as Terraform wrote it; it is nested too deep to be redacted and shown."
_BAD_INPUT = (BadArchive, BadVariable, BadWorkingDirectory, BadState)


def run_plan(job: PlanJob, *, log: PhaseLog, cancel_level: Callable[[], int]) -> PlanOutcome:
    """Make the run's directory anew and plan in it.

    Args:
        job: all there is to know.
        log: where Terraform's output goes; closed at the end.
        cancel_level: asked four times a second: 0, or 1 to interrupt Terraform, or 2 to kill all that it started.
    """
    try:
        with log:
            try:
                return _plan(job, log, cancel_level)
            except (Stopped, OSError, ArchiveInterrupted, *_BAD_INPUT) as error:
                stopped = _logged(error, log)
    except OSError as error:
        stopped = _stopped(error)
    return PlanOutcome(
        status=stopped.status,
        exit_code=stopped.exit_code,
        error=stopped.error,
        has_generated_configuration=job.workdir.generated.exists(),
        plan_json=_existing(job.workdir.plan_json, job.workdir.redacted_json),
        redacted_json=_existing(job.workdir.redacted_json),
    )


def run_apply(job: ApplyJob, *, log: PhaseLog, cancel_level: Callable[[], int]) -> ApplyOutcome:
    """Apply the plan that is in the run's directory, and read the state back, however that ends.

    Args:
        job: the same as for the plan.
        log: where Terraform's output goes; closed at the end.
        cancel_level: as for `run_plan`.

    Raises:
        OSError: the state that it left cannot be read at the moment, as when no more files can be open.
    """
    done = Counts()
    try:
        with log:
            try:
                job.workdir.output.unlink(missing_ok=True)  # what is in it from now on is the apply's
                log.header(job.terraform)
                if not job.workdir.plan_file.exists():
                    raise Stopped(PhaseStatus.ERRORED, "The plan of this run is gone; it cannot be applied.")
                commands = _commands(job, _sink(job, log), _giving_room(job.workdir, cancel_level))
                job.workdir.reserve_room()
                ended, findings = commands.run(*_apply_arguments(job))
                done = findings.counts
                if ended.has_succeeded:
                    return ApplyOutcome(
                        status=PhaseStatus.FINISHED, exit_code=0, counts=done, state=job.workdir.new_state()
                    )
                commands.check(ended, findings)
            except (Stopped, OSError, *_BAD_INPUT) as error:
                stopped = _logged(error, log)
    except OSError as error:
        stopped = _stopped(error)
    state, error_text = state_after_failure(job.workdir, stopped.error)
    return ApplyOutcome(status=stopped.status, exit_code=stopped.exit_code, counts=done, state=state, error=error_text)


def write_json_state(job: ApplyJob) -> Path:
    """Write the state in the run's directory in Terraform's JSON output format.

    Returns:
        The file.

    Raises:
        Stopped: Terraform cannot read the state.
        OSError: the disk is full.
    """
    path = job.workdir.root / "state.json"
    commands = _commands(job, lambda _: None, lambda: 0)
    commands.read_json({path: ("show", "-json", "-no-color", str(job.workdir.state_file))})
    return path


def _plan(job: PlanJob, log: PhaseLog, cancel_level: Callable[[], int]) -> PlanOutcome:
    workdir = job.workdir
    log.header(job.terraform)
    if workdir.root.exists():  # planned again after a crash; what that plan still does is of no use
        end_leftovers(workdir, patience_s=0)
    workdir.set_up(
        job.archive,
        job.state,
        needs_configuration=not job.is_destroy,
        is_canceled=lambda: cancel_level() >= INTERRUPT,
    )
    for path, variables in zip(workdir.var_files, (job.variables, job.run_variables), strict=True):
        write_var_file(path, variables)
    commands = _commands(job, _sink(job, log), cancel_level)
    if needs_init(job):
        workdir.override_backend()
        commands.init(verbose=job.debugging_mode)
    else:
        workdir.link_states()
    ended, findings = commands.run(*plan_arguments(job))
    if not ended.has_succeeded and not ended.was_canceled and workdir.plan_file.exists():
        write_plan_files(commands, reported=findings.counts)  # it failed after it had generated configuration
    commands.check(ended, findings)
    plan = write_plan_files(commands, reported=findings.counts, is_refresh_only=job.refresh_only)
    if not plan.is_redacted:
        log.write_warning(_NOT_READABLE)
    if job.is_text:
        commands.check(*commands.run("show", "-no-color", str(workdir.plan_file)))
    return _finished(job, plan)


def _finished(job: PlanJob, plan: PlanSummary) -> PlanOutcome:
    workdir = job.workdir
    return PlanOutcome(
        status=PhaseStatus.FINISHED,
        exit_code=0,
        counts=plan.counts,
        has_changes=plan.has_changes,
        plan_json=workdir.plan_json,
        redacted_json=workdir.redacted_json if plan.is_redacted else None,
        has_generated_configuration=workdir.generated.exists(),
    )


def plan_arguments(job: PlanJob) -> list[str]:
    """The `plan` command for a run's options.

    Raises:
        Stopped: this Terraform has no such option.
    """
    if job.invoke_action_addrs and not job.terraform.has_invoke:
        error = f"{job.terraform.name} {job.terraform.version} cannot invoke actions; Terraform 1.14 can."
        raise Stopped(PhaseStatus.ERRORED, error)
    workdir = job.workdir
    flags = {
        "-destroy": job.is_destroy,
        "-refresh=false": not job.refresh,
        "-refresh-only": job.refresh_only,
        f"-generate-config-out={workdir.generated}": job.allow_config_generation,
    }
    return [
        "plan",
        "-input=false",
        "-json",
        f"-out={workdir.plan_file}",
        *(flag for flag, is_set in flags.items() if is_set),
        *(f"-target={address}" for address in job.target_addrs),
        *(f"-replace={address}" for address in job.replace_addrs),
        *(f"-invoke={address}" for address in job.invoke_action_addrs),
        *_var_file_arguments(job),
    ]


def _apply_arguments(job: ApplyJob) -> list[str]:
    variables = _var_file_arguments(job) if job.terraform.takes_variables_with_plan else []
    return ["apply", "-input=false", "-json", *variables, str(job.workdir.plan_file)]


def _var_file_arguments(job: ApplyJob) -> list[str]:
    both = zip(job.workdir.var_files, (job.variables, job.run_variables), strict=True)
    return [f"-var-file={path}" for path, variables in both if variables]


def _sink(job: ApplyJob, log: PhaseLog) -> Sink:
    return partial(_write, log, job.workdir.reserve)


def _commands(job: ApplyJob, write: Sink, cancel_level: Callable[[], int]) -> Commands:
    check_environment(job.environment)
    return Commands(
        terraform=job.terraform,
        workdir=job.workdir,
        environment=run_environment(
            job.run,
            home=job.workdir.home,
            settings=job.settings,
            variables=job.environment,
            debugging_mode=job.debugging_mode,
            api_environment=job.api.write(job.workdir.root, job.settings.cli_config) if job.api else {},
        ),
        secrets=job.secrets,
        secret_texts=job.secret_texts,
        write=as_text(write) if job.is_text else write,
        cancel_level=cancel_level,
        limit_s=job.limit_s,
    )


def _giving_room(workdir: Workdir, cancel_level: Callable[[], int]) -> Callable[[], int]:
    """The cancel level, which is asked for all the time; and room for Terraform's state, as soon as it gets scarce."""

    def level() -> int:
        workdir.give_room()
        return cancel_level()

    return level


def _write(log: PhaseLog, reserve: Path, data: bytes) -> None:
    """Write into the log; where that fails, Terraform is stopped next, and gets the reserve to save its state."""
    try:
        log.write(data)
    except OSError:
        reserve.unlink(missing_ok=True)
        raise


def _logged(error: Exception, log: PhaseLog) -> Stopped:
    """Why the phase stopped, with the log saying so where it does not yet.

    Raises:
        OSError: the log cannot be written.
    """
    stopped = _stopped(error)
    if not stopped.is_logged:
        is_canceled = stopped.status is PhaseStatus.CANCELED
        log.write_error("The run was canceled." if is_canceled else stopped.error or "The phase failed.")
    return stopped


def _stopped(error: Exception) -> Stopped:
    if isinstance(error, Stopped):
        return error
    if isinstance(error, ArchiveInterrupted):
        return Stopped(PhaseStatus.CANCELED)
    if isinstance(error, OSError) and error.errno in DISK_FULL:
        return Stopped(PhaseStatus.ERRORED, "The server's disk is full.")
    if isinstance(error, OSError):
        return Stopped(PhaseStatus.ERRORED, f"The server cannot use its files: {error.strerror}.")
    return Stopped(
        PhaseStatus.ERRORED,
        f"The configuration cannot be used: {error}" if isinstance(error, BadArchive) else str(error),
    )


def _existing(path: Path, *others: Path) -> Path | None:
    return path if all(file.exists() for file in (path, *others)) else None

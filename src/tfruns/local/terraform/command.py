"""The Terraform commands of one phase, with its environment, log and cancel level."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfruns.local.cancel_level import CancelLevel
from tfruns.local.exact_json import read_json
from tfruns.local.terraform.directory import RunDirectory
from tfruns.local.terraform.environment import without_output_options
from tfruns.local.terraform.executable import Terraform
from tfruns.local.terraform.json_scan import top_level_scalars
from tfruns.local.terraform.output import InitOutput, LineSplitter, OutputSummary, Sink, masked
from tfruns.local.terraform.process import CommandResult, Process, run
from tfruns.masking.secrets import Secrets
from tfruns.vocabulary import PhaseStatus

_TICK_S = 0.1
_MAX_STDERR_BYTES = 2000


class PhaseStopped(Exception):
    """The phase stopped early, because it failed or was canceled.

    Attributes:
        status: canceled or errored.
        error: the error message, if the phase failed.
        exit_code: the exit code of the last command.
        is_logged: whether the log already contains the reason.
    """

    def __init__(
        self, status: PhaseStatus, error: str | None = None, *, exit_code: int | None = None, is_logged: bool = False
    ) -> None:
        super().__init__(error or status)
        self.status = status
        self.error = error
        self.exit_code = exit_code
        self.is_logged = is_logged


@dataclass(frozen=True)
class Commands:
    """The commands of a phase.

    Attributes:
        terraform: the executable.
        run_dir: the directory of the run.
        environment: the complete environment of the commands.
        secrets: masks the output.
        secret_texts: the values that `secrets` masks.
        write: receives the output.
        cancel_level: returns the requested cancel level; polled four times a second.
        limit_s: the maximum duration of a command in seconds; None for no limit.
    """

    terraform: Terraform
    run_dir: RunDirectory
    environment: Mapping[str, str]
    secrets: Secrets
    secret_texts: Sequence[str] = field(repr=False)
    write: Sink
    cancel_level: Callable[[], CancelLevel]
    limit_s: float | None

    def init(self, *, verbose: bool) -> None:
        """Install modules and providers.

        -reconfigure ignores the backend that an uploaded `.terraform` directory records.

        Raises:
            PhaseStopped: the command failed or was canceled.
        """
        summary = OutputSummary(self.write)
        shown = InitOutput(summary)
        json_flag = ("-json",) if self.terraform.has_json_init else ()
        arguments = ("init", "-input=false", "-no-color", "-reconfigure", *json_flag)
        result = self._run(arguments, summary if verbose else shown)
        if not result.has_succeeded and not result.was_canceled:
            shown.release()
        self.check(result, summary)

    def run(self, *arguments: str) -> tuple[CommandResult, OutputSummary]:
        """Run a command and write its output to the log.

        Raises:
            PhaseStopped: the phase was canceled before the command started.
        """
        summary = OutputSummary(self.write)
        return self._run(arguments, summary), summary

    def check(self, result: CommandResult, summary: OutputSummary) -> None:
        """Check that a command succeeded.

        Raises:
            PhaseStopped: the command failed or was canceled.
        """
        if result.was_canceled:
            raise PhaseStopped(PhaseStatus.CANCELED, exit_code=result.exit_code, is_logged=not result.was_killed)
        if not result.has_succeeded:
            raise PhaseStopped(
                PhaseStatus.ERRORED,
                self.failure(result, summary),
                exit_code=result.exit_code,
                is_logged=summary.error is not None and not result.has_timed_out,
            )

    def failure(self, result: CommandResult, summary: OutputSummary) -> str:
        """The error message of a failed command."""
        if result.has_timed_out:
            return f"{self.terraform.name} was stopped: it took longer than {self.limit_s:g} s."
        return summary.error or f"{self.terraform.name} failed with exit code {result.exit_code}."

    def read_json(self, requests: Mapping[Path, tuple[str, ...]]) -> None:
        """Run commands that only read, in parallel, and write the output of each to a file.

        Raises:
            PhaseStopped: a command failed, or the phase was canceled.
        """
        self._check_canceled()
        with ExitStack() as resources:
            processes = [self._start(resources, path, arguments) for path, arguments in requests.items()]
            while not all([process.has_exited(within_s=_TICK_S) for process in processes]):  # noqa: C419  # wait for each
                self._check_canceled()
            exit_codes = [process.close() for process in processes]
        for path, exit_code in zip(requests, exit_codes, strict=True):
            stderr = _stderr_of(path)
            if exit_code:
                raise PhaseStopped(
                    PhaseStatus.ERRORED, f"The plan cannot be read: {self.secrets.mask(stderr)}", exit_code=exit_code
                )

    def _start(self, resources: ExitStack, path: Path, arguments: tuple[str, ...]) -> Process:
        files = [os.open(at, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for at in (path, path.with_suffix(".err"))]
        for file in files:
            resources.callback(os.close, file)
        process = Process(
            self.terraform.command + arguments,
            cwd=self.run_dir.working,
            environment=without_output_options(self.environment),
            stdout=files[0],
            stderr=files[1],
        )
        resources.callback(process.close)
        return process

    def _run(self, arguments: tuple[str, ...], sink: Sink) -> CommandResult:
        self._check_canceled()
        lines = LineSplitter(masked(sink, self.secrets), self.secrets)
        result = run(
            self.terraform,
            arguments,
            cwd=self.run_dir.working,
            environment=self.environment,
            output=self.run_dir.output,
            on_output=lines,
            cancel_level=self.cancel_level,
            is_complete=self.run_dir.is_state_complete,
            limit_s=self.limit_s,
        )
        lines.finish()
        return result

    def _check_canceled(self) -> None:
        if self.cancel_level() >= CancelLevel.INTERRUPT:
            raise PhaseStopped(PhaseStatus.CANCELED)


class NestedTooDeep(Exception):
    """The output of a command is complete, but nested too deep for Python to parse."""


def load_json(path: Path) -> Any:
    """Parse the output of a command. A number that Python would write differently becomes a `Number`.

    Raises:
        NestedTooDeep: the output is nested too deep.
        PhaseStopped: the output is incomplete. Terraform does not report an error if the disk is full.
    """
    content = path.read_bytes()
    try:
        return read_json(content)
    except RecursionError:
        if top_level_scalars(content) is not None:
            raise NestedTooDeep from None
    except ValueError:
        pass
    raise PhaseStopped(PhaseStatus.ERRORED, "The plan cannot be read: the output of Terraform is incomplete.")


def _stderr_of(path: Path) -> str:
    stderr = path.with_suffix(".err")
    try:
        return stderr.read_bytes()[-_MAX_STDERR_BYTES:].decode(errors="replace").strip()
    finally:
        stderr.unlink()

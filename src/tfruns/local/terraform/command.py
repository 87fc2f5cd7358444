"""Running Terraform's commands for one phase: with its environment, into its log, under its cancel level."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfruns.local.cancel_level import CancelLevel
from tfruns.local.terraform.directory import RunDirectory
from tfruns.local.terraform.environment import for_reading
from tfruns.local.terraform.executable import Terraform
from tfruns.local.terraform.json_scan import top_level_scalars
from tfruns.local.terraform.output import InitOutput, LineSplitter, OutputSummary, Sink, masked
from tfruns.local.terraform.process import CommandResult, Process, run
from tfruns.masking.secrets import Secrets
from tfruns.vocabulary import PhaseStatus

_TICK_S = 0.1
_MAX_STDERR_BYTES = 2000
_MAX_DIGITS = 4000  # Python converts 4,300 at most


class PhaseStopped(Exception):
    """The phase is over before its end.

    Attributes:
        status: canceled or errored.
        error: what went wrong, if something did.
        exit_code: of the command that was the last.
        is_logged: whether the log says so already.
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
    """What all commands of a phase have in common."""

    terraform: Terraform
    run_dir: RunDirectory
    environment: Mapping[str, str]
    secrets: Secrets
    secret_texts: Sequence[str] = field(repr=False)
    write: Sink
    cancel_level: Callable[[], CancelLevel]
    limit_s: float | None

    def init(self, *, verbose: bool) -> None:
        """Install modules and providers. -reconfigure: a backend that the upload remembers is no concern of ours.

        Raises:
            PhaseStopped: it failed, or was canceled.
        """
        findings = OutputSummary(self.write)
        shown = InitOutput(findings)
        json_flag = ("-json",) if self.terraform.has_json_init else ()
        arguments = ("init", "-input=false", "-no-color", "-reconfigure", *json_flag)
        ended = self._run(arguments, findings if verbose else shown)
        if not ended.has_succeeded and not ended.was_canceled:
            shown.release()
        self.check(ended, findings)

    def run(self, *arguments: str) -> tuple[CommandResult, OutputSummary]:
        """Run a command with its output into the log.

        Raises:
            PhaseStopped: the phase was canceled before the command began.
        """
        findings = OutputSummary(self.write)
        return self._run(arguments, findings), findings

    def check(self, ended: CommandResult, findings: OutputSummary) -> None:
        """Raise PhaseStopped if the command was canceled or has failed."""
        if ended.was_canceled:
            raise PhaseStopped(PhaseStatus.CANCELED, exit_code=ended.exit_code, is_logged=not ended.was_killed)
        if not ended.has_succeeded:
            error = findings.error
            raise PhaseStopped(
                PhaseStatus.ERRORED,
                self.failure(ended, findings),
                exit_code=ended.exit_code,
                is_logged=error is not None and not ended.was_overtime,
            )

    def failure(self, ended: CommandResult, findings: OutputSummary) -> str:
        """In words, why a command failed."""
        if ended.was_overtime:
            return f"It took longer than {self.limit_s:g} s and was stopped."
        return findings.error or f"{self.terraform.name} ended with exit code {ended.exit_code}."

    def read_json(self, requests: Mapping[Path, tuple[str, ...]]) -> None:
        """Run reading commands, all at once, with the output of each in a file.

        Raises:
            PhaseStopped: one failed, or the phase was canceled.
        """
        self._check_canceled()
        with ExitStack() as open_things:
            processes = [self._start(open_things, path, arguments) for path, arguments in requests.items()]
            while not all([process.has_ended(within_s=_TICK_S) for process in processes]):  # noqa: C419  # wait for each
                self._check_canceled()
            exit_codes = [process.close() for process in processes]
        for path, exit_code in zip(requests, exit_codes, strict=True):
            complaint = _stderr_of(path)
            if exit_code:
                raise PhaseStopped(
                    PhaseStatus.ERRORED, f"The plan cannot be read: {self.secrets.mask(complaint)}", exit_code=exit_code
                )

    def _start(self, open_things: ExitStack, path: Path, arguments: tuple[str, ...]) -> Process:
        files = [os.open(at, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600) for at in (path, path.with_suffix(".err"))]
        for file in files:
            open_things.callback(os.close, file)
        process = Process(
            self.terraform.command + arguments,
            cwd=self.run_dir.working,
            environment=for_reading(self.environment),
            stdout=files[0],
            stderr=files[1],
        )
        open_things.callback(process.close)
        return process

    def _run(self, arguments: tuple[str, ...], sink: Sink) -> CommandResult:
        self._check_canceled()
        lines = LineSplitter(masked(sink, self.secrets), self.secrets)
        ended = run(
            self.terraform,
            arguments,
            cwd=self.run_dir.working,
            environment=self.environment,
            output=self.run_dir.output,
            on_output=lines,
            cancel_level=self.cancel_level,
            is_whole=self.run_dir.is_state_whole,
            limit_s=self.limit_s,
        )
        lines.finish()
        return ended

    def _check_canceled(self) -> None:
        if self.cancel_level() >= CancelLevel.INTERRUPT:
            raise PhaseStopped(PhaseStatus.CANCELED)


class NestedTooDeep(Exception):
    """What a command has written is complete, and nested too deep to be taken apart."""


def load_json(path: Path) -> Any:
    """What a command has written; a number of thousands of digits is a text that says so.

    Raises:
        NestedTooDeep: it is nested too deep.
        PhaseStopped: it is cut off, as it is when the disk is full; Terraform does not notice.
    """
    content = path.read_bytes()
    try:
        return json.loads(content, parse_int=_integer)
    except RecursionError:
        if top_level_scalars(content) is not None:
            raise NestedTooDeep from None
    except ValueError:
        pass
    raise PhaseStopped(PhaseStatus.ERRORED, "The plan cannot be read: it was not written completely.")


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else f"(a number of {len(digits.lstrip('-'))} digits)"


def _stderr_of(path: Path) -> str:
    stderr = path.with_suffix(".err")
    try:
        return stderr.read_bytes()[-_MAX_STDERR_BYTES:].decode(errors="replace").strip()
    finally:
        stderr.unlink()

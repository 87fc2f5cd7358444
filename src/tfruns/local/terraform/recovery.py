"""An apply that broke off, as when its server was killed: its state, and the rest of its log.

It is never applied again.
"""

from tfruns.local.terraform.directory import state_after_failure
from tfruns.local.terraform.inputs import ApplyInputs, ApplyOutcome
from tfruns.local.terraform.leftovers import end_leftovers
from tfruns.local.terraform.log import HEADER_LINES, PhaseLog
from tfruns.local.terraform.output import LineSplitter, OutputSummary, Sink, masked
from tfruns.vocabulary import PhaseStatus

_READ_BYTES = 1 << 16
_INTERRUPTED = "The server was stopped while it applied. What was done until then is in the state."


def recover_apply(inputs: ApplyInputs, *, log: PhaseLog, patience_s: float = 30.0) -> ApplyOutcome:
    """End what still runs of an apply, complete its log, and read the state that it left.

    Args:
        inputs: as it was given to `run_apply`.
        log: the apply's log, which is continued; closed at the end.
        patience_s: seconds for Terraform to finish what it does, before it is killed (see `end_leftovers`).

    Returns:
        An errored apply, with its counts and its state.

    Raises:
        OSError: the state cannot be read at the moment. It can be tried again.
    """
    end_leftovers(inputs.run_dir, patience_s=patience_s)
    state, damage = state_after_failure(inputs.run_dir, None)
    findings = OutputSummary(_without_first(log.count_lines() - HEADER_LINES, log.write))
    complaint: str | None = None
    with log:
        try:
            _read_output(inputs, findings)
            log.write_error(_INTERRUPTED)
        except OSError as error:
            complaint = f"The log is not complete: {error.strerror}."
    texts = filter(None, (_INTERRUPTED, findings.error, complaint, damage))
    return ApplyOutcome(status=PhaseStatus.ERRORED, counts=findings.counts, state=state, error="\n\n".join(texts))


def _read_output(inputs: ApplyInputs, findings: OutputSummary) -> None:
    secrets = inputs.secrets
    lines = LineSplitter(masked(findings, secrets), secrets)
    if inputs.run_dir.output.exists():
        with inputs.run_dir.output.open("rb") as output:
            while data := output.read(_READ_BYTES):
                lines(data)
        lines.finish()


def _without_first(count: int, sink: Sink) -> Sink:
    """A sink that leaves out the lines that are in the log already; to mask a line does not change their number."""
    seen = 0

    def pass_on(line: bytes) -> None:
        nonlocal seen
        seen += 1
        if seen > count:
            sink(line)

    return pass_on

"""What the end of a command says to a script."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `tfruns`.

    DONE: the request was accepted; with --wait, the run is applied, or planned and finished.
    ERROR: it did not work, or the API said no.
    USAGE: the command line cannot be understood.
    NEEDS_PERSON: a person has to confirm, decide, or override.
    FAILED: the run is errored, canceled or discarded.
    STOPPED_WAITING: the time to wait is over, and the run goes on.
    """

    DONE = 0
    ERROR = 1
    USAGE = 2
    NEEDS_PERSON = 10
    FAILED = 20
    STOPPED_WAITING = 30

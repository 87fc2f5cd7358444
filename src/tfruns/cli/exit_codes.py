"""The exit codes of commands, for scripts."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `tfruns`.

    DONE: The request was accepted. With `--wait`, the run was applied, or has finished without an apply.
    ERROR: The command failed, or the API refused the request.
    USAGE: The command line is invalid.
    NEEDS_PERSON: A person has to confirm, decide or override.
    FAILED: The run was errored, canceled or discarded.
    STOPPED_WAITING: The timeout expired or the wait was interrupted. The run continues.
    """

    DONE = 0
    ERROR = 1
    USAGE = 2
    NEEDS_PERSON = 10
    FAILED = 20
    STOPPED_WAITING = 30

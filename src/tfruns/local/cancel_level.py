"""How far a phase is to be stopped: stored with the run, polled by the process of its phase."""

from enum import IntEnum


class CancelLevel(IntEnum):
    """How far a run's cancel, or the stop of a server, has gone. Each level includes the one before."""

    NONE = 0
    INTERRUPT = 1
    """Terraform is interrupted as by Ctrl-C: it finishes the current operation and saves the state."""
    KILL = 2
    """Terraform and every process that it started are killed."""

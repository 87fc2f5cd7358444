"""The queue of a workspace, as pure functions: which run is next.

The queue is first in, first out. One run at a time holds the workspace, from leaving the queue until it is final.
Plan-only runs and the plans of saved-plan runs bypass the queue: they do not hold the workspace, and a lock does not
block them.

Source: "Run States and Stages", "The Pending Stage"; run modes and options, "Plan-only", "Saved plans"; run API,
"Forcefully execute a run".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from tfruns.vocabulary import RunOperation


class Priority(IntEnum):
    """The priority of a phase across workspaces when all workers are busy. A lower number is executed first."""

    APPLY = 1
    PLAN = 2
    SPECULATIVE_PLAN = 3


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of one workspace.

    Attributes:
        pending: the ids of the waiting runs, oldest first.
        holder: the id of the run that holds the workspace.
        is_locked: whether a person has locked the workspace.
    """

    pending: Sequence[str]
    holder: str | None = None
    is_locked: bool = False

    def next_run(self) -> str | None:
        """The run that can leave the queue now."""
        is_free = self.holder is None and not self.is_locked
        return self.pending[0] if is_free and self.pending else None

    def earlier_than(self, run_id: str) -> Sequence[str]:
        """The runs that are queued before this one."""
        return self.pending[: self.pending.index(run_id)] if run_id in self.pending else ()

    def position(self, run_id: str) -> int | None:
        """The position of a waiting run, from 1; None if it is not waiting."""
        return self.pending.index(run_id) + 1 if run_id in self.pending else None


def plan_priority(operation: str) -> Priority:
    """The priority of a run's plan."""
    return Priority.SPECULATIVE_PLAN if operation == RunOperation.PLAN_ONLY else Priority.PLAN

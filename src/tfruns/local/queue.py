"""The queue of a workspace: which run goes next. Pure functions over what the store knows.

The runs of a workspace go first in, first out. One at a time holds the workspace, from leaving the queue until it is
final. Plan-only runs, and the plans of saved-plan runs, neither queue nor hold it, and a lock does not concern them.

Source: "Run States and Stages", "The Pending Stage"; run modes and options, "Plan-only", "Saved plans"; run API,
"Forcefully execute a run".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from tfruns.vocabulary import RunOperation


class Priority(IntEnum):
    """Which phases go first when workers are scarce, across workspaces. Smaller is earlier."""

    APPLY = 1
    PLAN = 2
    SPECULATIVE_PLAN = 3


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of one workspace.

    Attributes:
        pending: ids of the runs that wait, the oldest first.
        holder: id of the run that holds the workspace.
        is_locked: a person holds the workspace.
    """

    pending: Sequence[str]
    holder: str | None = None
    is_locked: bool = False

    def next_run(self) -> str | None:
        """The run that may leave the queue now."""
        is_free = self.holder is None and not self.is_locked
        return self.pending[0] if is_free and self.pending else None

    def earlier_than(self, run_id: str) -> Sequence[str]:
        """The runs that wait before this one."""
        return self.pending[: self.pending.index(run_id)] if run_id in self.pending else ()

    def position(self, run_id: str) -> int | None:
        """The place of a waiting run, from 1; None if it does not wait."""
        return self.pending.index(run_id) + 1 if run_id in self.pending else None


def plan_priority(operation: str) -> Priority:
    """The priority of a run's plan."""
    return Priority.SPECULATIVE_PLAN if operation == RunOperation.PLAN_ONLY else Priority.PLAN

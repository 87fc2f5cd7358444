"""The port of the queue, which passes dispatched phases to workers.

A queue contains only what the database also contains. If a dispatch is lost, for example because the process was
killed, the next start dispatches the phase again.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from tfruns.local.queue import Priority

RunPhase = Callable[[str, str], None]
"""Executes the plan or the apply (`kind`) of a run (`run_id`). It never raises."""


class PhaseQueue(Protocol):
    """Passes dispatched phases to workers."""

    def dispatch(self, run_id: str, kind: str, priority: Priority) -> None:
        """Queue a phase for the next free worker. It does not raise, even if the database is unavailable.

        A phase that is dispatched several times is executed once; see `start_phase`.
        """
        ...

    def start(self, run_phase: RunPhase) -> None:
        """Start the workers."""
        ...

    def stop(self) -> None:
        """Stop the workers. They start no more phases."""
        ...

    def prune(self) -> None:
        """Delete the queue's records of phases that finished some time ago."""
        ...


@dataclass(frozen=True, order=True, slots=True)
class Dispatch:
    """A queued phase. A dispatch without a run stops the thread that receives it."""

    priority: int
    number: int
    run_id: str = field(default="", compare=False)
    kind: str = field(default="", compare=False)

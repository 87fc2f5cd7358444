"""The view of a run after a wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tfruns.client.run_wait import Outcome
from tfruns.next_actions import NextAction
from tfruns.views.base import View, kept
from tfruns.views.diagnosis import WaitsFor


@dataclass(frozen=True, slots=True)
class WaitView(View):
    """A run after a wait.

    Attributes:
        outcome: why the wait ended.
        plan: the counts of its plan; None if it cannot be read.
        blocked_by: what the run waits for, if only a person can end the wait.
        queue: what a pending run waits for.
        last_log_line: of a run whose log is being written.
    """

    id: str
    status: str
    outcome: Outcome
    waited_s: float
    allowed_actions: Sequence[str] = kept(default=())
    follows: str = ""
    next_actions: tuple[NextAction, ...] = ()
    auto_apply: bool | None = None
    has_changes: bool | None = None
    plan: Mapping[str, int] | None = None
    workspace_name: str | None = None
    blocked_by: WaitsFor | None = None
    queue: str = ""
    last_log_line: str = ""
    note: str = ""

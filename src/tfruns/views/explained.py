"""The view of many runs with why each waits or failed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tfruns.views.base import View, implied_by, kept

Cause = Literal["person", "lock", "run", "worker"]


@dataclass(frozen=True, slots=True)
class ExplainedRun(View):
    """A run, and why it waits or failed. Its workspace is given by name if that is known.

    Attributes:
        needs_person: whether only a person can end the wait: about this run, another one, or a lock.
        since: when it reached its status.
        waits_for: None if it is in progress, or has failed.
        why: one sentence; of a failed run, its first error.
        blocked_by: the run before it in the queue that blocks the workspace.
        plan: the counts of a plan that waits for a person.
    """

    id: str
    status: str
    needs_person: bool | None = None
    workspace_id: str | None = implied_by("workspace_name")
    workspace_name: str | None = None
    message: str = ""
    since: datetime | None = None
    waits_for: Cause | None = None
    why: str = ""
    blocked_by: str | None = None
    plan: Mapping[str, int] | None = None


@dataclass(frozen=True, slots=True)
class ExplainedRuns(View):
    """Many runs with why each waits or failed. Of open ones, those that need a person come first.

    Attributes:
        omitted: the number of further runs.
    """

    ROWS = "runs"
    SHARED = ("workspace_id", "workspace_name")

    runs: tuple[ExplainedRun, ...] = kept()
    organization: str = kept()
    omitted: int | None = None
    note: str = ""

"""The invariants of the store, checked from the tables alone, independently of the code that maintains them."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from tfruns.lifecycle import TRANSITIONS, is_final
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import (
    Base,
    PhaseRow,
    RunCountRow,
    RunEventRow,
    RunRow,
    StateVersionRow,
    WorkspaceRow,
)
from tfruns.vocabulary import RunStatus

Columns = Mapping[str, Any]

_UNQUEUED = {"plan_only", "save_plan"}
_STATUS_OF_EVENT = {status.value: status for status in RunStatus} | {
    "queued": RunStatus.PENDING,
    "force_canceled": RunStatus.CANCELED,
    "saved_plan_is_stale": RunStatus.DISCARDED,
}
_WHEN = {  # the statuses of a run in which a phase is queued, running, finished
    "plan": ("plan_queued", "planning", {"planned", "planned_and_saved", "planned_and_finished"}),
    "apply": ("apply_queued", "applying", {"applied"}),
}
_OF_A_PROCESS = {"lease", "holds_workspace"}  # of a run that was force-canceled, until its process has ended


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The content of the store."""

    workspaces: Mapping[str, Columns]
    runs: Mapping[str, Columns]
    phases: Mapping[tuple[str, str], Columns]
    events: Mapping[str, list[str]]
    counts: Mapping[tuple[str, str, str], int]
    states: Mapping[str, Columns]

    @classmethod
    def of(cls, session: AnySession) -> "Snapshot":
        """The current content of the store, with runs in the order of their creation."""
        events: dict[str, list[str]] = defaultdict(list)
        for event in _rows(session, RunEventRow, RunEventRow.sequence):
            events[event["run_id"]].append(event["action"])
        counts = [row for row in _rows(session, RunCountRow) if row["runs"]]
        return cls(
            workspaces=_by_id(_rows(session, WorkspaceRow)),
            runs=_by_id(_rows(session, RunRow, RunRow.sequence)),
            phases={(phase["run_id"], phase["kind"]): phase for phase in _rows(session, PhaseRow)},
            events=dict(events),
            counts={(row["workspace_id"], row["operation"], row["status"]): row["runs"] for row in counts},
            states=_by_id(_rows(session, StateVersionRow)),
        )

    def holder_of(self, workspace_id: str) -> Columns | None:
        """The run that holds a workspace."""
        holders = [run for run in self.runs.values() if run["workspace_id"] == workspace_id and run["holds_workspace"]]
        assert len(holders) <= 1, f"several runs hold {workspace_id}"
        return holders[0] if holders else None

    def serial_of(self, workspace_id: str) -> int | None:
        """The serial of a workspace's state; None where it has none."""
        state_id = self.workspaces[workspace_id]["current_state_version_id"]
        return self.states[state_id]["serial"] if state_id is not None else None


def _rows(session: AnySession, table: type[Base], *order: Any) -> list[Columns]:
    """The rows of a table, without the objects of the ORM, which would take most of the time of random tests."""
    return [dict(row) for row in session.execute(select(table.__table__).order_by(*order)).mappings()]


def _by_id(rows: Iterable[Columns]) -> dict[str, Columns]:
    return {row["id"]: row for row in rows}


def check(before: Snapshot, after: Snapshot, dispatched: Iterable[tuple[str, str]]) -> None:
    """Check the current store, and its changes since the earlier snapshot."""
    seen = set(dispatched)
    for workspace_id in after.workspaces:
        _check_workspace(before, after, workspace_id)
    for run_id, run in after.runs.items():
        _check_path(before, after, run_id)
        _check_end(before.runs.get(run_id), run)
        _check_phases(after, run_id)
        for kind in ("plan", "apply"):
            assert run["status"] != f"{kind}_queued" or (run_id, kind) in seen, f"{run_id} was not dispatched"
    assert after.counts == Counter(
        (run["workspace_id"], run["operation"], run["status"]) for run in after.runs.values()
    ), "the counts of runs are not those of the runs"


def _check_workspace(before: Snapshot, after: Snapshot, workspace_id: str) -> None:
    """At most one holder, which is the current run; no run waits for a free workspace; serials never decrease."""
    workspace = after.workspaces[workspace_id]
    holder = after.holder_of(workspace_id)
    is_locked = workspace["locked_by_user_id"] is not None
    if holder is not None:
        assert not is_locked, f"{workspace_id} is held by a run and locked by a person"
        assert workspace["current_run_id"] == holder["id"], f"the run that holds {workspace_id} is not its current one"
        assert holder["operation"] != "plan_only"
        assert not is_final(holder["status"]) or holder["lease"] is not None, f"{holder['id']} holds without a reason"
    waiting = [run for run in after.runs.values() if run["workspace_id"] == workspace_id and run["status"] == "pending"]
    assert not waiting or holder is not None or is_locked, f"{waiting[0]['id']} waits before a free workspace"
    assert all(run["operation"] not in _UNQUEUED for run in waiting), "a run waits that does not queue"
    if workspace_id in before.workspaces:
        old, new = before.serial_of(workspace_id), after.serial_of(workspace_id)
        assert old is None or (new is not None and new >= old), f"the serial of {workspace_id} went from {old} to {new}"


def _path(events: Iterable[str]) -> list[RunStatus]:
    """The statuses of a run, from its events."""
    return [_STATUS_OF_EVENT[event] for event in events if event in _STATUS_OF_EVENT]


def _check_path(before: Snapshot, after: Snapshot, run_id: str) -> None:
    """Every change is allowed and has one event; events are never replaced; an apply starts once."""
    events, run = after.events[run_id], after.runs[run_id]
    known = before.events.get(run_id, [])
    assert events[: len(known)] == known
    path = _path(events)
    assert path[0] == "pending"
    for old, new in itertools.pairwise(path):
        assert new in TRANSITIONS[old], f"{run_id} went from {old} to {new}"
    assert path[-1] == run["status"], f"the events of {run_id} end with {path[-1]}, and it is {run['status']}"
    keys = {f"{status.value.replace('_', '-')}-at" for status in path[1:]} | {"plan-queueable-at"}
    keys |= {"force-canceled-at"} if "force_canceled" in events else set()
    assert set(run["status_timestamps"]) == keys
    assert path.count(RunStatus.APPLYING) <= 1
    is_ending = run["status"] in {RunStatus.PLANNING, RunStatus.APPLYING} or is_final(run["status"])
    assert run["canceled_at"] is None or is_ending, f"{run_id} was canceled and is {run['status']}"


def _check_end(before: Columns | None, run: Columns) -> None:
    """A final run never changes."""
    if before is not None and is_final(before["status"]):
        changed = {name for name in run if run[name] != before[name]} - _OF_A_PROCESS
        assert not changed, f"{run['id']} was {before['status']}, and its {changed} changed"


def _check_phases(after: Snapshot, run_id: str) -> None:
    """The statuses of plan and apply match the status of the run."""
    for kind, (queued, running, finished) in _WHEN.items():
        expected = "pending"
        for status in _path(after.events[run_id]):
            if status in {queued, running}:
                expected = "queued" if status == queued else "running"
            elif status in finished:
                expected = "finished"
            elif expected in {"queued", "running"} and status in {"errored", "canceled"}:
                expected = status.value
            if is_final(status) and expected == "pending":
                expected = "unreachable"
        found = after.phases[run_id, kind]["status"]
        assert found == expected, f"the {kind} of {run_id} is {found} and not {expected}"

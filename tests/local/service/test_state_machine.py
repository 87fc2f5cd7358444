"""Random clients and a random engine: the invariants hold after any sequence of their actions.

`TFRUNS_LONG_SEARCH=2000` tries that many sequences instead of a few, different ones each time.
"""

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx2
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from tests.local.invariants import Columns, Snapshot, check
from tests.local.service.test_states import announced, inline, state
from tests.local.serving import serving
from tests.local.support import API, Json, actions_of, archive, resource, run_body
from tests.support.properties import PROFILE
from tests.support.stores import NewStore, on_both_stores
from tfruns.errors import NotFound
from tfruns.local.service.phases import PhaseResult, finish_phase, start_phase

_FEW, _ENOUGH = {"sqlite": 8, "postgresql": 4}, {"sqlite": 25, "postgresql": 4}  # examples for each store
LONG_SEARCH = int(os.environ.get("TFRUNS_LONG_SEARCH", "0"))

_USERS = ("ann", "bob")
_LEASES = ("first server", "second server")
_ACTIONS = ("apply", "discard", "cancel", "force-cancel", "force-execute")
_SHOWN = {"apply": "confirmable", "discard": "discardable", "cancel": "cancelable", "force-cancel": "force-cancelable"}
_OPTIONS = ("plan_only", "save_plan", "is_destroy", "refresh_only", "allow_empty_apply", "auto_apply")
_PHASES = {"plan_queued": "plan", "planning": "plan", "apply_queued": "apply", "applying": "apply"}

# Values are chosen as often as they appear here.
_CLIENTS_DO = (
    *["create_run"] * 5,
    *["decide"] * 8,
    *["act"] * 5,
    *["lock"] * 3,
    *["wait"] * 2,
    *["create_state"] * 3,
    "upload_state",
    "upload_configuration",
    "comment",
    "list_runs",
    "replace_workspace",
)
_ENGINE_DOES = (*["work"] * 6, *["leave"] * 3, *["end"] * 3, "begin")

users = st.sampled_from(_USERS)
leases = st.sampled_from(_LEASES)
results = st.sampled_from(["finished"] * 5 + ["errored", "canceled"])
choices = st.integers(0, 1_000_000)


class Clients(RuleBasedStateMachine):
    """Clients of one backend, and its engine.

    Args:
        new_store: creates an empty database.
    """

    def __init__(self, new_store: NewStore) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.runner = self.stack.enter_context(asyncio.Runner())
        directory = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.served = self.stack.enter_context(serving(self.stack.enter_context(new_store()), directory))
        self.clients = {name: self.served.client(name) for name in _USERS}
        self.stack.callback(lambda: [self.runner.run(client.aclose()) for client in self.clients.values()])
        self.uploads: list[tuple[str, bytes]] = []
        self.begun: list[tuple[str, str, str]] = []
        self.names = 0
        self.changes = self.counter_of_changes()
        self.last_read: tuple[object, Snapshot] | None = None
        self.now = self.snapshot()
        self.user_ids = {name: self.send(name, "GET", "/account/details").json()["data"]["id"] for name in _USERS}
        for _ in range(2):
            self.create_workspace("ann")

    def teardown(self) -> None:
        self.stack.close()

    # -- what they all do ---------------------------------------------------------------------------------------------

    def counter_of_changes(self) -> Callable[[], object]:
        """A function whose result differs after each transaction that wrote something. PostgreSQL has none."""
        url = self.served.backend.database.engine.url
        if not url.drivername.startswith("sqlite"):
            return object
        connection = self.stack.enter_context(closing(sqlite3.connect(str(url.database))))
        return lambda: connection.execute("PRAGMA data_version").fetchone()

    def snapshot(self) -> Snapshot:
        """The content of the store. It is read again only if something was written, because reading takes long."""
        changes = self.changes()
        if self.last_read is None or self.last_read[0] != changes:
            with self.served.backend.database.read() as session:
                self.last_read = changes, Snapshot.of(session)
        return self.last_read[1]

    def settle(self) -> None:
        """Check the invariants."""
        after = self.snapshot()
        check(self.now, after, [(run_id, kind) for run_id, kind, _ in self.served.dispatches.seen])
        self.now = after

    def send(self, user: str, method: str, path: str, body: Json = None, **more: Any) -> httpx2.Response:
        """Send a request. One that is refused, or only reads, changes nothing."""
        url = path if path.startswith("http") else API + path
        answer = self.runner.run(self.clients[user].request(method, url, json=body, **more))
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        if method == "GET" or answer.status_code >= 400:
            assert self.snapshot() == self.now, (
                f"{method} {path} was answered {answer.status_code}, and changed something"
            )
        else:
            self.settle()
        return answer

    def some(self, things: Any, choice: int) -> Any:
        found = list(things)
        return found[choice % len(found)]

    def some_workspace(self, choice: int) -> str:
        return str(self.some(self.now.workspaces, choice))

    def some_run(self, choice: int) -> Columns:
        """A run, preferably one that is not final."""
        runs = list(self.now.runs.values())
        lively = [
            run for run in runs if self.now.phases[run["id"], "apply"]["status"] in {"pending", "queued", "running"}
        ]
        return self.some(lively if lively and choice % 8 else runs, choice)  # type: ignore[no-any-return]

    # -- the two kinds of things that happen --------------------------------------------------------------------------

    @rule(user=users, choice=choices, does=st.sampled_from(_CLIENTS_DO))
    def clients_do(self, user: str, choice: int, does: str) -> None:
        needs_run = does in {"act", "decide", "comment"}
        if not (needs_run and not self.now.runs) and not (does == "upload_state" and not self.uploads):
            getattr(self, does)(user, choice)

    @precondition(lambda self: any(run["status"] in _PHASES for run in self.now.runs.values()))
    @rule(
        choice=choices,
        lease=leases,
        status=results,
        has_changes=st.sampled_from([True, True, True, False]),
        does=st.sampled_from(_ENGINE_DOES),
    )
    def engine_does(self, choice: int, lease: str, status: str, *, has_changes: bool, does: str) -> None:
        if does != "end" or self.begun:
            getattr(self, does)(choice, lease, status, has_changes=has_changes)

    # -- clients ------------------------------------------------------------------------------------------------------

    def create_workspace(self, user: str) -> None:
        """Create a workspace that has a configuration."""
        self.names += 1
        body = resource("workspaces", {"name": f"workspace-{self.names}"})
        created = self.send(user, "POST", "/organizations/default/workspaces", body)
        assert created.status_code == 201
        self.upload_configuration(user, list(self.now.workspaces).index(created.json()["data"]["id"]))

    def replace_workspace(self, user: str, choice: int) -> None:
        workspace_id = self.some_workspace(choice)
        path = f"/workspaces/{workspace_id}"
        method, path = ("POST", f"{path}/actions/safe-delete") if choice % 2 else ("DELETE", path)
        answer = self.send(user, method, path)
        assert answer.status_code in {204, 409}
        assert (workspace_id in self.now.workspaces) is (answer.status_code == 409)
        if answer.status_code == 204:
            self.create_workspace(user)

    def upload_configuration(self, user: str, choice: int) -> None:
        options = {"auto-queue-runs": choice % 5 == 4, "speculative": choice % 7 == 6}
        body = resource("configuration-versions", options)
        created = self.send(user, "POST", f"/workspaces/{self.some_workspace(choice)}/configuration-versions", body)
        configuration = created.json()["data"]
        self.upload_files(user, configuration["id"], configuration["attributes"]["upload-url"])

    def upload_files(self, user: str, id_: str, url: str) -> None:
        """Upload files twice, which changes nothing, and others, which replace them until a run uses them."""
        files, others = archive(), archive({"main.tf": ""})
        for _ in range(2):
            assert self.send(user, "PUT", url, content=files).status_code == 200
        is_used = any(run["configuration_version_id"] == id_ for run in self.now.runs.values())
        assert self.send(user, "PUT", url, content=others).status_code == (409 if is_used else 200)

    def create_run(self, user: str, choice: int) -> None:
        options = {option for bit, option in enumerate(_OPTIONS) if choice // 3 >> 2 * bit & 3 == 3}
        attributes: dict[str, Any] = dict.fromkeys(options, True)
        body = run_body(self.some_workspace(choice), **attributes)
        is_invalid = (
            options >= {"is_destroy", "refresh_only"}
            or options >= {"plan_only", "save_plan"}
            or options >= {"plan_only", "allow_empty_apply"}
        )
        assert self.send(user, "POST", "/runs", body).status_code == (422 if is_invalid else 201)

    def act(self, user: str, choice: int) -> None:
        """Try any action on any run."""
        self.perform(user, self.some_run(choice // 7), _ACTIONS[choice % len(_ACTIONS)])

    def decide(self, user: str, choice: int) -> None:
        """Perform an action that a run shows as possible, or force-execute a pending run."""
        run = self.some_run(choice // 7)
        shown = self.shown_by(user, run["id"])
        possible = [action for action in _ACTIONS if _SHOWN.get(action) in shown]
        possible += ["force-execute"] * 2 if run["status"] == "pending" else []
        if possible:
            self.perform(user, run, self.some(possible, choice))

    def shown_by(self, user: str, run_id: str) -> set[str]:
        return actions_of(self.send(user, "GET", f"/runs/{run_id}").json()["data"])

    def perform(self, user: str, run: Columns, action: str) -> None:
        """An action is accepted if and only if the run shows it as possible."""
        shown = self.shown_by(user, run["id"])
        expected = self.force_execute_expected(user, run) if action == "force-execute" else 409
        if _SHOWN.get(action) in shown or (action == "discard" and run["status"] == "pending"):
            expected = 202
        answer = self.send(user, "POST", f"/runs/{run['id']}/actions/{action}")
        assert answer.status_code == expected, f"{action} of a run that is {run['status']} and shows {shown}"
        assert action != "cancel" or "cancelable" not in self.shown_by(user, run["id"])

    def force_execute_expected(self, user: str, run: Columns) -> int:
        """Run API, "Forcefully Execute a Run": the run is pending, and what holds the workspace can be discarded."""
        holder = self.now.holder_of(run["workspace_id"])
        if run["status"] != "pending" or holder is None:
            return 403
        return 202 if "discardable" in self.shown_by(user, holder["id"]) else 409

    def lock(self, user: str, choice: int) -> None:
        workspace_id, action = self.some_workspace(choice // 7), ("lock", "unlock", "force-unlock")[choice % 3]
        locked_by = self.now.workspaces[workspace_id]["locked_by_user_id"]
        is_held = self.now.holder_of(workspace_id) is not None
        answer = self.send(user, "POST", f"/workspaces/{workspace_id}/actions/{action}")
        if action == "lock":
            is_accepted = locked_by is None and not is_held
        elif action == "unlock":
            # State Versions: "may not be unlocked normally until the state version is uploaded".
            states = [row for row in self.now.states.values() if row["workspace_id"] == workspace_id]
            is_awaiting = any(row["status"] == "pending" for row in states)
            is_accepted = locked_by == self.user_ids[user] and not is_awaiting
        else:
            is_accepted = locked_by is not None
        assert answer.status_code == (200 if is_accepted else 409)

    def create_state(self, user: str, choice: int) -> None:
        """Create a state version with its content, or one whose content is uploaded later."""
        workspace_id = self.some_workspace(choice)
        step, is_whole = (1, 2, 0, 1, -1)[choice // 3 % 5], bool(choice // 16 % 2)
        content = state(max(0, (self.now.serial_of(workspace_id) or 0) + step), note=choice)
        body = (inline if is_whole else announced)(content)
        answer = self.send(user, "POST", f"/workspaces/{workspace_id}/state-versions", body)
        if self.now.workspaces[workspace_id]["locked_by_user_id"] != self.user_ids[user]:
            assert answer.status_code == 409
        if answer.status_code == 201 and not is_whole:
            self.uploads.append((answer.json()["data"]["attributes"]["hosted-state-upload-url"], content))

    def upload_state(self, user: str, choice: int) -> None:
        """Upload a pending state, possibly a second time, or after another state."""
        url, content = self.some(self.uploads, choice)
        assert self.send(user, "PUT", url, content=content).status_code in {200, 404, 409}

    def comment(self, user: str, choice: int) -> None:
        body = resource("comments", {"body": "why?"})
        assert self.send(user, "POST", f"/runs/{self.some_run(choice)['id']}/comments", body).status_code == 201

    def wait(self, user: str, choice: int) -> None:
        self.served.clock.advance((1, 9, 11, 4000)[choice % 4])

    def list_runs(self, user: str, choice: int) -> None:
        """A list is sorted newest first, excludes plan-only runs, and has their number as its total."""
        workspace_id = self.some_workspace(choice)
        status = ("", "pending", "planned", "applied", "canceled,errored")[choice // 3 % 5]
        query = {"page[size]": "3", "filter[status]": status}
        document = self.send(user, "GET", f"/workspaces/{workspace_id}/runs", params=query).json()
        expected = [
            run["id"]
            for run in reversed(self.now.runs.values())  # type: ignore[call-overload]
            if run["workspace_id"] == workspace_id
            and run["operation"] != "plan_only"
            and (not status or run["status"] in status.split(","))
        ]
        assert [run["id"] for run in document["data"]] == expected[:3]
        assert document["meta"]["pagination"]["total-count"] == len(expected)

    # -- the engine ---------------------------------------------------------------------------------------------------

    def work(self, choice: int, lease: str, status: str, *, has_changes: bool) -> None:
        """Execute a dispatched phase completely."""
        self.leave(choice, lease, status, has_changes=has_changes)
        run_id, kind, _ = self.begun[-1]
        self.finish_phase(run_id, kind, lease, status, has_changes=has_changes)

    def leave(self, choice: int, lease: str, *_: str, **__: bool) -> None:
        """Start a dispatched phase."""
        run = self.some([run for run in self.now.runs.values() if run["status"] in _PHASES], choice)
        self.start_phase(run["id"], _PHASES[run["status"]], lease)

    def begin(self, choice: int, lease: str, *_: str, **__: bool) -> None:
        """Start a dispatched phase, possibly late or a second time."""
        run_id, kind, _priority = self.some(self.served.dispatches.seen, choice)
        self.start_phase(run_id, kind, lease)

    def end(self, choice: int, _: str, status: str, *, has_changes: bool) -> None:
        """Finish a started phase, possibly a second time, or after another worker has resumed it."""
        run_id, kind, lease = self.some(self.begun, choice)
        self.finish_phase(run_id, kind, lease, status, has_changes=has_changes)

    def start_phase(self, run_id: str, kind: str, lease: str) -> None:
        backend = self.served.backend
        try:
            with backend.database.write() as write:
                begun = start_phase(backend, write, run_id, kind, lease)
        except NotFound:
            assert run_id not in self.now.runs
            return
        if begun is not None:
            self.begun.append((run_id, kind, lease))
        self.settle()

    def finish_phase(self, run_id: str, kind: str, lease: str, status: str, *, has_changes: bool) -> None:
        backend = self.served.backend
        content = None
        if kind == "apply" and run_id in self.now.runs:
            serial = self.now.serial_of(self.now.runs[run_id]["workspace_id"])
            content = state((serial or 0) + 1, run=run_id)
        result = PhaseResult(status, has_changes=has_changes, state=content)
        try:
            with backend.database.write() as write:
                finish_phase(backend, write, run_id, kind, lease, result)
        except NotFound:
            assert run_id not in self.now.runs
            return
        self.settle()


@on_both_stores
def test_invariants_hold_after_any_sequence_of_requests(store: str, new_store: NewStore) -> None:
    run_state_machine_as_test(
        lambda: Clients(new_store),  # type: ignore[arg-type]  # it accepts any factory of a machine
        settings=settings(
            max_examples=LONG_SEARCH or (_FEW if PROFILE == "quick" else _ENOUGH)[store],
            stateful_step_count=100 if LONG_SEARCH else 60,
            derandomize=not LONG_SEARCH,
            database=None,
            deadline=None,
            phases=[Phase.generate, *([Phase.shrink] if LONG_SEARCH else [])],  # shrinking takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )

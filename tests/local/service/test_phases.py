"""The end of a phase with concurrent requests: a cancel that was accepted first takes precedence."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, update

from tests.local.invariants import Snapshot, check
from tests.local.support import STATE, Api, Json, actions_of
from tests.support.stores import on_both_stores
from tfruns.errors import Conflict, NotFound, TransitionNotAllowed
from tfruns.lifecycle import is_final
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.service.find import find_workspace
from tfruns.local.service.phases import start_phase
from tfruns.local.service.run_actions import perform
from tfruns.local.service.workspaces import delete_workspace, lock, unlock
from tfruns.local.store.schema import RunRow
from tfruns.vocabulary import RunAction

_RESULTS = ("finished", "errored", "canceled")
_WAIT_S = 60.0
_RESOURCE = b'[{"mode":"managed","type":"terraform_data","name":"a","instances":[{}]}]'
_STATE = STATE.replace(b'"resources":[]', b'"resources":' + _RESOURCE)  # so that a safe delete is refused at the end


def snapshot(api: Api) -> Snapshot:
    with api.backend.database.read() as session:
        return Snapshot.of(session)


def check_all(api: Api, before: Snapshot) -> Snapshot:
    """Check the invariants, and return the current snapshot."""
    after = snapshot(api)
    check(before, after, [(run_id, kind) for run_id, kind, _ in api.dispatches.seen])
    return after


# -- a cancel that was accepted before the end ------------------------------------------------------------------------


@on_both_stores
async def test_cancel_during_a_phase_takes_precedence(api: Api) -> None:
    options: list[dict[str, Any]] = [{}, {"auto_apply": True}, {"save_plan": True}, {"plan_only": True}]
    for option in options:
        for result in _RESULTS:
            for has_changes in (True, False):
                before = snapshot(api)
                run = await api.create_run(**option)
                assert api.begin(run)
                await api.act(run, "cancel")
                api.end(run, status=result, has_changes=has_changes)
                shown = await api.run(run)
                assert shown["attributes"]["status"] == "canceled", (option, result, has_changes)
                assert actions_of(shown) == set()
                assert api.dispatches.phases_of(run["id"]) == ["plan"]
                await api.act(run, "apply", 409)
                check_all(api, before)


@on_both_stores
async def test_finished_apply_is_applied_despite_a_cancel(api: Api) -> None:
    for result, expected in (("finished", "applied"), ("errored", "canceled"), ("canceled", "canceled")):
        before = snapshot(api)
        run = await api.applying()
        await api.act(run, "cancel")
        api.end(run, "apply", status=result)
        shown = (await api.run(run))["attributes"]
        assert shown["status"] == expected
        assert shown["canceled-at"] is not None, "the accepted cancel is lost"
        assert not shown["actions"]["is-confirmable"]
        check_all(api, before)


async def test_canceled_planned_run_is_never_applied(api: Api) -> None:
    """Older versions lost a late cancel: the run became planned or apply_queued, with `canceled-at`."""
    planned = await api.planned()
    _mark_canceled(api, planned)
    assert actions_of(await api.run(planned)) == {"discardable"}
    await api.act(planned, "apply", 409)
    await api.act(planned, "discard")
    queued = await api.planned()
    await api.act(queued, "apply")
    _mark_canceled(api, queued)
    following = await api.create_run()
    assert not api.begin(queued, "apply")
    assert [await api.status(run) for run in (queued, following)] == ["canceled", "plan_queued"]


async def test_force_cancel_without_process_releases_immediately(api: Api) -> None:
    queued = await api.planned()
    await api.act(queued, "apply")
    _mark_canceled(api, queued)
    following = await api.create_run()
    assert "force-cancelable" in actions_of(await api.run(queued))
    await api.act(queued, "force-cancel")
    assert [await api.status(run) for run in (queued, following)] == ["canceled", "plan_queued"]


def _mark_canceled(api: Api, run: Json) -> None:
    values = {
        "cancel_level": CancelLevel.INTERRUPT,
        "canceled_at": api.clock.now(),
        "force_cancel_available_at": api.clock.now(),
    }
    with api.backend.database.write() as write:
        write.session.execute(update(RunRow).where(RunRow.id == run["id"]).values(**values))


# -- at every step of the end -----------------------------------------------------------------------------------------


@contextmanager
def at_statement(api: Api, number: int, step: Callable[[], None]) -> Iterator[list[int]]:
    """Start a step in another thread just before the n-th statement of this thread, and wait for it at the end.

    Yields:
        A list that counts the statements.
    """
    count, here = [0], threading.get_ident()
    thread = threading.Thread(target=step)

    def look(*_: Any) -> None:
        if threading.get_ident() == here:
            if count[0] == number:
                thread.start()
                thread.join(0.02)  # on PostgreSQL, it runs until its first lock
            count[0] += 1

    event.listen(api.backend.database.engine, "before_cursor_execute", look)
    try:
        yield count
    finally:
        event.remove(api.backend.database.engine, "before_cursor_execute", look)
        if thread.ident is not None:
            thread.join(_WAIT_S)
            assert not thread.is_alive(), "the other request waits forever"


def _doing(api: Api, run: Json, does: str, refused: list[str]) -> Callable[[], None]:
    def act() -> None:
        try:
            with api.backend.database.write() as write:
                workspace = find_workspace(write.session, api.workspace_id)
                if does == "delete":
                    delete_workspace(api.backend, write, workspace, is_safe=True)
                elif does == "lock":
                    lock(api.backend, write, workspace, user_id="user-1", reason=None)
                elif does in {"unlock", "force_unlock"}:
                    unlock(api.backend, write, workspace, user_id="user-1", is_forced=does == "force_unlock")
                else:
                    perform(api.backend, write, run["id"], RunAction(does), user_id="user-1", comment=None)
        except (TransitionNotAllowed, Conflict, NotFound):
            refused.append(does)

    return act


_OTHERS = ("discard", "lock", "unlock", "force_unlock", "delete")
# Whether an action that comes first is accepted, and the run's status if so.
_BEFORE_THE_END = {
    "plan": {"cancel": "canceled", "force_cancel": "canceled", **dict.fromkeys(_OTHERS)},
    "apply": {"cancel": "applied", "force_cancel": "canceled", **dict.fromkeys(_OTHERS)},
}


@on_both_stores
@pytest.mark.parametrize("kind", ["plan", "apply"])
async def test_action_at_every_step_of_a_phase_end_is_consistent(api: Api, store: str, kind: str) -> None:
    # A write locks SQLite as a whole, so after the first statements it makes no difference which one it is.
    stride = 4 if store == "postgresql" else 16
    for does, ends_as in _BEFORE_THE_END[kind].items():
        number = 0
        while await _interleaved(api, kind, does, ends_as, number):
            number += 1 if number < 3 else stride
        assert number > 8, "the end of a phase takes more than a few statements"


async def _interleaved(api: Api, kind: str, does: str, ends_as: str | None, number: int) -> bool:
    """Perform an action at one statement of the phase end; False if it has fewer statements."""
    before = snapshot(api)
    run = await (api.create_run() if kind == "plan" else api.applying())
    assert kind == "apply" or api.begin(run)
    if does == "force_cancel":
        await api.act(run, "cancel")
        api.clock.advance(60)
    refused: list[str] = []
    with at_statement(api, number, _doing(api, run, does, refused)) as count:
        api.end(run, kind, state=_STATE if kind == "apply" else None)
    if count[0] <= number:
        await _tidy(api, run)
        return False
    shown = (await api.run(run))["attributes"]
    message = f"{does} at statement {number} of the end of a {kind}: {shown['status']}, refused {refused}"
    if does in {"lock", "unlock", "force_unlock"}:  # the run holds its workspace, or it is free
        assert bool(refused) is not await _is_locked_by_person(api), message
    if does in {"unlock", "force_unlock"} or (does, kind) == ("lock", "plan"):
        assert refused, message
    was_canceled = does == "force_cancel"
    if ends_as is not None and not refused:
        assert shown["status"] == ends_as, message
        assert shown["canceled-at"] is not None, message
    elif does == "discard" and not refused:  # the plan had finished before
        assert (kind, shown["status"]) == ("plan", "discarded"), message
    else:
        usual = "planned" if kind == "plan" else "applied"
        assert shown["status"] == ("canceled" if was_canceled and kind == "plan" else usual), message
    assert shown["canceled-at"] is None or not shown["actions"]["is-confirmable"], message
    check_all(api, before)
    await _tidy(api, run)
    return True


async def _is_locked_by_person(api: Api) -> bool:
    with api.backend.database.read() as session:
        return find_workspace(session, api.workspace_id).locked_by_user_id is not None


@on_both_stores
async def test_lock_at_every_step_of_an_apply_end_excludes_the_next_run(api: Api) -> None:
    number, count = 0, [1]
    while number < count[0]:
        before = snapshot(api)
        run = await api.applying()
        following = await api.create_run()
        refused: list[str] = []
        with at_statement(api, number, _doing(api, run, "lock", refused)) as count:
            api.end(run, "apply", state=_STATE)
        if number < count[0]:
            assert refused == ["lock"], "the workspace was free between two runs"
        assert [await api.status(one) for one in (run, following)] == ["applied", "plan_queued"], number
        assert api.dispatches.phases_of(following["id"]) == ["plan"]
        check_all(api, before)
        api.plan(following)
        await _tidy(api, following)
        number += 1 if number < 3 else 4
    assert number > 8


@on_both_stores
@pytest.mark.parametrize("does", ["unlock", "force_unlock"])
async def test_unlock_at_every_step_of_a_plan_end_starts_one_run(api: Api, does: str) -> None:
    number, count = 0, [1]
    while number < count[0]:
        before = snapshot(api)
        speculative = await api.create_run(plan_only=True)
        assert api.begin(speculative)
        with api.backend.database.write() as write:
            lock(api.backend, write, find_workspace(write.session, api.workspace_id), user_id="user-1", reason=None)
        following = await api.create_run()
        refused: list[str] = []
        step = _doing(api, speculative, does, refused)
        with at_statement(api, number, step) as count:
            api.end(speculative)
        if number >= count[0]:
            step()
        assert refused == [], number
        assert [await api.status(one) for one in (speculative, following)] == ["planned_and_finished", "plan_queued"]
        assert api.dispatches.phases_of(following["id"]) == ["plan"]
        assert not await _is_locked_by_person(api)
        check_all(api, before)
        api.plan(following)
        await _tidy(api, following)
        number += 1 if number < 3 else 4
    assert number > 8


async def _tidy(api: Api, run: Json) -> None:
    if not is_final(await api.status(run)):
        await api.act(run, "discard")
    workspace = (await api.get(f"/workspaces/{api.workspace_id}"))["data"]["attributes"]
    if workspace["locked"]:
        await api.post(f"/workspaces/{api.workspace_id}/actions/force-unlock", None, 200)


# -- a workspace that is held without a reason ------------------------------------------------------------------------


async def _stale(api: Api) -> Json:
    """A final run without a process that still holds its workspace, as older versions could leave it."""
    run = await api.planned()
    await api.act(run, "discard")
    with api.backend.database.write() as write:
        write.session.execute(update(RunRow).where(RunRow.id == run["id"]).values(holds_workspace=True))
    return run


async def _last_event(api: Api, run: Json) -> str:
    events = (await api.get(f"/runs/{run['id']}/run-events"))["data"]
    return str(events[-1]["attributes"]["action"])


@on_both_stores
async def test_force_unlock_releases_a_workspace_of_a_finished_run(api: Api) -> None:
    stale = await _stale(api)
    await api.post(f"/workspaces/{api.workspace_id}/actions/force-unlock", None, 200)
    assert await _last_event(api, stale) == "workspace_released"
    assert await api.status(await api.create_run()) == "plan_queued"


async def test_force_execute_ignores_a_finished_holder(api: Api) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    earlier, chosen = await api.create_run(), await api.create_run()
    stale = await api.create_run(plan_only=True)
    api.plan(stale)
    with api.backend.database.write() as write:
        find_workspace(write.session, api.workspace_id).locked_by_user_id = None
        write.session.execute(update(RunRow).where(RunRow.id == stale["id"]).values(holds_workspace=True))
    await api.act(chosen, "force-execute")
    assert [await api.status(run) for run in (earlier, chosen)] == ["canceled", "plan_queued"]
    assert (await api.run(earlier))["relationships"]["canceled-by"]["data"]["type"] == "users"
    assert await _last_event(api, stale) == "workspace_released"


async def test_lock_releases_a_workspace_of_a_finished_run(api: Api) -> None:
    stale = await _stale(api)
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    assert await _last_event(api, stale) == "workspace_released"


async def test_run_with_a_live_process_keeps_its_workspace(api: Api) -> None:
    run = await api.applying()
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    await api.post(f"/workspaces/{api.workspace_id}/actions/force-unlock", None, 409)
    with api.backend.database.write() as write:
        begun = start_phase(api.backend, write, run["id"], "apply", "another start")
    assert begun is not None
    assert begun.is_recovery


# -- the current run --------------------------------------------------------------------------------------------------


async def _current(api: Api) -> str:
    workspace = (await api.get(f"/workspaces/{api.workspace_id}"))["data"]
    return str(workspace["relationships"]["current-run"]["data"]["id"])


@pytest.mark.parametrize("action", ["cancel", "discard"])
async def test_current_run_of_a_locked_workspace_is_the_first_pending(api: Api, action: str) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    first, second = await api.create_run(), await api.create_run()
    assert await _current(api) == first["id"]
    await api.act(first, action)
    assert await _current(api) == second["id"]

"""The phases that a server dispatches when it starts."""

from typing import Any

import pytest
from sqlalchemy import event

from tests.local.support import Api
from tfruns.local.engine.resume import has_active_runs, resume
from tfruns.local.queue import Priority


async def resumed(api: Api) -> list[tuple[str, str, Priority]]:
    api.dispatches.seen.clear()
    resume(api.backend)
    return list(api.dispatches.seen)


async def test_queued_and_running_phases_are_dispatched_again(api: Api) -> None:
    planning = await api.create_run()
    assert api.begin(planning)
    preview = await api.create_run(plan_only=True)
    other = await api.create_workspace("other")
    await api.configured(other)
    applying = await api.create_run(other)
    api.plan(applying)
    await api.act(applying, "apply")
    assert await resumed(api) == [
        (planning["id"], "plan", Priority.PLAN),
        (preview["id"], "plan", Priority.SPECULATIVE_PLAN),
        (applying["id"], "apply", Priority.APPLY),
    ]
    assert api.begin(applying, "apply")
    assert (applying["id"], "apply", Priority.APPLY) in await resumed(api)


async def test_waiting_runs_are_not_dispatched(api: Api) -> None:
    await api.planned()
    await api.create_run()
    assert await resumed(api) == []
    assert not has_active_runs(api.backend)


async def test_force_canceled_plan_with_a_process_is_dispatched(api: Api) -> None:
    run = await api.create_run()
    assert api.begin(run)
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    assert await resumed(api) == [(run["id"], "plan", Priority.PLAN)]
    assert has_active_runs(api.backend)
    api.end(run, status="canceled")
    assert await resumed(api) == []
    assert not has_active_runs(api.backend)


async def test_force_canceled_apply_is_dispatched_as_an_apply(api: Api) -> None:
    run = await api.applying()
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    assert await resumed(api) == [(run["id"], "apply", Priority.APPLY)]


async def test_force_canceled_plan_only_run_is_dispatched_until_it_ends(api: Api) -> None:
    run = await api.create_run(plan_only=True)
    assert api.begin(run)
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    assert await resumed(api) == [(run["id"], "plan", Priority.SPECULATIVE_PLAN)]
    assert not api.begin(run, "plan", "the next start"), "it can only be finished"
    api.end(run, status="errored", lease="the next start")
    assert not has_active_runs(api.backend)
    assert await resumed(api) == []


async def test_unfinished_phases_are_found_with_the_index(api: Api) -> None:
    if api.backend.database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads small tables as a whole")
    statements: list[str] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT") and "FROM runs" in statement:
            statements.append(statement.replace("?", "1") if parameters else statement)

    event.listen(api.backend.database.engine, "before_cursor_execute", listen)
    has_active_runs(api.backend)
    resume(api.backend)
    statements = [statement for statement in statements if "holds_workspace = 1" not in statement]
    assert len(statements) == 2
    with api.backend.database.engine.connect() as connection:
        for statement in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
            assert "active_runs" in plan[0][3], plan

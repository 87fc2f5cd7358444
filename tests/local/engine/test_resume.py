"""What a server dispatches when it starts: whatever the last one has left."""

from typing import Any

import pytest
from sqlalchemy import event

from tests.local.support import Api
from tfruns.local.engine.resume import is_any_under_way, resume
from tfruns.local.queue import Priority


async def taken_up(api: Api) -> list[tuple[str, str, Priority]]:
    api.dispatches.seen.clear()
    resume(api.backend)
    return list(api.dispatches.seen)


async def test_what_is_queued_or_under_way_is_dispatched_again(api: Api) -> None:
    planning = await api.create_run()
    assert api.begin(planning)
    preview = await api.create_run(plan_only=True)
    other = await api.create_workspace("other")
    await api.configured(other)
    applying = await api.create_run(other)
    api.plan(applying)
    await api.act(applying, "apply")
    assert await taken_up(api) == [
        (planning["id"], "plan", Priority.PLAN),
        (preview["id"], "plan", Priority.SPECULATIVE_PLAN),
        (applying["id"], "apply", Priority.APPLY),
    ]
    assert api.begin(applying, "apply")
    assert (applying["id"], "apply", Priority.APPLY) in await taken_up(api)


async def test_what_waits_for_a_person_or_in_the_queue_is_not(api: Api) -> None:
    await api.planned()
    await api.create_run()
    assert await taken_up(api) == []
    assert not is_any_under_way(api.backend)


async def test_a_force_canceled_run_whose_process_may_still_be_there_is_taken_up_for_its_end(api: Api) -> None:
    run = await api.create_run()
    assert api.begin(run)
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    assert await taken_up(api) == [(run["id"], "plan", Priority.PLAN)]
    assert is_any_under_way(api.backend)
    api.end(run, status="canceled")
    assert await taken_up(api) == []
    assert not is_any_under_way(api.backend)


async def test_of_a_force_canceled_apply_it_is_the_apply(api: Api) -> None:
    run = await api.applying()
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    assert await taken_up(api) == [(run["id"], "apply", Priority.APPLY)]


async def test_a_force_canceled_plan_only_run_is_taken_up_too_and_then_nothing_is_under_way(api: Api) -> None:
    run = await api.create_run(plan_only=True)
    assert api.begin(run)
    await api.act(run, "cancel")
    api.clock.advance(60)
    await api.act(run, "force-cancel")
    assert await taken_up(api) == [(run["id"], "plan", Priority.SPECULATIVE_PLAN)]
    assert not api.begin(run, "plan", "the next start"), "it can only be ended"
    api.end(run, status="errored", lease="the next start")
    assert not is_any_under_way(api.backend)
    assert await taken_up(api) == []


async def test_what_is_under_way_is_found_without_looking_at_every_run(api: Api) -> None:
    if api.backend.database.engine.dialect.name != "sqlite":
        pytest.skip("PostgreSQL reads small tables as a whole")
    statements: list[str] = []

    def listen(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        if statement.startswith("SELECT") and "FROM runs" in statement:
            statements.append(statement.replace("?", "1") if parameters else statement)

    event.listen(api.backend.database.engine, "before_cursor_execute", listen)
    is_any_under_way(api.backend)
    resume(api.backend)
    statements = [statement for statement in statements if "holds_workspace = 1" not in statement]
    assert len(statements) == 2
    with api.backend.database.engine.connect() as connection:
        for statement in statements:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}").all()
            assert "runs_under_way" in plan[0][3], plan

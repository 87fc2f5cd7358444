"""What a server dispatches when it starts: whatever the last one has left."""

from tests.local.support import Api
from tfruns.local.engine.taking_up import is_any_under_way, take_up
from tfruns.local.queue import Priority


async def taken_up(api: Api) -> list[tuple[str, str, Priority]]:
    api.dispatches.seen.clear()
    take_up(api.backend)
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

"""The shared memory budget of concurrent downloads."""

import anyio
from anyio.lowlevel import checkpoint

from tfruns.client.byte_budget import ByteBudget, Reservation


async def test_budget_is_never_exceeded_and_served_in_order() -> None:
    budget = ByteBudget(100)
    order: list[int] = []
    held = 0

    async def hold(number: int, size: int | None) -> None:
        nonlocal held
        reservation = Reservation(budget)
        await reservation.reserve(size)
        held += size or 100
        order.append(number)
        assert held <= 100
        for _ in range(10):
            await checkpoint()
        held -= size or 100
        reservation.release()

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            for number, size in enumerate([60, 40, 50, None, 1, 100, 99]):
                tasks.start_soon(hold, number, size)
    assert order == list(range(7))


async def test_reservation_releases_exactly_the_unused_bytes() -> None:
    budget = ByteBudget(100)
    first, second = Reservation(budget), Reservation(budget)
    with anyio.fail_after(10):
        await first.reserve(None)
        first.shrink_to(30)
        first.shrink_to(80)
        await second.reserve(70)
        await first.reserve(20)  # replaces what it held
        first.release()
        first.release()
        second.release()
        await first.reserve(1000)  # no more than there is
    with anyio.move_on_after(0) as scope:
        await second.reserve(1)
    assert scope.cancelled_caught
    first.release()
    with anyio.fail_after(10):
        await second.reserve(100)

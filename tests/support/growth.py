"""How processor time grows with the size of an input. It shows quadratic time on a machine of any speed and load."""

import time
from collections.abc import Callable

_ATTEMPTS = 3
_NEGLIGIBLE_S = 0.003  # the resolution of the measurement, and work that does not depend on the size


def assert_linear(run: Callable[[int], object], size: int, name: str = "") -> None:
    """Check that an input of four times the size takes at most eight times as long: quadratic time is 16 times as long.

    Args:
        run: processes an input of a size. The time for `size` should be at least some milliseconds if it is quadratic.
        size: the smaller size.
        name: what is measured, for the message.
    """
    small, large = (min(_seconds(run, count) for _ in range(_ATTEMPTS)) for count in (size, 4 * size))
    assert large <= 8 * max(small, _NEGLIGIBLE_S), f"{name}: {small:.4f} s, and {large:.4f} s for four times the size"


def _seconds(run: Callable[[int], object], size: int) -> float:
    start = time.process_time()
    run(size)
    return time.process_time() - start

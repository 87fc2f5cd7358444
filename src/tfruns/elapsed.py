"""The clock for everything that expires: it also runs while the computer sleeps.

`time.monotonic` stops during the sleep of a laptop on Linux, so that a confirmation for ten minutes could be days old.
"""

import time

_CLOCK: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def elapsed_s() -> float:
    """The seconds since some moment in the past, including those of the computer's sleep if the system counts them."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)

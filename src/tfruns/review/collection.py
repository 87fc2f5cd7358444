"""Pauses of the garbage collector.

Parsing a large document creates millions of objects and no garbage. The collector would search all of them again and
again, which doubles the time.
"""

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_pauses = 0


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pause the collector for the length of a block. It continues when the last such block of all threads has ended."""
    global _pauses  # noqa: PLW0603  # the collector is global, too
    with _lock:
        if not _pauses and not gc.isenabled():
            is_counted = False  # the program itself has disabled it
        else:
            is_counted = True
            _pauses += 1
            gc.disable()
    try:
        yield
    finally:
        if is_counted:
            with _lock:
                _pauses -= 1
                if not _pauses:
                    gc.enable()

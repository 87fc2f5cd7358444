"""`--watch`: a result that is read again and again, and drawn on the terminal until Ctrl-C or its last state."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

from cyclopts import Parameter

from tfruns.cli.session import Session
from tfruns.cli.terminal import say
from tfruns.errors import InvalidInput
from tfruns.views.base import View

V = TypeVar("V", bound=View)

INTERVAL_S = 3.0
WatchOption = Annotated[bool, Parameter(help="Update the output every 3 seconds until Ctrl-C")]

_OPEN, _CLOSE, _CLEAR = "\x1b[?1049h", "\x1b[?1049l", "\x1b[H\x1b[2J"


async def show_or_watch(
    session: Session,
    read: Callable[[], Awaitable[V]],
    print_view: Callable[[V], None],
    *,
    is_watched: bool,
    is_last: Callable[[V], bool] = lambda _: False,
) -> None:
    """Print a result once, or update it on the terminal.

    Args:
        session: the session.
        read: reads the result.
        print_view: prints it.
        is_watched: whether --watch is given.
        is_last: whether the result will not change any more.

    Raises:
        InvalidInput: --watch is given, and the output is not for a terminal.
    """
    if not is_watched:
        session.show(await read(), print_view)
        return
    if session.is_json or not sys.stdout.isatty():
        raise InvalidInput(
            "--watch needs a terminal, and cannot be combined with --json.",
            solution="Omit it. To wait for a run in a script: tfruns run wait RUN",
        )
    view = await _update(read, print_view, is_last)
    if view is not None:
        print_view(view)


async def _update(
    read: Callable[[], Awaitable[V]], print_view: Callable[[V], None], is_last: Callable[[V], bool]
) -> V | None:
    """Draw the result on the second screen of the terminal until Ctrl-C, and return it as it was last."""
    view = None
    _write(_OPEN)
    try:
        while view is None or not is_last(view):
            if view is not None:
                await asyncio.sleep(INTERVAL_S)
            view = await read()
            _write(_CLEAR)
            print_view(view)
            say("Press Ctrl-C to stop.", "dim")
    except asyncio.CancelledError:
        if (task := asyncio.current_task()) is not None:
            task.uncancel()
    finally:
        _write(_CLOSE)
    return view


def _write(sequence: str) -> None:
    sys.stdout.write(sequence)
    sys.stdout.flush()

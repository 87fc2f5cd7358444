"""Events whose waiters can be woken without setting them."""

import threading

from tfruns.local.engine.wake import WakeEvents

_PATIENCE_S = 30.0


def woken_event() -> tuple[WakeEvents, threading.Event]:
    events, event = WakeEvents(), threading.Event()
    events.append(event)
    return events, event


def test_a_waiter_is_woken_and_the_event_is_not_set() -> None:
    events, event = woken_event()
    began, ended = threading.Event(), threading.Event()
    answers = []

    def wait() -> None:
        event.wait(0)  # its first: what is woken before that is not for it
        began.set()
        answers.append(event.wait(_PATIENCE_S * 10))
        ended.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    assert began.wait(_PATIENCE_S)
    events.wake()
    assert ended.wait(_PATIENCE_S)
    assert answers == [False]
    assert not event.is_set()


def test_a_wake_between_two_waits_is_not_lost() -> None:
    events, event = woken_event()
    event.wait(0)
    events.wake()
    assert event.wait(_PATIENCE_S * 10) is False  # returns at once


def test_an_event_that_is_set_is_still_one() -> None:
    events, event = woken_event()
    event.set()
    assert event.wait(_PATIENCE_S)
    events.wake()
    assert event.wait(_PATIENCE_S)


def test_only_plain_events_are_made_ones_that_can_be_woken() -> None:
    class Special(threading.Event):
        pass

    events = WakeEvents()
    events.append(Special())
    assert type(events[0]) is Special
    events.wake()

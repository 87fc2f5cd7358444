"""The clock for everything that expires."""

import time
from typing import Any, cast

import pytest

from tfruns.elapsed import elapsed_s
from tfruns.gate.codes import ConfirmationCodes
from tfruns.gate.requests import Decision, DecisionRequests
from tfruns.impact import Impact, ImpactKind
from tfruns.web.sessions import Sessions, Visitor

HOURS_S = 13 * 3600.0


class Call:
    """A call, as far as requests need one."""

    caller = "assistant"

    def subject(self, impact: Impact) -> str:
        return impact.question


def test_the_clock_runs() -> None:
    first = elapsed_s()
    assert first <= elapsed_s()


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="the system has no clock that counts sleep")
def test_codes_decisions_links_and_sessions_expire_while_the_computer_sleeps(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, requests, sessions = ConfirmationCodes(), DecisionRequests(), Sessions()
    visitor = Visitor("operator", cast("Any", None))
    impact = Impact(frozenset({ImpactKind.APPLY}))
    request = requests.open(cast("Any", Call()), impact)
    assert requests.decide(request, impact, Decision(is_confirmed=True, by="operator"))
    code, link, session = codes.issue("x"), sessions.create_link_code(visitor), sessions.begin(visitor)
    assert (codes.is_valid(code, "x"), requests.is_valid(request), sessions.find(session.id)) == (True, True, session)
    # While a computer sleeps, only the clock since boot runs.
    awake, clock_gettime = time.monotonic(), time.clock_gettime
    monkeypatch.setattr(time, "clock_gettime", lambda clock: clock_gettime(clock) + HOURS_S)
    assert time.monotonic() < awake + HOURS_S
    assert (codes.is_valid(code, "x"), requests.is_valid(request), sessions.find(session.id)) == (False, False, None)
    assert sessions.redeem(link) is None

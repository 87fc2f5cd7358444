"""Sessions and the links that begin one."""

from typing import Any, cast

from tfruns.web.sessions import (
    FAILED_ATTEMPTS_PERIOD_S,
    LINK_LIFETIME_S,
    MAX_FAILED_ATTEMPTS,
    SESSION_LIFETIME_S,
    FailedAttempts,
    Sessions,
    Visitor,
)

VISITOR = Visitor("admin", cast("Any", None))


class FakeClock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_link_code_begins_exactly_one_session() -> None:
    sessions = Sessions(FakeClock())
    code = sessions.create_link_code(VISITOR)
    session = sessions.redeem(code)
    assert session is not None
    assert session.visitor is VISITOR
    assert sessions.find(session.id) is session
    assert sessions.redeem(code) is None
    assert sessions.redeem("unknown") is None


def test_a_link_code_expires_after_ten_minutes() -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    first, second = (sessions.create_link_code(VISITOR) for _ in range(2))
    clock.now += LINK_LIFETIME_S - 1
    assert sessions.redeem(first) is not None
    clock.now += 1
    assert sessions.redeem(second) is None


def test_a_session_expires_after_twelve_hours() -> None:
    clock = FakeClock()
    sessions = Sessions(clock)
    session = sessions.begin(VISITOR)
    clock.now += SESSION_LIFETIME_S - 1
    assert sessions.find(session.id) is session
    clock.now += 1
    assert sessions.find(session.id) is None


def test_ten_wrong_tokens_are_too_many_for_a_minute() -> None:
    clock = FakeClock()
    attempts = FailedAttempts(clock)
    found = []
    for second in range(0, 80, 2):
        clock.now = 1_000.0 + second
        found.append(attempts.are_too_many)
        if not found[-1]:
            attempts.add()
    # The first one is forgotten after a minute, each of the others two seconds later.
    assert found == [False] * MAX_FAILED_ATTEMPTS + [True] * 20 + [False] * 10
    assert FAILED_ATTEMPTS_PERIOD_S == 2 * 30


def test_a_session_ends_when_the_visitor_signs_out() -> None:
    sessions = Sessions(FakeClock())
    session, other = sessions.begin(VISITOR), sessions.begin(VISITOR)
    sessions.end(session)
    assert sessions.find(session.id) is None
    assert sessions.find(other.id) is other


def test_only_the_newest_links_and_sessions_are_kept() -> None:
    sessions = Sessions(FakeClock())
    codes = [sessions.create_link_code(VISITOR) for _ in range(257)]
    assert sessions.redeem(codes[0]) is None
    assert sessions.redeem(codes[1]) is not None
    begun = [sessions.begin(VISITOR) for _ in range(1_001)]
    assert sessions.find(begun[0].id) is None
    assert sessions.find(begun[1].id) is begun[1]


def test_a_form_belongs_to_the_session_with_its_csrf_token() -> None:
    sessions = Sessions(FakeClock())
    session, other = sessions.begin(VISITOR), sessions.begin(VISITOR)
    assert session.is_own_form(session.csrf_token)
    assert not session.is_own_form(other.csrf_token)
    assert not session.is_own_form("")
    assert not session.is_own_form("ü")


def test_secrets_of_a_session_are_not_in_its_repr() -> None:
    session = Sessions(FakeClock()).begin(VISITOR)
    assert session.id not in repr(session)
    assert session.csrf_token not in repr(session)

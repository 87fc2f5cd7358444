"""Retries: which requests, how often, after which delays."""

from datetime import UTC, datetime

import anyio
import httpx2
import pytest

from tests.support.api import ADDRESS, TOKEN, FakeApi, Script, answer, error
from tests.support.clock import FakeClock
from tests.support.samples import RUN_ID, run
from tests.support.tables import rows
from tfruns.client.retries import AttemptFailed, RetryPolicy
from tfruns.client.settings import load_settings
from tfruns.client.transport import Transport
from tfruns.errors import RateLimited, ServerError, TfrunsError

PATH = f"/runs/{RUN_ID}"
DONE = answer({"data": run()})


def transport_for(api: FakeApi, clock: FakeClock) -> Transport:
    return Transport(load_settings(ADDRESS, TOKEN), http_transport=api, clock=clock)


def limited(**headers: str) -> httpx2.Response:
    return error(429, "too many requests", **headers)


CONNECTION_ERRORS: list[httpx2.RequestError] = [
    httpx2.ConnectError("refused"),
    httpx2.ConnectTimeout("no connection in time"),
    httpx2.PoolTimeout("no free connection"),
    httpx2.ProxyError("no tunnel"),
    httpx2.ReadTimeout("no answer"),
    httpx2.ReadError("reset"),
    httpx2.WriteError("broken pipe"),
    httpx2.WriteTimeout("not taken"),
    httpx2.RemoteProtocolError("cut"),
    httpx2.DecodingError("damaged"),
]
NOT_SENT = CONNECTION_ERRORS[:4]
SENT = CONNECTION_ERRORS[4:]


# -- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("failure", [*CONNECTION_ERRORS, limited(), *(error(s, "x") for s in (502, 503, 504))])
async def test_read_is_retried_after_a_transient_failure(failure: Script) -> None:
    api, clock = FakeApi().on("GET", PATH, failure, failure, DONE), FakeClock()
    got = await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert got.document == {"data": run()}
    assert len(api.requests) == 3
    assert len(clock.sleeps) == 2
    assert all(seconds > 0 for seconds in clock.sleeps)


@pytest.mark.anyio
@rows("status", [400, 401, 403, 404, 405, 409, 410, 422, 500, 501])
async def test_read_is_not_retried_after_a_permanent_failure(status: int) -> None:
    api, clock = FakeApi().on("GET", PATH, error(status, "no"), DONE), FakeClock()
    with pytest.raises(TfrunsError):
        await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert len(api.requests) == 1
    assert clock.sleeps == []


@pytest.mark.anyio
@rows("failure", [*CONNECTION_ERRORS, limited(), error(503, "busy")])
async def test_read_fails_with_the_last_error_after_all_attempts(failure: Script) -> None:
    api, clock = FakeApi().on("GET", PATH, failure), FakeClock()
    with pytest.raises(TfrunsError) as caught:
        await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert 3 <= len(api.requests) <= 6
    assert sum(clock.sleeps) <= 60
    assert caught.value.is_retryable or isinstance(failure, httpx2.DecodingError)


@pytest.mark.anyio
async def test_last_failure_is_reported() -> None:
    api = FakeApi().on("GET", PATH, error(503, "busy"), httpx2.ReadError("reset"), error(404, "not found"))
    with pytest.raises(TfrunsError) as caught:
        await transport_for(api, FakeClock()).get(f"/api/v2{PATH}")
    assert caught.value.status == 404


@pytest.mark.anyio
async def test_delays_grow_and_have_jitter() -> None:
    waits: list[list[float]] = []
    for _ in range(20):
        api, clock = FakeApi().on("GET", PATH, error(503, "busy")), FakeClock()
        with pytest.raises(ServerError):
            await transport_for(api, clock).get(f"/api/v2{PATH}")
        waits.append(clock.sleeps)
    assert len({tuple(sleeps) for sleeps in waits}) == 20, "jitter"
    for first, *_, last in waits:
        assert first <= 1.0
        assert last > first
    policy = RetryPolicy()
    assert all(policy.wait_s(100, None) <= policy.longest_wait_s for _ in range(50))


@pytest.mark.anyio
async def test_no_attempt_starts_after_the_retry_budget() -> None:
    clock = FakeClock()

    starts: list[float] = []

    def slow(request: httpx2.Request) -> httpx2.Response:
        starts.append(clock.monotonic() - 1000.0)
        clock.pass_time(30.0)
        raise httpx2.ReadTimeout("no answer")

    api = FakeApi().on("GET", PATH, slow)
    with pytest.raises(TfrunsError):
        await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert len(starts) > 1
    assert max(starts) <= 30.0 + RetryPolicy().budget_s, "the first failed after 30 s"


# -- when the server says how long ------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"retry_after": "0.25"}, 0.25),
        ({"retry_after": "Fri, 02 Jan 2026 03:04:16 GMT", "date": "Fri, 02 Jan 2026 03:04:05 GMT"}, 11.0),
        ({"retry_after": "Fri Jan  2 03:04:16 2026", "date": "Fri, 02 Jan 2026 03:04:05 GMT"}, 11.0),
        ({"retry_after": "Thu, 01 Jan 2026 00:00:00 GMT", "date": "Fri, 02 Jan 2026 03:04:05 GMT"}, 0.0),
        ({"x_ratelimit_reset": "3.5"}, 3.5),
        ({"retry_after": "2", "x_ratelimit_reset": "9"}, 2.0),
        ({"retry_after": "soon", "x_ratelimit_reset": "9"}, 9.0),
        ({"retry_after": "", "x_ratelimit_reset": "9"}, 9.0),
        ({"retry_after": "-5"}, 0.0),
    ],
    ids=str,
)
async def test_429_is_retried_after_the_servers_delay(headers: dict[str, str], seconds: float) -> None:
    api, clock = FakeApi().on("GET", PATH, limited(**headers), DONE), FakeClock()
    await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert len(api.requests) == 2
    assert seconds <= sum(clock.sleeps) <= seconds + 0.5


@pytest.mark.anyio
async def test_retry_after_date_without_date_header_uses_local_clock() -> None:
    """The client's clock is used, not the machine's."""
    clock = FakeClock(datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC))
    api = FakeApi().on("GET", PATH, limited(retry_after="Tue, 06 May 2031 07:08:29 GMT"), DONE)
    await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert 20 <= sum(clock.sleeps) <= 20.5


@pytest.mark.anyio
@rows("status", [502, 503, 504])
async def test_retry_after_of_a_busy_server_is_respected(status: int) -> None:
    api, clock = FakeApi().on("GET", PATH, error(status, "busy", retry_after="12"), DONE), FakeClock()
    await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert 12 <= sum(clock.sleeps) <= 12.5


@pytest.mark.anyio
@rows(
    "garbage",
    [
        "",
        " ",
        "soon",
        "-1",
        "nan",
        "-inf",
        "0x10",
        "1, 2",
        "Fri, 99 Foo 2026",
        "Fri, 02 Jan 2026 03:04:16",
        "Fri, 02 Jan 2026 03:04:16 -0000",
        "Fri, 02 Jan 99999999999999999999 03:04:05 GMT",
        "Fri, 02 Jan 2026 03:04:05 +99999999999999999999",
    ],
)
@rows("header", ["retry_after", "x_ratelimit_reset"])
@rows("date", ["Fri, 02 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:04:05"])
async def test_invalid_retry_after_is_ignored(garbage: str, header: str, date: str) -> None:
    refusal = limited(date=date, **{header: garbage})
    api, clock = FakeApi().on("GET", PATH, refusal, DONE), FakeClock()
    await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert len(api.requests) == 2
    assert sum(clock.sleeps) <= 12


@pytest.mark.anyio
@rows("huge", ["86400", "1e300", "inf", "1e999", "Fri, 01 Jan 2125 00:00:00 GMT"])
@rows("status", [429, 503])
async def test_very_long_retry_after_fails_immediately(huge: str, status: int) -> None:
    refusal = error(status, "later", retry_after=huge, date="Fri, 02 Jan 2026 03:04:05 GMT")
    api, clock = FakeApi().on("GET", PATH, refusal), FakeClock()
    with pytest.raises(TfrunsError) as caught:
        await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert caught.value.status == status
    assert sum(clock.sleeps) <= 60
    wait_s = caught.value.retry_after_s
    assert wait_s is None or 3600 <= wait_s < float("inf"), "a number that JSON can say"


@pytest.mark.anyio
@rows("huge", ["61", "86400", "604800"])
async def test_very_long_retry_after_does_not_block_later_calls(huge: str) -> None:
    api, clock = FakeApi().on("GET", PATH, limited(retry_after=huge), DONE), FakeClock()
    transport = transport_for(api, clock)
    with pytest.raises(RateLimited):
        await transport.get(f"/api/v2{PATH}")
    with anyio.fail_after(5):
        await transport.get(f"/api/v2{PATH}")
    assert sum(clock.sleeps) <= 1, "one window of the rate limit"


# -- changes ----------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("failure", [*NOT_SENT, limited(retry_after="1")])
async def test_change_is_retried_if_it_certainly_did_not_happen(failure: Script) -> None:
    api, clock = FakeApi().on("POST", "/runs", failure, failure, answer({"data": run()}, 201)), FakeClock()
    got = await transport_for(api, clock).post("/api/v2/runs", {"data": 1})
    assert got.document == {"data": run()}
    assert len(api.requests) == 3
    assert len({request.content for request in api.requests}) == 1


@pytest.mark.anyio
@rows("failure", [*SENT, *(error(s, "x", retry_after="1") for s in (502, 503, 504))])
async def test_change_that_may_have_happened_is_never_retried(failure: Script) -> None:
    api, clock = FakeApi().on("POST", "/runs", failure, answer({"data": run()}, 201)), FakeClock()
    with pytest.raises(AttemptFailed) as caught:
        await transport_for(api, clock).post("/api/v2/runs", {})
    assert caught.value.is_ambiguous
    assert len(api.requests) == 1
    assert clock.sleeps == []


@pytest.mark.anyio
@rows("failure", [*SENT, error(502, "x"), error(503, "x"), error(504, "x")])
async def test_change_retried_after_a_429_stops_once_ambiguous(failure: Script) -> None:
    refused = httpx2.ConnectError("refused")
    api = FakeApi().on("POST", "/runs", limited(retry_after="1"), refused, failure, answer({}, 201))
    with pytest.raises(AttemptFailed) as caught:
        await transport_for(api, FakeClock()).post("/api/v2/runs", {})
    assert caught.value.is_ambiguous
    assert len(api.requests) == 3


@pytest.mark.anyio
@rows("status", [400, 401, 403, 404, 408, 409, 422, 425, 501])
async def test_refused_change_is_neither_retried_nor_ambiguous(status: int) -> None:
    api, clock = FakeApi().on("POST", "/runs", error(status, "no"), answer({}, 201)), FakeClock()
    with pytest.raises(TfrunsError) as caught:
        await transport_for(api, clock).post("/api/v2/runs", {})
    assert caught.value.status == status
    assert len(api.requests) == 1


@pytest.mark.anyio
@rows("failure", [*NOT_SENT, limited(retry_after="1")])
async def test_unsent_change_fails_as_not_happened(failure: Script) -> None:
    api, clock = FakeApi().on("POST", "/runs", failure), FakeClock()
    with pytest.raises(TfrunsError):
        await transport_for(api, clock).post("/api/v2/runs", {})
    assert 3 <= len(api.requests) <= 6
    assert sum(clock.sleeps) <= 60


@pytest.mark.anyio
@rows("content", [b"", b'{"data": {"id": "run-', b"\xff\xfe"])
async def test_change_with_an_unparsable_response_is_not_retried(content: bytes) -> None:
    cut = httpx2.Response(201, content=content, headers={"content-type": "application/vnd.api+json"})
    api = FakeApi().on("POST", "/runs", cut)
    with pytest.raises(AttemptFailed) as caught:
        await transport_for(api, FakeClock()).post("/api/v2/runs", {})
    assert caught.value.is_ambiguous
    assert len(api.requests) == 1


# -- waiting ----------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_call_cancelled_during_a_delay_sends_nothing_more() -> None:
    class Stuck(FakeClock):
        async def sleep(self, seconds: float) -> None:
            self.sleeps.append(seconds)
            await anyio.sleep_forever()

    api, clock = FakeApi().on("GET", PATH, error(503, "busy"), DONE), Stuck()
    with anyio.move_on_after(0.01) as scope:
        await transport_for(api, clock).get(f"/api/v2{PATH}")
    assert scope.cancelled_caught
    assert len(api.requests) == 1


@pytest.mark.anyio
async def test_other_exceptions_propagate() -> None:
    api = FakeApi().on("GET", PATH, ZeroDivisionError("a mistake of ours"))
    with pytest.raises(ZeroDivisionError):
        await transport_for(api, FakeClock()).get(f"/api/v2{PATH}")
    assert len(api.requests) == 1

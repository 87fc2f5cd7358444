"""The checks of `tfruns doctor`, where a real API cannot be made to do it."""

from datetime import timedelta
from email.utils import format_datetime

import httpx2
import pytest

from tests.support.api import FakeApi, answer, client_for
from tests.support.clock import FakeClock
from tests.support.samples import user
from tests.support.tables import rows
from tfruns.cli.doctor.findings import Finding, Health, Named, examine, ok
from tfruns.cli.doctor.remote import Remote
from tfruns.errors import NotFound


async def hangs() -> Finding:
    import anyio

    await anyio.sleep_forever()
    raise AssertionError


async def fails() -> Finding:
    raise ZeroDivisionError("by zero")


async def refused() -> Finding:
    raise NotFound("It is not there.", solution="Look elsewhere.")


async def well() -> Finding:
    return ok("fine")


async def test_no_check_hides_another_and_none_takes_longer_than_it_may() -> None:
    checks = [Named("hangs", hangs), Named("fails", fails), Named("refused", refused), Named("well", well)]
    found = dict(await examine(checks, within_s=0.05))
    assert list(found) == ["hangs", "fails", "refused", "well"]
    assert [finding.health for finding in found.values()] == [*[Health.BROKEN] * 3, Health.OK]
    assert "longer than" in found["hangs"].text
    assert "ZeroDivisionError: by zero" in found["fails"].text
    assert found["refused"] == Finding(Health.BROKEN, "It is not there.", "Look elsewhere.")


def greeting(**headers: str) -> httpx2.Response:
    named = {"tfp-api-version": "2.6", "tfp-appname": "Terraform Enterprise", **headers}
    return httpx2.Response(204, headers=named)


@pytest.mark.parametrize(
    ("ahead_s", "health"), [(0, Health.OK), (20, Health.OK), (90, Health.WARNING), (-90, Health.WARNING)]
)
async def test_a_clock_that_differs_is_noticed(ahead_s: float, health: Health) -> None:
    clock = FakeClock()
    date = format_datetime(clock.now() + timedelta(seconds=ahead_s), usegmt=True)
    api = FakeApi().on("GET", "/ping", greeting(date=date))
    remote = Remote(client_for(api, clock), None)
    found = await remote.clock()
    assert found.health is health
    assert health is Health.OK or ("behind" in found.text) is (ahead_s > 0)
    await remote.aclose()


async def test_the_ping_is_asked_once_and_without_the_token() -> None:
    api = FakeApi().on("GET", "/ping", greeting(**{"x-ratelimit-limit": "30"}))
    remote = Remote(client_for(api), None)
    found = [await check() for check in (remote.address, remote.api_version, remote.rate_limit)]
    assert [finding.health for finding in found] == [Health.OK] * 3
    assert found[2].text == "30 requests a second"
    assert [request.headers.get("authorization") for request in api.requests] == [None]
    await remote.aclose()


async def test_what_is_not_the_api_is_not_taken_for_it() -> None:
    api = FakeApi().on("GET", "/ping", httpx2.Response(200, text="<html>welcome</html>"))
    remote = Remote(client_for(api), None)
    assert (await remote.address()).health is Health.BROKEN
    await remote.aclose()


@rows(
    ("username", "resource", "kind", "health"),
    [
        ("me", {"type": "users", "id": "user-1"}, "user", Health.OK),
        ("x", {"type": "teams", "id": "team-1"}, "team", Health.OK),
        ("x", {"type": "organizations", "id": "acme"}, "organization", Health.WARNING),
        ("api-org-acme-1", None, "organization", Health.WARNING),
        ("api-team_12", None, "team", Health.OK),
    ],
)
async def test_the_kind_of_a_token_is_told(
    username: str, resource: dict[str, str] | None, kind: str, health: Health
) -> None:
    whose = user(username=username)
    if resource is not None:
        whose["relationships"] = {"authenticated-resource": {"data": resource}}
    remote = Remote(client_for(FakeApi().on("GET", "/account/details", answer({"data": whose}))), None)
    found = await remote.token()
    assert found.health is health
    assert f"of the kind {kind}" in found.text

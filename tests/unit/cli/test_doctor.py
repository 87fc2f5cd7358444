"""Checks of `tfruns doctor` for conditions that a real API cannot be made to have."""

from datetime import timedelta
from email.utils import format_datetime

import httpx2

from tests.support.api import FakeApi, answer, client_for
from tests.support.clock import FakeClock
from tests.support.samples import user
from tests.support.tables import rows
from tfruns.cli.doctor.findings import Check, Finding, Health, ok, run_checks
from tfruns.cli.doctor.remote import Remote
from tfruns.errors import NotFound


async def hangs() -> Finding:
    import anyio

    await anyio.sleep_forever()
    raise AssertionError


async def fails() -> Finding:
    raise ZeroDivisionError("by zero")


async def refused() -> Finding:
    raise NotFound("The item does not exist.", solution="Check its name.")


async def well() -> Finding:
    return ok("fine")


async def test_checks_fail_independently_and_have_a_time_limit() -> None:
    checks = [Check("hangs", hangs), Check("fails", fails), Check("refused", refused), Check("well", well)]
    found = dict(await run_checks(checks, timeout_s=0.05))
    assert list(found) == ["hangs", "fails", "refused", "well"]
    assert [finding.health for finding in found.values()] == [*[Health.BROKEN] * 3, Health.OK]
    assert found["hangs"].text == "Timed out after 0 s."
    assert "ZeroDivisionError: by zero" in found["fails"].text
    assert found["refused"] == Finding(Health.BROKEN, "The item does not exist.", "Check its name.")


def ping_response(**headers: str) -> httpx2.Response:
    named = {"tfp-api-version": "2.6", "tfp-appname": "Terraform Enterprise", **headers}
    return httpx2.Response(204, headers=named)


@rows(("ahead_s", "health"), [(0, Health.OK), (20, Health.OK), (90, Health.WARNING), (-90, Health.WARNING)])
async def test_clock_skew_above_the_limit_is_a_warning(ahead_s: float, health: Health) -> None:
    clock = FakeClock()
    date = format_datetime(clock.now() + timedelta(seconds=ahead_s), usegmt=True)
    api = FakeApi().on("GET", "/ping", ping_response(date=date))
    remote = Remote(client_for(api, clock), None)
    found = await remote.clock()
    assert found.health is health
    assert health is Health.OK or ("behind" in found.text) is (ahead_s > 0)
    await remote.aclose()


async def test_ping_is_sent_once_and_without_the_token() -> None:
    api = FakeApi().on("GET", "/ping", ping_response(**{"x-ratelimit-limit": "30"}))
    remote = Remote(client_for(api), None)
    found = [await check() for check in (remote.address, remote.api_version, remote.rate_limit)]
    assert [finding.health for finding in found] == [Health.OK] * 3
    assert found[2].text == "30 requests per second"
    assert [request.headers.get("authorization") for request in api.requests] == [None]
    await remote.aclose()


async def test_response_of_another_server_is_broken() -> None:
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
async def test_token_finding_has_the_kind_of_the_token(
    username: str, resource: dict[str, str] | None, kind: str, health: Health
) -> None:
    account = user(username=username)
    if resource is not None:
        account["relationships"] = {"authenticated-resource": {"data": resource}}
    remote = Remote(client_for(FakeApi().on("GET", "/account/details", answer({"data": account}))), None)
    found = await remote.token()
    assert found.health is health
    assert found.text.startswith(f"{kind} token of ")

"""`--passkey`: with a virtual authenticator of Chromium, a person registers a passkey and confirms what destroys."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

import pytest
from playwright.async_api import CDPSession, Page, expect

from tests.support.local_lab import Lab
from tests.support.local_server import LocalServer
from tests.web.browser.support import (
    Chromium,
    decide,
    expect_no_problem,
    expect_problem,
    expect_status,
    open_run,
    violations,
)
from tfruns.wire.runs import Run

ONE = 'resource "terraform_data" "one" { input = "1" }'
_OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture(scope="module")
def server(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("server") / "data", "--passkey") as server:
        yield server


@pytest.fixture(autouse=True)
def _no_passkeys(server: LocalServer) -> None:
    (server.data_dir / "passkeys.json").unlink(missing_ok=True)


class Authenticator:
    """The authenticator of a page: its person verifies themselves, or not."""

    def __init__(self, session: CDPSession, id_: str) -> None:
        self._session = session
        self.id = id_

    @classmethod
    async def of(cls, page: Page) -> "Authenticator":
        session = await page.context.new_cdp_session(page)
        await session.send("WebAuthn.enable")
        options = {"options": {**_OPTIONS, "isUserVerified": True}}
        return cls(session, (await session.send("WebAuthn.addVirtualAuthenticator", options))["authenticatorId"])

    async def send(self, method: str, **arguments: Any) -> Any:
        return await self._session.send(f"WebAuthn.{method}", {"authenticatorId": self.id, **arguments})


async def _register(page: Page, name: str) -> None:
    await page.goto("/app/-/passkeys")
    await page.get_by_label("Name", exact=True).fill(name)
    await page.get_by_role("button", name="Register a passkey").click()


async def _destroying(lab: Lab, name: str) -> Run:
    workspace = await lab.workspace(ONE, name=name)
    await lab.applied(workspace)
    return await lab.planned(workspace, is_destroy=True)


async def _press_apply(page: Page, name: str) -> None:
    await page.get_by_label("Workspace name").fill(name)
    await page.get_by_role("button", name="Apply", exact=True).click()


async def test_what_destroys_needs_a_passkey_of_the_person(chromium: Chromium, lab: Lab) -> None:
    run = await _destroying(lab, "network")
    async with chromium.visitor() as page:
        assert page.url.startswith("http://localhost:")  # browsers bind no passkey to an address
        authenticator = await Authenticator.of(page)
        await open_run(page, run)
        await _press_apply(page, "network")
        await expect_problem(page, "requires a passkey, and you have not registered one")
        assert await lab.status(run) == "planned"

        await _register(page, "Laptop <b>1</b>")
        await expect(page.get_by_role("rowheader", name="Laptop <b>1</b>")).to_be_visible()

        assert await violations(page) == []

        await authenticator.send("setUserVerified", isUserVerified=False)
        await open_run(page, run)
        await _press_apply(page, "network")
        await expect_problem(page, "Nothing was sent")
        assert await lab.status(run) == "planned"

        await authenticator.send("setUserVerified", isUserVerified=True)
        await open_run(page, run)
        await _press_apply(page, "network")
        await expect_status(page, "Applied")
        await lab.until(run, "applied")


async def test_a_form_without_a_passkey_is_not_sent(chromium: Chromium, lab: Lab) -> None:
    """As a program would, which fills in the form by itself."""
    run = await _destroying(lab, "network-2")
    async with chromium.visitor(java_script_enabled=False) as page:
        await open_run(page, run)
        await decide(page, "Apply", workspace_name="network-2")
        await expect_problem(page, "requires a passkey, and none of yours confirmed it. Nothing was sent.")
    assert await lab.status(run) == "planned"


async def test_a_passkey_confirms_one_decision_once(chromium: Chromium, lab: Lab) -> None:
    """The response of a passkey is sent again, and for another run."""
    first, second = await _destroying(lab, "network-3"), await _destroying(lab, "network-4")
    async with chromium.visitor() as page:
        await Authenticator.of(page)
        await _register(page, "Laptop")
        await expect(page.get_by_role("rowheader", name="Laptop")).to_be_visible()
        await open_run(page, first)
        await page.get_by_label("Workspace name").fill("network-3")
        async with page.expect_request(lambda sent: sent.method == "POST" and sent.url.endswith(first.id)) as sent:
            await page.get_by_role("button", name="Apply", exact=True).click()
        fields = dict(parse_qsl((await sent.value).post_data or ""))
        await expect_status(page, "Applied")
        assert json.loads(fields["passkey"])["type"] == "public-key"

        await open_run(page, second)
        seen = await page.locator("form[data-passkey] input[name=seen]").get_attribute("value") or ""
        origin = {"origin": page.url.partition("/app")[0]}
        again: dict[str, Any] = {**fields, "seen": seen, "workspace_name": "network-4"}
        response = await page.context.request.post(page.url, form=again, headers=origin)
        assert response.status == 409
        assert "none of yours confirmed it" in await response.text()
    assert await lab.status(second) == "planned"


async def test_a_second_passkey_needs_the_first_one(chromium: Chromium) -> None:
    async with chromium.visitor() as owner, chromium.visitor() as other:
        await Authenticator.of(owner)
        await _register(owner, "Laptop")
        await expect(owner.get_by_role("rowheader", name="Laptop")).to_be_visible()
        thief = await Authenticator.of(other)
        await _register(other, "Thief")
        await expect_problem(other, "Nothing was sent")
        assert (await thief.send("getCredentials"))["credentials"] == []
        await owner.goto("/app/-/passkeys")
        await expect(owner.get_by_role("rowheader")).to_have_count(1)


async def test_what_destroys_nothing_needs_no_passkey(chromium: Chromium, lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(ONE))
    async with chromium.visitor() as page:
        await open_run(page, run)
        await decide(page, "Apply")
        await expect_no_problem(page)
    await lab.until(run, "applied")

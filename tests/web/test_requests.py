"""The page of an assistant's request: what it shows, and the one decision that it takes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import ConnectionTo, FakeApi, answer, client_for, error
from tests.tools.calls import RUN_ID, TOOLS, WORKSPACE_ID
from tests.web.support import Form, forms_of
from tfruns.client.client import Client
from tfruns.errors import ServerError
from tfruns.gate.pending_call import PendingCall
from tfruns.gate.requests import LIFETIME_S, REQUESTS_PATH, DecisionRequest, DecisionRequests
from tfruns.impact import Impact
from tfruns.policy import Policy
from tfruns.web.decisions import UNPROVEN
from tfruns.web.loopback import LoopbackPages
from tfruns.web.passkeys import PasskeyFile, Passkeys

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e"
ADDS = samples.plan_json(web=["create"])
DESTROYS = samples.plan_json(db=["delete"], web=["create"])


class Unreadable(PendingCall):
    """A call whose impact the API does not tell at the moment."""

    def __init__(self) -> None:
        super().__init__(TOOLS["discard_run"], {"run_id": RUN_ID, "comment": ""}, "Claude Code")

    async def impact(self, client: Client) -> Impact:
        raise ServerError("The API failed.", status=503)


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Lab:
    """Pages beside a fake API with one run, and calls that wait for a decision."""

    def __init__(self, plan: Any = DESTROYS, passkeys: Passkeys | None = None) -> None:
        self.api = FakeApi()
        self.api.on("GET", "/account/details", answer({"data": samples.user(username="operator")}))
        run = {"data": samples.planned(), "included": [samples.workspace()]}
        self.api.on("GET", f"/runs/{RUN_ID}", answer(run))
        self.api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": samples.workspace()}))
        self.api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(samples.planned())))
        self.api.on("GET", f"/plans/{samples.PLAN_ID}/json-output", answer(plan))
        self.client = client_for(self.api)
        self.clock = Clock()
        self.pages = LoopbackPages(ConnectionTo(self.client).client, Policy(), command="tfruns mcp", passkeys=passkeys)
        self.pages.requests = DecisionRequests(self.clock)
        self.url = ""

    async def request(self, tool: str = "apply_run", caller: str = "Claude Code", **values: Any) -> DecisionRequest:
        call = PendingCall(TOOLS[tool], {"run_id": RUN_ID, "comment": "", **values}, caller, {}, "2.1.332")
        return self.pages.requests.open(call, await call.impact(self.client))

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[httpx2.AsyncClient]:
        """A browser with a session."""
        link = await self.pages.link("/app")
        if self.pages.passkeys is not None:  # browsers bind passkeys to a host name
            link = link.replace("127.0.0.1", "localhost")
        self.url = link.partition("/app/")[0]
        async with httpx2.AsyncClient(base_url=self.url, headers={"origin": self.url}) as browser:
            form = forms_of((await browser.get(link)).text)["Continue"]
            assert (await browser.post(form.action, data=form.fields)).status_code == 303
            yield browser


@pytest.fixture
async def lab() -> AsyncIterator[Lab]:
    lab = Lab()
    yield lab
    await lab.pages.aclose()
    await lab.client.aclose()


@pytest.fixture
async def browser(lab: Lab) -> AsyncIterator[httpx2.AsyncClient]:
    async with lab.browser() as browser:
        yield browser


def path(request: DecisionRequest) -> str:
    return f"{REQUESTS_PATH}{request.id}"


async def forms(browser: httpx2.AsyncClient, request: DecisionRequest) -> dict[str, Form]:
    response = await browser.get(path(request))
    assert response.status_code == 200, response.text
    return {name: form for name, form in forms_of(response.text).items() if name in {"Apply", "Discard", "Decline"}}


async def test_the_page_shows_who_asks_for_what_and_the_review(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request(comment="as agreed")
    text = (await browser.get(path(request))).text
    for shown in (
        "An assistant asks: Apply a run",
        'Claude Code 2.1.332 <span class="quiet">(the name that it gives itself)</span>',
        "as agreed",
        "terraform_data.db",
        "1 to add, 0 to change, 1 to destroy",
        "expires in 10 minutes",
    ):
        assert shown in text, shown
    assert list(forms_of(text)) == ["Sign out", "Apply", "Decline", "Filter"]


async def test_the_page_needs_a_session_and_the_link_contains_none(lab: Lab) -> None:
    request = await lab.request()
    link = await lab.pages.url(path(request))
    async with httpx2.AsyncClient() as stranger:
        response = await stranger.get(link)
    assert response.status_code == 401
    assert "Claude Code" not in response.text
    assert link.endswith(path(request))


async def test_destroying_is_confirmed_only_with_the_workspace_name(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request()
    form = (await forms(browser, request))["Apply"]
    for name in ("", "Network", "acme/network"):
        response = await browser.post(form.action, data={**form.fields, "workspace_name": name})
        assert response.status_code == 409
        assert "workspace name does not match" in response.text
    assert lab.pages.requests.use(request) is None
    response = await browser.post(form.action, data={**form.fields, "workspace_name": " network "})
    assert (response.status_code, response.headers["location"]) == (303, path(request))
    assert request.decision is not None
    assert (request.decision.is_confirmed, request.decision.by) == (True, "operator")
    assert "operator confirmed this call" in (await browser.get(path(request))).text
    assert lab.api.sent("POST") == []


async def test_a_refusal_is_recorded_without_a_name(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request()
    form = (await forms(browser, request))["Decline"]
    assert "workspace_name" not in form.fields
    assert (await browser.post(form.action, data=form.fields)).status_code == 303
    assert request.decision is not None
    assert request.decision.is_confirmed is False
    assert "operator declined this call" in (await browser.get(path(request))).text


async def test_only_the_first_decision_counts(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request("discard_run")
    found = await forms(browser, request)
    async with lab.browser() as other:
        others = await forms(other, request)
        assert (await browser.post(path(request), data=found["Discard"].fields)).status_code == 303
        for http, form in ((browser, found["Decline"]), (other, others["Decline"]), (other, others["Discard"])):
            response = await http.post(path(request), data=form.fields)
            assert response.status_code == 409
            assert "operator confirmed this call" in response.text
    assert request.decision is not None
    assert request.decision.is_confirmed is True


async def test_a_form_of_another_session_or_site_decides_nothing(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request("discard_run")
    async with lab.browser() as other:
        form = (await forms(other, request))["Discard"]
    assert (await browser.post(path(request), data=form.fields)).status_code == 403
    own = (await forms(browser, request))["Discard"]
    foreign = await browser.post(path(request), data=own.fields, headers={"origin": "https://attacker.example"})
    assert foreign.status_code == 403
    async with httpx2.AsyncClient(base_url=lab.url, headers={"origin": lab.url}) as stranger:
        assert (await stranger.post(path(request), data=own.fields)).status_code == 401
    assert (await browser.post(path(request), data={**own.fields, "decision": "maybe"})).status_code == 404
    assert request.decision is None


async def test_nothing_is_decided_once_the_plan_has_changed(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request()
    form = (await forms(browser, request))["Apply"]
    changed = answer({"data": samples.planned(status="discarded"), "included": [samples.workspace()]})
    lab.api.off("GET", f"/runs/{RUN_ID}").on("GET", f"/runs/{RUN_ID}", changed)
    response = await browser.post(form.action, data={**form.fields, "workspace_name": "network"})
    assert response.status_code == 409
    assert "has changed since the assistant asked. Nothing was sent." in response.text
    assert request.decision is None
    assert list(await forms(browser, request)) == []


async def test_an_impact_that_cannot_be_read_is_not_called_a_change(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request("discard_run")
    form = (await forms(browser, request))["Discard"]
    request.call = Unreadable()
    for response in (await browser.get(path(request)), await browser.post(form.action, data=form.fields)):
        assert "its impact cannot be read. Nothing was sent." in response.text
        assert "has changed since" not in response.text
    assert response.status_code == 409
    assert request.decision is None


async def test_a_used_confirmation_is_not_called_a_sent_change(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request("discard_run")
    form = (await forms(browser, request))["Discard"]
    assert (await browser.post(form.action, data=form.fields)).status_code == 303
    assert lab.pages.requests.use(request) is not None
    # The API may have refused the call. The run is final by now, which is not a problem of the request.
    changed = answer({"data": samples.planned(status="discarded"), "included": [samples.workspace()]})
    lab.api.off("GET", f"/runs/{RUN_ID}").on("GET", f"/runs/{RUN_ID}", changed)
    text = (await browser.get(path(request))).text
    assert "the assistant has used the confirmation. The run shows the result." in text
    assert "sent" not in text.partition("<main")[2].partition("The call")[0]
    assert 'class="notice failed"' not in text.partition("The call")[0]


async def test_without_a_readable_name_nothing_that_destroys_is_confirmed(lab: Lab) -> None:
    nameless = samples.workspace()
    nameless["attributes"]["name"] = None
    run = {"data": samples.planned(), "included": [nameless]}
    lab.api.off("GET", f"/runs/{RUN_ID}").on("GET", f"/runs/{RUN_ID}", answer(run))
    lab.api.off("GET", f"/workspaces/{WORKSPACE_ID}").on("GET", f"/workspaces/{WORKSPACE_ID}", error(404, "not found"))
    request = await lab.request()
    async with lab.browser() as browser:
        form = (await forms(browser, request))["Apply"]
        for name in ("", " ", "None"):
            response = await browser.post(form.action, data={**form.fields, "workspace_name": name})
            assert response.status_code == 409, name
    assert request.decision is None


async def test_an_expired_request_takes_no_decision(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request("discard_run")
    form = (await forms(browser, request))["Discard"]
    lab.clock.now += LIFETIME_S
    response = await browser.post(form.action, data=form.fields)
    assert response.status_code == 409
    assert "This request has expired. Nothing was sent." in response.text
    assert request.decision is None


async def test_two_requests_are_decided_separately(browser: httpx2.AsyncClient, lab: Lab) -> None:
    first, second = await lab.request("discard_run"), await lab.request("discard_run", comment="other")
    form = (await forms(browser, first))["Discard"]
    assert (await browser.post(path(first), data=form.fields)).status_code == 303
    assert (first.decision is not None, second.decision) == (True, None)
    assert set(await forms(browser, second)) == {"Discard", "Decline"}


async def test_an_unknown_request_is_404(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request()
    lab.pages.requests.withdraw(request)
    response = await browser.get(path(request))
    assert response.status_code == 404
    assert "has restarted `tfruns mcp`" in response.text
    assert "Nothing was sent" not in response.text  # an earlier decision may have been used


async def test_names_and_arguments_of_an_assistant_are_data(browser: httpx2.AsyncClient, lab: Lab) -> None:
    request = await lab.request(caller=HOSTILE, comment=HOSTILE)
    text = (await browser.get(path(request))).text
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "\u202e" not in text


async def test_with_passkeys_destroying_needs_one(tmp_path: Path) -> None:
    lab = Lab(passkeys=Passkeys(PasskeyFile(tmp_path / "passkeys.json")))
    try:
        async with lab.browser() as browser:
            request = await lab.request()
            form = (await forms(browser, request))["Apply"]
            assert {"tool", "seen", "passkey"} <= set(form.fields)
            assert 'data-passkey="confirm"' in (await browser.get(path(request))).text
            response = await browser.post(form.action, data={**form.fields, "workspace_name": "network"})
            assert response.status_code == 409
            assert UNPROVEN in response.text
            assert request.decision is None
            harmless = await lab.request("discard_run")
            form = (await forms(browser, harmless))["Discard"]
            assert (await browser.post(form.action, data=form.fields)).status_code == 303
    finally:
        await lab.pages.aclose()
        await lab.client.aclose()

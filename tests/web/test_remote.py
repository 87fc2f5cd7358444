"""The pages beside a remote API: what they show, what they permit, and what they say when the API refuses."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import TOKEN, ConnectionTo, FakeApi, accepted, answer, client_for, error
from tests.support.samples import PLAN_ID, RUN_ID, WORKSPACE_ID
from tests.web.support import Browser, forms_of
from tfruns.errors import NoCredentials, Unauthorized
from tfruns.policy import Mode, Policy
from tfruns.scope import parse_scope
from tfruns.web.loopback import LoopbackPages
from tfruns.web.running import running_pages

Opened = Callable[..., Any]

RUN_PAGE = f"/app/acme/workspaces/network/runs/{RUN_ID}"
REDACTED_PLAN = samples.plan_json(db=["create"])
_RUNS = "/organizations/acme/runs"
_WORKSPACES = "/organizations/acme/workspaces"


def remote_api(run: dict[str, Any] | None = None) -> FakeApi:
    """An API with a workspace `network`, and a run in it; by default, one that waits for confirmation."""
    run = run or samples.planned(message="Open the shop")
    api = FakeApi()
    api.on("GET", "/account/details", answer({"data": samples.user(username="operator")}))
    api.on("GET", "/organizations", answer({"data": [{"id": "acme", "type": "organizations"}]}))
    api.on("GET", _RUNS, answer({**samples.page(run), "included": [samples.workspace()]}))
    api.on("GET", _WORKSPACES, answer(samples.page(samples.workspace(), total=1)))
    api.on("GET", f"{_WORKSPACES}/network", answer({"data": samples.workspace()}))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": samples.workspace()}))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(run, total=1)))
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": run, "included": [samples.workspace()]}))
    api.on("GET", f"/plans/{PLAN_ID}/json-output", error(404, "not found"))
    api.on("GET", f"/plans/{PLAN_ID}/json-output-redacted", answer(REDACTED_PLAN))
    for action in ("apply", "discard"):
        api.on("POST", f"/runs/{RUN_ID}/actions/{action}", accepted())
    return api


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Opens the pages of an API, and returns a browser with a session."""
    async with AsyncExitStack() as stack:

        async def open_(api: FakeApi, policy: Policy | None = None, connection: ConnectionTo | None = None) -> Browser:
            connection = connection or ConnectionTo(client_for(api))
            pages = LoopbackPages(connection.client, policy or Policy(), command="tfruns web")
            stack.push_async_callback(pages.aclose)
            link = await pages.link()
            url = link.partition("/app/")[0]
            browser = httpx2.AsyncClient(base_url=url, headers={"origin": url}, trust_env=False, timeout=30)
            await stack.enter_async_context(browser)
            form = forms_of((await browser.get(link)).text)["Continue"]
            assert (await browser.post(form.action, data=form.fields)).status_code == 303
            return browser

        yield open_


async def test_the_overview_shows_what_waits_for_a_person(opened: Opened) -> None:
    browser = await opened(remote_api())
    page = await browser.get("/app", follow_redirects=True)
    assert (page.status_code, page.url.path) == (200, "/app/acme")
    assert f'href="{RUN_PAGE}"' in page.text
    assert "Open the shop" in page.text


async def test_a_run_is_found_by_its_id_and_shown_with_the_redacted_plan(opened: Opened) -> None:
    browser = await opened(remote_api())
    page = await browser.get(f"/app/-/runs/{RUN_ID}", follow_redirects=True)
    assert (page.status_code, page.url.path) == (200, RUN_PAGE)
    assert "terraform_data.db" in page.text
    assert {"Apply", "Discard"} <= set(forms_of(page.text))


async def test_a_workspace_is_found_by_name_and_id(opened: Opened) -> None:
    browser = await opened(remote_api())
    for reference in ("acme/network", WORKSPACE_ID):
        page = await browser.get(f"/app/-/workspaces/{reference}", follow_redirects=True)
        assert (page.status_code, page.url.path) == (200, "/app/acme/workspaces/network"), reference


async def test_a_decision_is_sent_once_with_the_comment(opened: Opened) -> None:
    api = remote_api()
    browser = await opened(api)
    form = forms_of((await browser.get(RUN_PAGE)).text)["Discard"]
    response = await browser.post(form.action, data={**form.fields, "comment": "Not today"})
    assert (response.status_code, response.headers["location"]) == (303, RUN_PAGE)
    assert [json.loads(sent.content) for sent in api.sent("POST")] == [{"comment": "Not today"}]


async def test_no_page_contains_the_token(opened: Opened) -> None:
    browser = await opened(remote_api())
    for path in (RUN_PAGE, "/app/acme", "/app/acme/workspaces", "/app/acme/workspaces/network", "/app/-/runs/run-x"):
        response = await browser.get(path)
        assert TOKEN not in response.text + str(response.headers), path


@pytest.mark.parametrize(
    ("answered", "status", "text"),
    [
        (error(401, "unauthorized"), 401, "token"),
        (error(403, "forbidden"), 403, "permission"),
        (error(404, "not found"), 404, "does not exist"),
        (error(429, "too many requests", retry_after="3000"), 429, "rate limit"),
        (error(503, "service unavailable"), 503, "unavailable"),
        (httpx2.ConnectError("refused"), 502, "connection"),
        (httpx2.Response(200, content=b"<html>a proxy</html>"), 502, "response"),
    ],
)
async def test_a_failure_of_the_api_has_a_page(opened: Opened, answered: Any, status: int, text: str) -> None:
    api = remote_api().off("GET", f"/runs/{RUN_ID}").on("GET", f"/runs/{RUN_ID}", answered)
    browser = await opened(api)
    page = await browser.get(RUN_PAGE)
    main = page.text.partition("<main")[2]
    assert (page.status_code, "<h1>Error</h1>" in main) == (status, True), main
    assert text in main.lower()
    assert "Traceback" not in main
    assert TOKEN not in page.text


async def test_a_run_without_readable_parts_is_shown_with_the_reasons(opened: Opened) -> None:
    api = remote_api().off("GET", f"/plans/{PLAN_ID}/json-output-redacted")
    api.on("GET", f"/plans/{PLAN_ID}/json-output-redacted", error(404, "not found"))
    browser = await opened(api)
    page = await browser.get(RUN_PAGE)
    assert page.status_code == 200
    assert "Open the shop" in page.text
    form = forms_of(page.text)["Apply"]
    assert "workspace_name" in form.fields  # a plan that cannot be read counts as one that destroys


async def test_what_is_outside_of_the_scope_is_not_shown(opened: Opened) -> None:
    browser = await opened(remote_api(), Policy(scope=parse_scope("acme", "acme/other")))
    for path in (RUN_PAGE, f"/app/-/runs/{RUN_ID}", "/app/acme/workspaces/network", f"{RUN_PAGE}/values?address=a"):
        page = await browser.get(path, follow_redirects=True)
        assert (page.status_code, "Open the shop" in page.text) == (404, False), path
    page = await browser.get("/app/acme")
    assert (page.status_code, "Open the shop" in page.text, RUN_ID in page.text) == (200, False, False)


async def test_read_only_pages_have_no_buttons_and_send_nothing(opened: Opened) -> None:
    api = remote_api()
    form = forms_of((await (await opened(api)).get(RUN_PAGE)).text)["Discard"]
    browser = await opened(api, Policy(mode=Mode.READ))
    for path in (RUN_PAGE, "/app/acme/workspaces/network", "/app/acme"):
        page = await browser.get(path)
        posts = [found for found in forms_of(page.text).values() if "csrf_token" in found.fields]
        assert [found.button for found in posts] == ["Sign out"], path
        assert "operator, read-only" in page.text
    assert (await browser.get("/app/acme/workspaces/network/start")).status_code == 403
    sign_out = forms_of((await browser.get("/app/acme")).text)["Sign out"]
    stolen = {**form.fields, "csrf_token": sign_out.fields["csrf_token"]}
    response = await browser.post(form.action, data=stolen)
    assert (response.status_code, "read" in response.text) == (409, True)
    assert api.sent("POST") == []


async def test_planning_pages_start_runs_and_apply_nothing(opened: Opened) -> None:
    browser = await opened(remote_api(), Policy(mode=Mode.PLAN))
    assert "Apply" not in forms_of((await browser.get(RUN_PAGE)).text)
    assert (await browser.get("/app/acme/workspaces/network/start")).status_code == 200


async def test_a_new_client_of_the_connection_serves_the_next_page(opened: Opened) -> None:
    first, second = remote_api(), remote_api()
    renamed = samples.planned(message="After the restart")
    second.off("GET", f"/runs/{RUN_ID}")
    second.on("GET", f"/runs/{RUN_ID}", answer({"data": renamed, "included": [samples.workspace()]}))
    connection = ConnectionTo(client_for(first))
    browser = await opened(first, connection=connection)
    assert "Open the shop" in (await browser.get(RUN_PAGE)).text
    connection.replace(client_for(second))
    page = await browser.get(RUN_PAGE)
    assert ("After the restart" in page.text, "Open the shop" in page.text) == (True, False)


async def test_without_a_token_there_is_no_link() -> None:
    for token, kind in ((None, NoCredentials), (TOKEN, Unauthorized)):
        api = FakeApi().on("GET", "/account/details", error(401, "unauthorized"))
        pages = LoopbackPages(ConnectionTo(client_for(api, token=token)).client, Policy(), command="tfruns web")
        with pytest.raises(kind):
            await pages.link()
        assert running_pages() == []

"""The protection of the pages against other websites."""

import pytest

from tests.web.support import ORIGIN, Browser, Pages, forms_of, sign_in

HOSTS = {
    "127.0.0.1:8088": True,
    "localhost:8088": True,
    "LOCALHOST": True,
    "[::1]:8088": True,
    "127.0.0.1": True,
    "attacker.example": False,
    "127.0.0.1.attacker.example:8088": False,
    "localhost.attacker.example": False,
    "x.localhost:8088": False,
    "": False,
}


async def test_only_known_host_names_are_served(pages: Pages) -> None:
    async with pages.browser() as browser:
        for host, is_known in HOSTS.items():
            response = await browser.get("/app/default", headers={"host": host})
            assert response.status_code == (401 if is_known else 421), host


async def test_every_response_has_the_security_headers(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    found = [
        await browser.get("/app/default"),
        await browser.get(f"/app/default/workspaces/network/runs/{run['id']}"),
        await browser.get("/app/-/static/tfruns.css"),
        await browser.get("/app/no/such/page/at/all"),
        await browser.get("/app/default", headers={"host": "attacker.example"}),
    ]
    assert [response.status_code for response in found] == [200, 200, 200, 404, 421]
    for response in found:
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "origin", ["https://attacker.example", "http://127.0.0.1:9999", "null", "https://127.0.0.1:8088"]
)
async def test_forms_of_another_origin_are_rejected(pages: Pages, origin: str) -> None:
    run = await pages.api.planned()
    async with pages.browser() as browser:
        await sign_in(browser, pages.token)
        path = f"/app/default/workspaces/network/runs/{run['id']}"
        form = forms_of((await browser.get(path)).text)["Discard"]
        for data in ({"token": pages.token}, {"code": "x"}):
            response = await browser.post("/app/-/sign-in", data=data, headers={"origin": origin})
            assert response.status_code == 403
            assert "set-cookie" not in response.headers
        response = await browser.post(form.action, data=form.fields, headers={"origin": origin})
        assert response.status_code == 403
        del browser.headers["origin"]
        assert (await browser.post(form.action, data=form.fields)).status_code == 403
    assert await pages.api.status(run) == "planned"


async def test_a_form_with_the_csrf_token_of_another_session_is_rejected(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    path = f"/app/default/workspaces/network/runs/{run['id']}"
    async with pages.browser() as other:
        await sign_in(other, pages.token)
        form = forms_of((await other.get(path)).text)["Discard"]
    for fields in (form.fields, {**form.fields, "csrf_token": ""}):
        response = await browser.post(path, data=fields)
        assert response.status_code == 403
        assert "This form belongs to another session." in response.text
    assert await pages.api.status(run) == "planned"


async def test_a_form_that_is_too_large_is_rejected(browser: Browser) -> None:
    response = await browser.post("/app/-/sign-in", data={"token": "x" * 70_000})
    assert response.status_code == 413


async def test_a_decision_needs_a_session(pages: Pages) -> None:
    run = await pages.api.planned()
    async with pages.browser() as browser:
        response = await browser.post(
            f"/app/default/workspaces/network/runs/{run['id']}", data={"tool": "discard_run", "csrf_token": "x"}
        )
    assert response.status_code == 401
    assert await pages.api.status(run) == "planned"
    assert ORIGIN not in response.text

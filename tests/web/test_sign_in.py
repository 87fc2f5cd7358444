"""The beginning and the end of a session."""

from tests.web.support import Browser, Pages, forms_of, sign_in


async def _link(pages: Pages, token: str) -> tuple[int, str]:
    async with pages.browser() as client:
        response = await client.post("/app/-/links", headers={"authorization": f"Bearer {token}"})
    return response.status_code, response.json().get("path", "")


async def test_without_a_session_every_page_asks_to_sign_in(pages: Pages) -> None:
    run = await pages.api.planned(message="a secret message")
    async with pages.browser() as browser:
        for path in ("/app", "/app/default", "/app/default/workspaces", f"/app/default/network/runs/{run['id']}"):
            response = await browser.get(path)
            assert response.status_code == 401
            assert "tfruns web link --local" in response.text
            assert "a secret message" not in response.text


async def test_the_address_that_terraform_prints_opens_the_run_after_the_sign_in(pages: Pages) -> None:
    run = await pages.api.planned()
    for path, query in ((f"/app/default/network/runs/{run['id']}", ""), ("/app/default/workspaces", "?search=net")):
        async with pages.browser() as browser:
            page = await browser.get(path + query)
            assert page.status_code == 401
            assert (f"tfruns web link --local {path}<" in page.text) is (not query)
            form = forms_of(page.text)["Sign in"]
            begun = await browser.post(form.action, data={**form.fields, "token": pages.token})
            assert (begun.status_code, begun.headers["location"]) == (303, path + query)
            opened = await browser.get(begun.headers["location"], follow_redirects=True)
            assert opened.status_code == 200


async def test_a_command_that_a_shell_would_interpret_is_not_shown(pages: Pages) -> None:
    async with pages.browser() as browser:
        for path in ("/app/$(reboot)", "/app/a;b", "/app/a&b", "/app/%60b%60", "/app/'b'", "/app/a%20b", "/app/a|b"):
            page = await browser.get(path)
            assert page.status_code == 401
            assert "<code>tfruns web link --local</code>" in page.text, path


async def test_a_link_begins_one_session_and_leads_to_its_page(pages: Pages) -> None:
    status, path = await _link(pages, pages.token)
    assert status == 201
    async with pages.browser() as browser:
        form = forms_of((await browser.get(f"{path}?to=/app/default/workspaces")).text)["Continue"]
        begun = await browser.post(form.action, data=form.fields)
        assert (begun.status_code, begun.headers["location"]) == (303, "/app/default/workspaces")
        assert (await browser.get("/app/default/workspaces")).status_code == 200
    async with pages.browser() as other:
        again = await other.post(form.action, data=form.fields)
        assert again.status_code == 401
        assert "was already used" in again.text
        assert (await other.get("/app/default")).status_code == 401


async def test_showing_a_link_does_not_use_up_its_code(pages: Pages) -> None:
    _, path = await _link(pages, pages.token)
    async with pages.browser() as preview:
        assert (await preview.get(path)).status_code == 200
    async with pages.browser() as browser:
        form = forms_of((await browser.get(path)).text)["Continue"]
        assert (await browser.post(form.action, data=form.fields)).status_code == 303


async def test_a_link_never_leads_to_another_site(pages: Pages) -> None:
    for target in (
        "https://attacker.example/app",
        "//attacker.example",
        "/app/\\attacker.example",
        "/application",
        "/api",
    ):
        async with pages.browser() as browser:
            response = await browser.post("/app/-/sign-in", data={"token": pages.token, "to": target})
            assert (response.status_code, response.headers["location"]) == (303, "/app"), target


async def test_a_link_needs_a_valid_token(pages: Pages) -> None:
    for token in ("", "wrong", f"{pages.token}x"):
        assert (await _link(pages, token))[0] == 401


async def test_the_cookie_is_strict_and_hidden_from_scripts(pages: Pages) -> None:
    async with pages.browser() as browser:
        response = await browser.post("/app/-/sign-in", data={"token": pages.token})
        cookie = response.headers["set-cookie"].lower()
    for attribute in ("httponly", "samesite=strict", "path=/app", "max-age=43200"):
        assert attribute in cookie
    assert pages.token not in cookie


async def test_a_wrong_token_begins_no_session(pages: Pages) -> None:
    async with pages.browser() as browser:
        for token in ("", "wrong", f"{pages.token}x", "ü", "a b", "a\nb", "x" * 10_000):
            response = await browser.post("/app/-/sign-in", data={"token": token})
            assert response.status_code == 401
            assert "The API token is not valid" in response.text
            assert "set-cookie" not in response.headers


async def test_guessing_tokens_is_limited(pages: Pages) -> None:
    async with pages.browser() as guesser, pages.browser() as owner:
        statuses = [
            (await guesser.post("/app/-/sign-in", data={"token": f"guess-{number}"})).status_code
            for number in range(12)
        ]
        assert statuses == [401] * 10 + [429] * 2
        right = await guesser.post("/app/-/sign-in", data={"token": pages.token})
        assert right.status_code == 429
        assert "set-cookie" not in right.headers

        _, path = await _link(pages, pages.token)  # a link is not a guess
        form = forms_of((await owner.get(path)).text)["Continue"]
        assert (await owner.post(form.action, data=form.fields)).status_code == 303


async def test_signing_out_ends_the_session(browser: Browser) -> None:
    form = forms_of((await browser.get("/app/default")).text)["Sign out"]
    response = await browser.post(form.action, data=form.fields)
    assert response.status_code == 303
    assert (await browser.get("/app/default")).status_code == 401


async def test_a_link_from_another_site_reloads_the_page_with_the_cookie(pages: Pages) -> None:
    async with pages.browser() as browser:
        await sign_in(browser, pages.token)
        cookies = dict(browser.cookies)
        browser.cookies.clear()  # as a browser does that follows a link of another site
        first = await browser.get("/app/default", headers={"sec-fetch-site": "cross-site"})
        assert 'http-equiv="refresh"' in first.text
        browser.cookies.update(cookies)
        assert (await browser.get("/app/default", headers={"sec-fetch-site": "same-origin"})).status_code == 200

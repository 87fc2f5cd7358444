"""Forms that are sent twice, by a double click."""

import asyncio

from tests.web.support import Browser, Pages, forms_of

WORKSPACE = "/app/default/workspaces/network"


async def _run_ids(pages: Pages) -> set[str]:
    found = await pages.api.http.get(f"/api/v2/workspaces/{pages.api.workspace_id}/runs")
    return {run["id"] for run in found.json()["data"]}


async def test_a_double_click_starts_one_run(browser: Browser, pages: Pages) -> None:
    form = forms_of((await browser.get(f"{WORKSPACE}/start")).text)["Start the run"]
    both = await asyncio.gather(*(browser.post(form.action, data=form.fields) for _ in range(2)))
    later = await browser.post(form.action, data=form.fields)
    assert {response.status_code for response in (*both, later)} == {303}
    [location] = {response.headers["location"] for response in (*both, later)}
    assert await _run_ids(pages) == {location.rpartition("/")[2]}
    # The person goes back and asks for another run, with the same form.
    other = await browser.post(form.action, data={**form.fields, "message": "Another one"})
    assert (other.status_code, len(await _run_ids(pages))) == (303, 2)
    assert other.headers["location"] != location
    # Another page has another form.
    again = forms_of((await browser.get(f"{WORKSPACE}/start")).text)["Start the run"]
    assert (await browser.post(again.action, data=again.fields)).status_code == 303
    assert len(await _run_ids(pages)) == 3


async def test_a_form_that_was_not_accepted_can_be_sent_again(browser: Browser, pages: Pages) -> None:
    form = forms_of((await browser.get(f"{WORKSPACE}/start")).text)["Start the run"]
    wrong = {**form.fields, "kind": "unknown"}
    for _ in range(2):
        assert (await browser.post(form.action, data=wrong)).status_code == 400
    run = await pages.api.planned()
    discard = forms_of((await browser.get(f"{WORKSPACE}/runs/{run['id']}")).text)["Discard"]
    for _ in range(2):
        stale = await browser.post(discard.action, data={**discard.fields, "seen": "x"})
        assert stale.status_code == 409
    assert await pages.api.status(run) == "planned"


async def test_a_double_click_decides_and_comments_once(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    path = f"{WORKSPACE}/runs/{run['id']}"
    for button, more in (("Comment", {"comment": "only once"}), ("Discard", {"comment": "as agreed"})):
        form = forms_of((await browser.get(path)).text)[button]
        both = await asyncio.gather(*(browser.post(form.action, data={**form.fields, **more}) for _ in range(2)))
        assert [response.status_code for response in both] == [303, 303], button
    assert await pages.api.status(run) == "discarded"
    comments = (await pages.api.http.get(f"/api/v2/runs/{run['id']}/comments")).json()["data"]
    assert [comment["attributes"]["body"] for comment in comments].count("only once") == 1


async def test_a_form_of_another_session_gets_no_response_of_the_first(browser: Browser, pages: Pages) -> None:
    form = forms_of((await browser.get(f"{WORKSPACE}/start")).text)["Start the run"]
    assert (await browser.post(form.action, data=form.fields)).status_code == 303
    async with pages.browser() as stranger:
        response = await stranger.post(form.action, data=form.fields)
    assert (response.status_code, "location" in response.headers) == (401, False)

"""Decisions about a run on its page: bound to what the page showed, and sent at most once."""

from tests.local.support import Json
from tests.web.support import Browser, Form, Pages, forms_of


async def _form(browser: Browser, run: Json, button: str) -> Form:
    response = await browser.get(f"/app/default/workspaces/network/runs/{run['id']}")
    assert response.status_code == 200, response.text
    return forms_of(response.text)[button]


async def test_the_page_offers_what_is_allowed(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    response = await browser.get(f"/app/default/workspaces/network/runs/{run['id']}")
    assert [name for name in forms_of(response.text) if name not in {"Sign out", "Filter", "Comment"}] == [
        "Apply",
        "Discard",
    ]


async def test_discard_is_sent_with_the_comment(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    form = await _form(browser, run, "Discard")
    response = await browser.post(form.action, data={**form.fields, "comment": "Not today"})
    assert (response.status_code, response.headers["location"]) == (303, form.action)
    assert await pages.api.status(run) == "discarded"
    comments = await pages.api.get(f"/runs/{run['id']}/comments")
    assert [comment["attributes"]["body"] for comment in comments["data"]] == ["Not today"]


async def test_a_plan_that_destroys_is_applied_only_with_the_workspace_name(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()  # a plan that cannot be read counts as one that destroys
    form = await _form(browser, run, "Apply")
    assert "workspace_name" in form.fields
    for name in ("", "netwrok", "Network", "default/network"):
        response = await browser.post(form.action, data={**form.fields, "workspace_name": name})
        assert response.status_code == 409
        assert "workspace name does not match" in response.text
    assert await pages.api.status(run) == "planned"
    response = await browser.post(form.action, data={**form.fields, "workspace_name": " network "})
    assert response.status_code == 303
    assert await pages.api.status(run) in {"apply_queued", "confirmed"}


async def test_a_decision_is_not_sent_once_the_run_has_changed(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    form = await _form(browser, run, "Apply")
    await pages.api.act(run, "discard")
    response = await browser.post(form.action, data={**form.fields, "workspace_name": "network"})
    assert response.status_code == 409
    assert await pages.api.status(run) == "discarded"


async def test_a_decision_without_what_was_seen_is_not_sent(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    form = await _form(browser, run, "Apply")
    for seen in ("", "0" * 64):
        response = await browser.post(form.action, data={**form.fields, "seen": seen, "workspace_name": "network"})
        assert response.status_code == 409
        assert "has changed since" in response.text
    assert await pages.api.status(run) == "planned"


async def test_a_decision_of_another_action_is_not_sent(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    discard = await _form(browser, run, "Discard")
    response = await browser.post(
        discard.action, data={**discard.fields, "tool": "apply_run", "workspace_name": "network"}
    )
    assert response.status_code == 409
    assert await pages.api.status(run) == "planned"


async def test_a_decision_with_an_unknown_tool_is_404(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    form = await _form(browser, run, "Discard")
    for tool in ("", "create_run", "set_workspace_lock"):
        assert (await browser.post(form.action, data={**form.fields, "tool": tool})).status_code == 404
    assert await pages.api.status(run) == "planned"


async def test_the_second_of_two_decisions_is_not_sent(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    apply, discard = await _form(browser, run, "Apply"), await _form(browser, run, "Discard")
    assert (await browser.post(discard.action, data=discard.fields)).status_code == 303
    response = await browser.post(apply.action, data={**apply.fields, "workspace_name": "network"})
    assert response.status_code == 409
    assert await pages.api.status(run) == "discarded"


async def test_run_again_starts_a_run_with_the_same_options(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned(message="Widen the network", target_addrs=["module.net"])
    await pages.api.act(run, "discard")
    form = await _form(browser, run, "Run again")
    response = await browser.post(form.action, data=form.fields)
    assert response.status_code == 303, response.text
    found = await pages.api.get(f"/runs/{response.headers['location'].rpartition('/')[2]}")
    attributes = found["data"]["attributes"]
    assert found["data"]["id"] != run["id"]
    assert attributes["message"] == f"Rerun of {run['id']}: Widen the network"
    assert (attributes["target-addrs"], attributes["auto-apply"]) == (["module.net"], False)


async def test_run_again_of_a_run_that_destroyed_everything_needs_the_workspace_name(
    browser: Browser, pages: Pages
) -> None:
    run = await pages.api.planned(is_destroy=True)
    await pages.api.act(run, "discard")
    form = await _form(browser, run, "Run again")
    response = await browser.post(form.action, data={**form.fields, "workspace_name": "other"})
    assert response.status_code == 409
    response = await browser.post(form.action, data={**form.fields, "workspace_name": "network"})
    assert response.status_code == 303, response.text

"""The pages of a workspace: runs, lock, state, settings, and the form that starts a run."""

import html
import json
import re

from tests.local.support import STATE
from tests.web.support import Browser, Pages, forms_of, section
from tfruns.local.service.states import store_state

PATH = "/app/default/workspaces/network"
HOSTILE = "<script>alert(1)</script>\"'><img src=x>\u202e"


async def test_the_page_lists_the_runs_and_who_holds_the_lock(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned(message="Widen the network")
    text = (await browser.get(PATH)).text
    assert "Widen the network" in section(text, "runs")
    assert f'<strong>Locked</strong> by <a href="{PATH}/runs/{run["id"]}">' in text


async def test_runs_are_filtered_and_an_invalid_filter_is_explained(browser: Browser, pages: Pages) -> None:
    await pages.api.planned(message="Widen the network")
    assert "Widen the network" in section((await browser.get(f"{PATH}?status=planned")).text, "runs")
    assert "Widen the network" not in section((await browser.get(f"{PATH}?status=applied")).text, "runs")
    response = await browser.get(f"{PATH}?since=bogus")
    assert response.status_code == 400
    assert 'value="bogus"' in response.text


async def test_a_person_locks_with_a_reason_and_unlocks(browser: Browser, pages: Pages) -> None:
    form = forms_of((await browser.get(PATH)).text)["Lock"]
    response = await browser.post(form.action, data={**form.fields, "reason": HOSTILE})
    assert (response.status_code, response.headers["location"]) == (303, PATH)
    text = (await browser.get(PATH)).text
    assert "<strong>Locked</strong> by admin" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<script>alert" not in text
    assert "\u202e" not in text
    form = forms_of(text)["Unlock"]
    assert (await browser.post(form.action, data=form.fields)).status_code == 303
    assert "not locked" in (await browser.get(PATH)).text


async def test_a_lock_that_changed_meanwhile_is_not_removed(browser: Browser, pages: Pages) -> None:
    api = pages.api
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", {"reason": "first"}, 200)
    form = forms_of((await browser.get(PATH)).text)["Force-unlock"]
    await api.post(f"/workspaces/{api.workspace_id}/actions/unlock", None, 200)
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", {"reason": "second"}, 200)
    response = await browser.post(form.action, data=form.fields)
    assert response.status_code == 409
    assert "have changed since" in response.text
    assert "second" in (await browser.get(PATH)).text


async def test_other_tools_and_actions_are_404(browser: Browser) -> None:
    form = forms_of((await browser.get(PATH)).text)["Lock"]
    for fields in ({"tool": "delete_workspace"}, {"action": "delete"}, {"action": ""}):
        assert (await browser.post(PATH, data={**form.fields, **fields})).status_code == 404


async def test_state_and_settings_of_a_new_workspace(browser: Browser) -> None:
    state = (await browser.get(f"{PATH}/state")).text
    assert section(state, "outputs") == "Outputs The workspace has no state yet."
    settings = (await browser.get(f"{PATH}/settings")).text
    assert section(settings, "variables") == "Variables The workspace has no variables."


async def test_a_sensitive_variable_is_not_shown(browser: Browser, pages: Pages) -> None:
    for key, is_sensitive in (("password", True), ("region", False)):
        attributes = {"key": key, "value": f"value-of-{key}", "category": "terraform", "sensitive": is_sensitive}
        body = {"data": {"type": "vars", "attributes": attributes}}
        await pages.api.post(f"/workspaces/{pages.api.workspace_id}/vars", body)
    text = section((await browser.get(f"{PATH}/settings")).text, "variables")
    assert "password (sensitive value) terraform" in text
    assert "region value-of-region terraform" in text
    assert "value-of-password" not in text


# -- start a run ------------------------------------------------------------------------------------------------------


async def test_a_run_is_started_with_all_options(browser: Browser, pages: Pages) -> None:
    form = forms_of((await browser.get(f"{PATH}/start")).text)["Start the run"]
    typed = {
        "kind": "plan_only",
        "message": "A preview",
        "variables": 'size = 2\nzones = ["a",\n "b"]\r\nname = "x"',
        "target": "module.a\n\n aws_instance.b[0] ",
        "replace": "aws_instance.c",
    }
    response = await browser.post(form.action, data={**form.fields, **typed})
    assert response.status_code == 303, response.text
    run = (await pages.api.get(f"/runs/{response.headers['location'].rpartition('/')[2]}"))["data"]["attributes"]
    assert (run["message"], run["plan-only"]) == ("A preview", True)
    assert (run["target-addrs"], run["replace-addrs"]) == (["module.a", "aws_instance.b[0]"], ["aws_instance.c"])
    assert {item["key"]: item["value"] for item in run["variables"]} == {
        "size": "2",
        "zones": '["a",\n "b"]',
        "name": '"x"',
    }


async def test_an_error_keeps_what_was_typed(browser: Browser, pages: Pages) -> None:
    form = forms_of((await browser.get(f"{PATH}/start")).text)["Start the run"]
    typed = {"kind": "refresh_only", "message": HOSTILE, "variables": "", "target": "", "replace": "aws_instance.c"}
    cases = {
        "variables cannot be read": {**typed, "variables": "size = var.other"},
        "at most 10,000 are allowed": {**typed, "message": HOSTILE + "x" * 10_000},
        "run type is unknown": {**typed, "kind": "nosuch"},
    }
    for text, values in cases.items():
        response = await browser.post(form.action, data={**form.fields, **values})
        assert response.status_code == 400, text
        assert text in response.text
        assert "<script>alert" not in response.text
        again = forms_of(response.text)["Start the run"].fields
        assert again["replace"] == "aws_instance.c"
        assert again["variables"] == values["variables"]
        assert again["message"] == values["message"].replace("\u202e", "")
    assert (await pages.api.get(f"/workspaces/{pages.api.workspace_id}/runs"))["data"] == []


async def test_a_destroy_run_is_confirmed_with_the_name_in_a_second_step(browser: Browser, pages: Pages) -> None:
    first = forms_of((await browser.get(f"{PATH}/start")).text)["Start the run"]
    assert "workspace_name" not in first.fields
    response = await browser.post(first.action, data={**first.fields, "kind": "destroy", "message": "Remove all"})
    assert response.status_code == 409
    assert "destroys all resources" in response.text
    second = forms_of(response.text)["Start the run"]
    assert (second.fields["kind"], second.fields["message"]) == ("destroy", "Remove all")
    wrong = await browser.post(second.action, data={**second.fields, "workspace_name": "netwrok"})
    assert wrong.status_code == 409
    assert "workspace name does not match" in wrong.text
    assert (await pages.api.get(f"/workspaces/{pages.api.workspace_id}/runs"))["data"] == []
    assert (await browser.post(second.action, data={**second.fields, "workspace_name": "network"})).status_code == 303
    runs = (await pages.api.get(f"/workspaces/{pages.api.workspace_id}/runs"))["data"]
    assert [run["attributes"]["is-destroy"] for run in runs] == [True]


async def test_the_workspace_auto_apply_setting_does_not_apply_a_started_run(browser: Browser, pages: Pages) -> None:
    body = {"data": {"type": "workspaces", "attributes": {"auto-apply": True}}}
    await pages.api.send("PATCH", f"/workspaces/{pages.api.workspace_id}", status=200, json=body)
    form = forms_of((await browser.get(f"{PATH}/start")).text)["Start the run"]
    response = await browser.post(form.action, data=form.fields)
    assert response.status_code == 303
    run = (await pages.api.get(f"/runs/{response.headers['location'].rpartition('/')[2]}"))["data"]["attributes"]
    assert run["auto-apply"] is False


async def test_badge_of_the_current_run_says_that_it_waits_for_a_person(browser: Browser, pages: Pages) -> None:
    await pages.api.planned()
    text = (await browser.get(PATH)).text
    badges = re.findall(r'<span class="badge (\w+)"><span aria-hidden="true">(.)</span> (\w+)', text)
    assert badges == [("waiting", "!", "Planned")] * 2  # the current run, and its row in the list


async def test_addresses_of_the_state_are_those_of_terraform(browser: Browser, pages: Pages) -> None:
    one = {"mode": "managed", "type": "a", "name": "b", "provider": 'provider["x/y/z"]'}
    cases = {
        "": "a.b",
        "module.net": "module.net.a.b",
        "module.net.module.sub": "module.net.module.sub.a.b",
        'module.net["a.module.b"].module.sub[0]': 'module.net["a.module.b"].module.sub[0].a.b',
    }
    resources = [{**one, "module": module, "instances": [{"attributes": {}}]} for module in cases]
    state = json.loads(STATE) | {"resources": resources}
    with pages.api.backend.database.write() as write:
        content = json.dumps(state).encode()
        store_state(pages.api.backend, write, pages.api.workspace_id, content, run_id=None, user_id=None)
    text = (await browser.get(f"{PATH}/state")).text
    found = re.findall(r'<th scope="row"><code>(.*?)</code>', text)
    assert sorted(map(html.unescape, found)) == sorted(cases.values())
    searched = (await browser.get(f"{PATH}/state?search=module.net.module")).text
    assert re.findall(r'<th scope="row"><code>(.*?)</code>', searched) == ["module.net.module.sub.a.b"]

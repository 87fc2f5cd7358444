"""The overview of an organization: what is at stake in each run that waits, and the search for runs."""

from typing import Any

from tests.web.support import Browser, Pages, section

Change = dict[str, Any]


def _change(address: str, *actions: str) -> Change:
    type_, _, name = address.partition(".")
    before, after = ({"a": 1} if "create" not in actions or "delete" in actions else None), {"a": 2}
    return {
        "address": address,
        "mode": "managed",
        "type": type_,
        "name": name,
        "change": {"actions": list(actions), "before": before, "after": None if actions == ("delete",) else after},
    }


PLAN = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "resource_changes": [
        _change("aws_instance.new", "create"),
        _change("aws_instance.old", "delete"),
        _change("aws_db_instance.data", "delete", "create"),
        _change("aws_instance.a", "update"),
        _change("aws_instance.b", "update"),
    ],
}


async def test_a_waiting_run_shows_what_is_at_stake_dangerous_first(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned(message="Replace the database")
    pages.write_plan(run, PLAN)
    text = section((await browser.get("/app/default")).text, "waiting")
    assert text.startswith(
        "Waiting for a person 1 Planned Replace the database 1 destroy 1 replace 2 update 1 create network Plan and "
        "apply"
    )


async def test_the_oldest_run_that_waits_is_first(browser: Browser, pages: Pages) -> None:
    runs = []
    for name in ("older", "newer"):
        workspace = await pages.api.create_workspace(name)
        await pages.api.configured(workspace)
        run = await pages.api.create_run(workspace, message=f"The {name} run")
        pages.api.plan(run)
        runs.append(run)
        pages.api.clock.advance(60)
    text = (await browser.get("/app/default")).text
    assert text.index("The older run") < text.index("The newer run")


async def test_a_plan_that_cannot_be_read_is_said(browser: Browser, pages: Pages) -> None:
    await pages.api.planned()
    text = section((await browser.get("/app/default")).text, "waiting")
    assert "The plan is not available." in text
    assert "No changes" not in text


async def test_runs_are_found_by_workspace_status_and_message(browser: Browser, pages: Pages) -> None:
    api = pages.api
    found = {"network": await api.planned(message="alpha")}
    other = await api.create_workspace("store")
    await api.configured(other)
    found["store"] = await api.create_run(other, message="beta")
    cases = {
        "workspace=net*": ["network"],
        "workspace=*": ["network", "store"],
        "status=planned": ["network"],
        "search=beta": ["store"],
        "operation=destroy": [],
        "source=tfe-ui": [],
        "status=planned&search=beta": [],
    }
    for query, names in cases.items():
        response = await browser.get(f"/app/default?{query}")
        assert response.status_code == 200, query
        assert [name for name, run in found.items() if run["id"] in response.text] == names, query


async def test_an_invalid_filter_is_explained_and_kept(browser: Browser) -> None:
    cases = {
        "operation=bogus": 'role="alert"',
        "since=bogus": 'name="since" value="bogus"',
    }
    for query, kept in cases.items():
        response = await browser.get(f"/app/default?{query}")
        assert response.status_code == 400, query
        assert kept in response.text, query
        assert 'role="alert"' in response.text, query


async def test_organizations_are_listed_where_there_are_several(browser: Browser, pages: Pages) -> None:
    assert "Other organizations" not in (await browser.get("/app/default")).text
    body = {"data": {"type": "organizations", "attributes": {"name": "second", "email": "a@example.com"}}}
    await pages.api.post("/organizations", body)
    assert "Other organizations" in (await browser.get("/app/default")).text
    for path in ("/app", "/app/-/organizations"):
        response = await browser.get(path)
        assert response.status_code == 200
        assert '<a href="/app/default">default</a>' in response.text
        assert '<a href="/app/second">second</a>' in response.text


async def test_many_pending_runs_do_not_displace_the_one_that_blocks_them(browser: Browser, pages: Pages) -> None:
    await pages.api.planned(message="Replace the database")
    for number in range(101):
        await pages.api.create_run(message=f"Run {number}")
    text = (await browser.get("/app/default")).text
    assert section(text, "waiting").startswith("Waiting for a person 1 Planned Replace the database")
    assert "Only the newest open runs are shown." in section(text, "active")

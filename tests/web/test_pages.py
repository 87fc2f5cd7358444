"""What the pages show."""

from urllib.parse import quote

from tests.web.support import Browser, Pages

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\x1b[31m{{7*7}}"


async def test_the_home_page_leads_to_the_only_organization(browser: Browser) -> None:
    for path in ("/", "/app", "/app/"):
        response = await browser.get(path)
        assert (response.status_code, response.headers["location"]) in {(307, "/app"), (303, "/app/default")}


async def test_the_overview_separates_what_waits_runs_and_failed(browser: Browser, pages: Pages) -> None:
    api = pages.api
    runs = {"waiting": await api.planned(message="Waits for a person")}
    for name in ("active", "failed"):
        workspace = await api.create_workspace(name)
        await api.configured(workspace)
        runs[name] = await api.create_run(workspace, message=name)
        api.begin(runs[name])
    api.end(runs["failed"], status="errored")
    sections = (await browser.get("/app/default")).text.split("<section")[1:]
    assert [[name for name, run in runs.items() if run["id"] in section] for section in sections] == [
        ["waiting"],
        ["active"],
        ["failed"],
    ]


async def test_hostile_texts_are_data_on_every_page(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned(message=HOSTILE)
    for path in (
        "/app/default",
        "/app/default/workspaces/network",
        f"/app/default/workspaces/network/runs/{run['id']}",
        f"/app/default/workspaces?search={quote(HOSTILE)}",
        f"/app/default/workspaces/network/runs/{run['id']}?filter={quote(HOSTILE)}",
        f"/app/{quote(HOSTILE)}",
    ):
        text = (await browser.get(path)).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "\u202e" not in text, path
        assert "\x1b" not in text, path
        assert "49" not in text.split("</main>")[0].split("alert(1)")[-1][:60], path


async def test_a_run_under_the_url_of_another_workspace_is_redirected(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    end = f"runs/{run['id']}"
    for begin in (
        "default/network",
        "default/workspaces/other",
        "production/workspaces/network",  # the name of an organization is a claim, too
        "x%3Fy/workspaces/network",
        "%2e%2e/workspaces/other",
        "default/workspaces/%00",
    ):
        response = await browser.get(f"/app/{begin}/{end}")
        assert (response.status_code, response.headers["location"]) == (
            307,
            f"/app/default/workspaces/network/{end}",
        ), begin
    for page in (f"{end}/logs/plan", f"{end}/logs/apply"):
        text = (await browser.get(f"/app/production/workspaces/other/{page}")).text
        assert 'href="/app/default/workspaces/network"' in text
        assert "production" not in text


async def test_what_does_not_exist_is_404(browser: Browser) -> None:
    for path in (
        "/app/nosuch",
        "/app/default/workspaces/nosuch",
        "/app/default/workspaces/network/runs/run-nosuch00000000",
        "/app/a/b/c/d/e",
        "/app/-/links",
    ):
        response = await browser.get(path)
        assert response.status_code in {404, 405}, (path, response.text)
        assert "Traceback" not in response.text

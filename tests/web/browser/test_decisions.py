"""Each decision on the page of a real run, as a person makes it in a browser."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Page, expect

from tests.support.gates import PlanGate
from tests.support.local_lab import Lab, local_exec, wait_until
from tests.web.browser.support import Chromium, decide, expect_no_problem, expect_problem, open_run
from tfruns.wire.runs import Run

ONE = 'resource "terraform_data" "one" { input = "1" }'
NOTHING = 'terraform { required_version = ">= 1.0" }'


async def destroying(lab: Lab, name: str) -> Run:
    """A run that waits for a person, and destroys a resource."""
    workspace = await lab.workspace(ONE, name=name)
    await lab.applied(workspace)
    return await lab.planned(workspace, is_destroy=True)


async def test_apply_is_one_press_where_nothing_is_destroyed(page: Page, lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(ONE))
    await open_run(page, run)
    await decide(page, "Apply")
    await expect_no_problem(page)
    await lab.until(run, "applied")
    await expect(page.locator(".summary")).to_contain_text("Applied")


async def test_what_destroys_asks_for_the_workspace_name(page: Page, lab: Lab) -> None:
    run = await destroying(lab, "network-live")
    await open_run(page, run)
    await page.get_by_role("button", name="Apply", exact=True).click()
    await expect(page.get_by_label("Workspace name")).to_be_focused()  # the browser asks for it, and sends nothing
    await decide(page, "Apply", workspace_name="network-life")
    await expect_problem(page, "workspace name does not match")
    assert await lab.status(run) == "planned"
    await decide(page, "Apply", workspace_name="network-live")
    await expect_no_problem(page)
    await lab.until(run, "applied")
    assert await lab.resources(run.workspace.id if run.workspace else "") == set()


async def test_discard_keeps_the_comment(page: Page, lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(ONE))
    await open_run(page, run)
    await decide(page, "Discard", comment="Not <b>today</b>")
    await lab.until(run, "discarded")
    assert "Not <b>today</b>" in await page.locator("main").inner_text()


async def test_cancel_and_force_cancel_stop_a_stuck_apply(page: Page, lab: Lab, plan_gate: PlanGate) -> None:
    main = local_exec("first", "true") + plan_gate.configuration("late", depends_on="terraform_data.first")
    run = await lab.run(await lab.workspace(main, name="stuck"), auto_apply=True)
    await wait_until(lambda: plan_gate.requests("late"), "the apply waits for a response")
    await open_run(page, run)
    await decide(page, "Cancel run")
    await expect_no_problem(page)
    await decide(page, "Force-cancel", workspace_name="stuck")
    await expect_no_problem(page)
    assert await lab.status(run) == "canceled"
    events = await lab.send("GET", f"/runs/{run.id}/run-events")
    assert "force_canceled" in {event["attributes"]["action"] for event in events["data"]}


async def test_a_plan_that_changed_behind_the_page_is_not_applied(chromium: Chromium, lab: Lab) -> None:
    """Without scripts, a page does not know that the run has changed. The decision finds out."""
    run = await lab.planned(await lab.workspace(ONE))
    async with chromium.visitor(java_script_enabled=False) as page:
        await open_run(page, run)
        await lab.client.runs.discard(run.id)
        await decide(page, "Apply")
        await expect_problem(page, "")
        assert await page.get_by_role("button", name="Apply", exact=True).count() == 0
    assert await lab.status(run) == "discarded"


async def test_an_impact_that_changed_behind_the_page_is_shown_again(chromium: Chromium, lab: Lab) -> None:
    """The run still waits, but another state lies below it."""
    workspace = await lab.workspace(ONE, name="moving")
    run = await lab.run(workspace, plan_only=False, message="First")
    run = await lab.until(run, "planned")
    async with chromium.visitor(java_script_enabled=False) as page:
        await open_run(page, run)
        seen = await page.locator("input[name=seen]").first.get_attribute("value")
        await page.locator("input[name=seen]").first.evaluate("field => { field.value = '0'.repeat(64) }")
        await decide(page, "Apply")
        await expect_problem(page, "has changed since this page was loaded. Nothing was sent")
        assert await page.locator("input[name=seen]").first.get_attribute("value") == seen
        await decide(page, "Apply")
        await expect_no_problem(page)
    await lab.until(run, "applied")


@asynccontextmanager
async def _two_people(chromium: Chromium) -> AsyncIterator[tuple[Page, Page]]:
    async with (
        chromium.visitor(java_script_enabled=False) as one,
        chromium.visitor(java_script_enabled=False) as other,
    ):
        yield one, other


async def test_the_first_of_two_people_decides(chromium: Chromium, lab: Lab) -> None:
    for first, second, status in (("Apply", "Discard", "applied"), ("Discard", "Apply", "discarded")):
        run = await lab.planned(await lab.workspace(local_exec("one", "sleep 1")))
        async with (
            chromium.visitor(java_script_enabled=False) as one,
            chromium.visitor(java_script_enabled=False) as other,
        ):
            await asyncio.gather(open_run(one, run), open_run(other, run))
            await decide(one, first)
            await decide(other, second)
            await expect_no_problem(one)
            await expect_problem(other, "")
        await lab.until(run, status)


async def test_two_presses_at_the_same_moment_apply_once(chromium: Chromium, lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(local_exec("one", "echo once")))
    async with _two_people(chromium) as (one, other):
        await asyncio.gather(open_run(one, run), open_run(other, run))
        await asyncio.gather(decide(one, "Apply"), decide(other, "Apply"))
    await lab.until(run, "applied")
    assert (await lab.log(run, "apply")).count("Creation complete") == 1
    events = await lab.send("GET", f"/runs/{run.id}/run-events")
    assert [event["attributes"]["action"] for event in events["data"]].count("confirmed") == 1

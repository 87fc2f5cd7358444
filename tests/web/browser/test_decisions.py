"""Each decision on the page of a real run, as a person makes it in a browser."""

from playwright.async_api import Page, expect

from tests.support.local_lab import Lab
from tests.web.browser.support import problems
from tfruns.wire.runs import Run

ONE = 'resource "terraform_data" "one" { input = "1" }'


def run_path(run: Run) -> str:
    """The page of a run. Its URL with the name of a workspace is the target of a redirect."""
    return f"/app/default/any/runs/{run.id}"


async def open_run(page: Page, run: Run) -> None:
    await page.goto(run_path(run))


async def test_apply_is_one_press_where_nothing_is_destroyed(page: Page, lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(ONE))
    await open_run(page, run)
    await page.get_by_role("button", name="Apply").click()
    await page.wait_for_load_state()
    assert await problems(page) == []
    await lab.until(run, "applied")
    await expect(page.locator(".summary")).to_contain_text("Applied")

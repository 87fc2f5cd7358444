"""Open pages follow a real run; every control is reached with the keyboard."""

from pathlib import Path

from playwright.async_api import Page, expect

from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, local_exec, wait_until
from tests.web.browser.support import Chromium, expect_status, open_run

ONE = 'resource "terraform_data" "one" { input = "1" }'


async def test_an_open_page_follows_the_run_to_its_end(page: Page, lab: Lab, tmp_path: Path) -> None:
    gate = ApplyGate(tmp_path)
    run = await lab.planned(await lab.workspace(gate.configuration(before="echo first line"), name="followed"))
    await open_run(page, run)
    await expect_status(page, "Planned")
    await lab.client.runs.apply(run.id)
    await wait_until(gate.has_begun, "the apply has begun")
    await expect_status(page, "Applying")
    await expect(page.locator("#log-text")).to_contain_text("first line")
    gate.open()
    await expect_status(page, "Applied")
    await expect(page.locator("#log-text")).to_contain_text("Apply complete")
    gate.close()


async def test_a_log_that_grows_does_not_shift_what_is_around_it(page: Page, lab: Lab, tmp_path: Path) -> None:
    first, second = ApplyGate(tmp_path, "a"), ApplyGate(tmp_path, "b")
    lines = "for n in $(seq 200); do echo line $n; done"
    main = first.configuration() + second.configuration(before=lines, depends_on="terraform_data.a")
    run = await lab.run(await lab.workspace(main), auto_apply=True)
    await wait_until(first.has_begun, "the apply has begun")
    await open_run(page, run)
    await expect_status(page, "Applying")
    await page.set_viewport_size({"width": 1000, "height": 1600})
    await page.locator("#history").scroll_into_view_if_needed()
    await page.evaluate(
        """() => {
            window.shifts = 0;
            new PerformanceObserver(list => list.getEntries().forEach(entry => { window.shifts += entry.value; }))
                .observe({type: "layout-shift", buffered: false});
        }"""
    )
    first.open()
    await wait_until(second.has_begun, "the second part has begun")
    await expect(page.locator("#log-text")).to_contain_text("line 200")
    assert await page.evaluate("window.shifts") == 0
    second.open()
    await lab.until(run, "applied")
    first.close()
    second.close()


async def test_pages_in_the_background_use_no_connections(chromium: Chromium, lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(ONE))
    async with chromium.visitor() as page:
        await page.context.add_init_script("Object.defineProperty(document, 'hidden', {get: () => !window.isShown})")
        tabs = [await page.context.new_page() for _ in range(8)]
        for tab in tabs:  # a browser opens six connections to a server
            await open_run(tab, run)
            await expect_status(tab, "Planned")
        await lab.client.runs.discard(run.id)
        await tabs[3].evaluate("window.isShown = true; document.dispatchEvent(new Event('visibilitychange'))")
        await expect_status(tabs[3], "Discarded")
        await expect_status(tabs[4], "Planned")
        await tabs[4].reload()
        await expect_status(tabs[4], "Discarded")


async def test_a_page_with_a_typed_text_is_not_loaded_again(page: Page, lab: Lab) -> None:
    run = await lab.planned(await lab.workspace(ONE))
    await open_run(page, run)
    await page.get_by_label("Comment").first.fill("Half a sentence")
    await lab.client.runs.discard(run.id)
    await expect(page.locator("#outdated")).to_be_visible()
    await expect(page.get_by_label("Comment").first).to_have_value("Half a sentence")
    await page.get_by_role("link", name="Reload the page").click()
    await expect_status(page, "Discarded")


async def test_a_run_is_reviewed_and_applied_with_the_keyboard_alone(chromium: Chromium, lab: Lab) -> None:
    workspace = await lab.workspace(local_exec("one", "true"), name="keys")
    run = await lab.planned(workspace, message="Press a key")
    async with chromium.visitor() as page:
        await page.goto("/app/default")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
        assert await _is_outlined(page)
        await page.keyboard.press("Enter")
        await _tab_to(page, "Press a key")
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"**/{run.id}")
        await _tab_to(page, "Apply", tag="BUTTON")
        await page.keyboard.press("Enter")
        await expect_status(page, "Applied")
    assert await lab.status(run) == "applied"


async def _tab_to(page: Page, text: str, tag: str = "A") -> None:
    """Press Tab until the element with this text has the focus, which is always visible."""
    seen = []
    for _ in range(100):
        await page.keyboard.press("Tab")
        found: list[str] = await page.evaluate(
            "[document.activeElement.tagName, document.activeElement.textContent.trim()]"
        )
        assert await _is_outlined(page), found
        if found == [tag, text]:
            return
        seen.append(found)
    raise AssertionError(f"{text} is not reached: {seen}")


async def _is_outlined(page: Page) -> bool:
    found: bool = await page.evaluate(
        """() => {
            const element = document.activeElement, style = getComputedStyle(element);
            return element === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
        }"""
    )
    return found

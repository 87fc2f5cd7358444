"""Texts that others wrote, in every field: they are shown as text, run nothing, and disguise nothing."""

import json
from collections.abc import Mapping

import pytest
from playwright.async_api import Page, expect

from tests.support.local_lab import Lab
from tests.web.browser.support import Chromium, overflow_px
from tfruns.wire.runs import Run

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(1)>"
ATTRIBUTE = '"\' onmouseover=alert(1) autofocus onfocus=alert(1) x="'
CLOSING = "</textarea></title></pre></style></script><svg onload=alert(1)>"
TEMPLATE = "{{7*7}}${7*7}{% raw %}"
BIDI = "safe\u202eexe.fdp\u2066"
INVISIBLE = "a\u200bb\u2060c\ufeffd\U000e0041"
CONTROL = "x\u0007\u001b[31mred\u001b[0my"
LINK = "javascript:alert(1)"
LONG = "w" * 600
HOSTILE = " ".join((SCRIPT, IMAGE, ATTRIBUTE, CLOSING, TEMPLATE, BIDI, INVISIBLE, LINK, LONG))
_FOREIGN = "script:not([src]), img, main svg, [onerror], [onload], [onfocus], [onmouseover], a[href^=javascript]"
_NEVER = "\u202e\u2066\u200b\u2060\ufeff\U000e0041\u0007\u001b"


def _configuration() -> str:
    # Terraform's own escapes: in its strings, ${ and %{ begin templates.
    text = json.dumps(HOSTILE, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    command = json.dumps("printf '%s\\n' \"$TEXT\"; printf '\\033[31mred\\007\\033]0;title\\007\\n'")
    return f"""
        locals {{ text = {text} }}
        variable "fails" {{ default = false }}
        resource "terraform_data" "hostile" {{
          for_each = toset([local.text])
          input    = {{ (local.text) = local.text, json = jsonencode({{ (local.text) = local.text }}) }}
          provisioner "local-exec" {{
            command     = {command}
            environment = {{ TEXT = local.text }}
          }}
        }}
        resource "terraform_data" "check" {{
          depends_on = [terraform_data.hostile]
          lifecycle {{
            precondition {{
              condition     = !var.fails
              error_message = "The text is: ${{local.text}}."
            }}
          }}
        }}
        check "hostile" {{
          assert {{
            condition     = length(local.text) == 0
            error_message = "The check says: ${{local.text}}."
          }}
        }}
        output "hostile" {{ value = local.text }}
    """


@pytest.fixture(scope="module")
async def runs(lab: Lab) -> Mapping[str, Run]:
    """A run that waits, one that was applied, and one that failed; all texts are hostile."""
    workspace = await lab.workspace(_configuration(), name="hostile", description=HOSTILE)
    planned = await lab.planned(workspace, message=HOSTILE)
    await lab.client.comments.create(planned.id, HOSTILE)
    await lab.client.runs.discard(planned.id, comment=HOSTILE)
    applied = await lab.applied(workspace, message=HOSTILE)
    failed = await lab.until(await lab.run(workspace, message=HOSTILE, variables={"fails": "true"}), "errored")
    other = await lab.workspace(_configuration(), name="hostile-waiting")
    await lab.send("POST", f"/workspaces/{workspace}/actions/lock", {"reason": HOSTILE})
    return {
        "discarded": planned,
        "applied": applied,
        "failed": failed,
        "planned": await lab.planned(other, message=HOSTILE),
    }


async def _is_harmless(page: Page, path: str) -> None:
    await page.goto(path)
    for selector in (
        "script:not([src])",
        "img",
        "main svg",
        "[onerror], [onload], [onfocus], [onmouseover]",
        "a[href^=javascript]",
    ):
        assert await page.locator(selector).count() == 0, (path, selector)
    html = await page.content()
    assert [mark for mark in _NEVER if mark in html] == [], path
    title = await page.title()
    assert not any(mark in title for mark in _NEVER), path
    assert "49" not in title, path
    assert await overflow_px(page) <= 0, path


async def test_texts_are_data_on_every_page(page: Page, runs: Mapping[str, Run]) -> None:
    """The complaints of the browser, which `page` collects, would include a dialog."""
    await page.set_viewport_size({"width": 390, "height": 900})
    for path in ("/app/default", "/app/default/workspaces", "/app/default/workspaces/hostile"):
        await _is_harmless(page, path)
    for name, run in runs.items():
        workspace = "hostile-waiting" if name == "planned" else "hostile"
        path = f"/app/default/workspaces/{workspace}/runs/{run.id}"
        await _is_harmless(page, path)
        for link in await page.locator("main a[href*=values]").all():
            href = await link.get_attribute("href")
            assert href is not None
            assert href.startswith("/app/")
        await _is_harmless(page, f"{path}?text={SCRIPT}&action={SCRIPT}&module={SCRIPT}&resource_type={SCRIPT}&page=9")


async def test_values_of_a_hostile_address_are_found(page: Page, runs: Mapping[str, Run]) -> None:
    """The key of an instance is in the address of its page."""
    await page.goto(f"/app/default/workspaces/hostile-waiting/runs/{runs['planned'].id}")
    link = page.locator("main a[href*=values]", has_text="terraform_data.hostile").first
    href = await link.get_attribute("href")
    assert href is not None
    await _is_harmless(page, href)
    await expect(page.locator("main")).to_contain_text(SCRIPT)


async def test_messages_are_shown_as_they_are_written(page: Page, runs: Mapping[str, Run]) -> None:
    await page.goto(f"/app/default/workspaces/hostile/runs/{runs['applied'].id}")
    await expect(page.locator("h1")).to_contain_text(f"{SCRIPT} {IMAGE}")
    assert (await page.title()).startswith(SCRIPT)


async def test_a_live_log_of_hostile_texts_is_text(chromium: Chromium, lab: Lab) -> None:
    """A script adds these lines: they arrive as JSON in an event."""
    workspace = await lab.workspace(_configuration().replace("printf '%s", "sleep 2; printf '%s"), name="hostile-live")
    run = await lab.planned(workspace, message=HOSTILE)
    async with chromium.visitor() as page:
        await lab.client.runs.apply(run.id)
        await page.goto(f"/app/default/workspaces/hostile-live/runs/{run.id}")
        await expect(page.locator("#log-text")).to_contain_text(SCRIPT)
        assert await page.locator("#log-text img, #log-text script, #log-text svg").count() == 0
        assert "\u202e" not in await page.content()
    await lab.until(run, "applied")

"""The log on the page of a run, and the page of a whole log."""

import re

from tests.local.support import Json
from tests.web.support import Browser, Pages
from tfruns.web.log_index import PAGE_LINES

RUNS = "/app/default/workspaces/network/runs"


def _path(run: Json, query: str = "") -> str:
    return f"{RUNS}/{run['id']}/logs/plan{query}"


def _numbers(html: str) -> list[int]:
    return [int(number) for number in re.findall(r'id="L(\d+)"', html)]


async def test_colors_are_classes_and_markup_is_text(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    pages.write_log(run, "plan", b"\x02\x1b[31mred <b>\x1b[0m\x1b[2J \xe2\x80\xae<script>alert(1)</script>\n\x03")
    for path in (f"{RUNS}/{run['id']}", _path(run)):
        text = (await browser.get(path)).text
        assert '<span class="red">red &lt;b&gt;</span> &lt;script&gt;alert(1)&lt;/script&gt;</span>' in text, path
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert "<script>alert" not in text


async def test_a_log_has_pages_and_each_line_an_address(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    total = 2 * PAGE_LINES + 500
    pages.write_log(run, "plan", b"".join(b"line %d\n" % number for number in range(1, total + 1)))
    cases = {
        "": (1, PAGE_LINES),
        "?line=1": (1, PAGE_LINES),
        f"?line={PAGE_LINES}": (1, PAGE_LINES),
        f"?line={PAGE_LINES + 1}": (PAGE_LINES + 1, 2 * PAGE_LINES),
        f"?line={total}": (2 * PAGE_LINES + 1, total),
        "?line=999999": (2 * PAGE_LINES + 1, total),
        "?line=end": (2 * PAGE_LINES + 1, total),
        "?line=-1": (1, PAGE_LINES),
        "?line=x": (1, PAGE_LINES),
    }
    for query, (first, last) in cases.items():
        text = (await browser.get(_path(run, query))).text
        assert _numbers(text) == list(range(first, last + 1)), query
        assert f">line {last}</span>" in text, query
        assert ('rel="next"' in text, 'rel="prev"' in text) == (last < total, first > 1), query


async def test_a_page_that_is_exactly_full_is_the_last_one(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    pages.write_log(run, "plan", b"x\n" * PAGE_LINES)
    for query in ("", "?line=end"):
        text = (await browser.get(_path(run, query))).text
        assert _numbers(text) == list(range(1, PAGE_LINES + 1))
        assert 'rel="next"' not in text


async def test_a_search_finds_lines_by_number(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    lines = [b"line %d\n" % number for number in range(1, 3_001)]
    lines[2_499] = b"\x1b[1mNee\x1b[0mdle <here>\n"
    pages.write_log(run, "plan", b"".join(lines))
    text = (await browser.get(_path(run, "?search=NEEDLE"))).text
    assert f'href="{_path(run)}?line=2500#L2500"' in text
    assert re.findall(r'aria-label="Line (\d+)"', text) == ["2500"]
    assert "dle &lt;here&gt;" in text
    assert "No lines match" in (await browser.get(_path(run, "?search=nosuch"))).text


async def test_a_huge_line_does_not_hide_the_others(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    pages.write_log(run, "plan", b"first\n" + b"x" * 5_000_000 + b"\nlast\n")
    text = (await browser.get(_path(run))).text
    assert len(text) < 100_000
    assert ">first</span>" in text
    assert "[line omitted: too long]" in text
    assert ">last</span>" in (await browser.get(_path(run, "?line=3"))).text


async def test_a_log_that_does_not_exist(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    assert "has no log of the apply yet" in (await browser.get(f"{RUNS}/{run['id']}/logs/apply")).text
    assert (await browser.get(f"{RUNS}/{run['id']}/logs/nosuch")).status_code == 404


async def test_a_secret_of_the_plan_is_neither_shown_nor_found(browser: Browser, pages: Pages) -> None:
    run = await pages.api.planned()
    secret = "correct-horse-battery"
    pages.write_plan(
        run,
        {
            "format_version": "1.2",
            "terraform_version": "1.11.4",
            "variables": {"password": {"value": secret}},
            "configuration": {"root_module": {"variables": {"password": {"sensitive": True}}}},
            "resource_changes": [],
        },
    )
    pages.write_log(run, "plan", f"the password is {secret}\nand in \x1b[31mcorrect-horse\x1b[0m-battery\n".encode())
    for path in (f"{RUNS}/{run['id']}", _path(run)):
        text = re.sub("<[^>]+>", "", (await browser.get(path)).text)
        assert "the password is" in text
        assert secret not in text
    found = (await browser.get(_path(run, f"?search={secret}"))).text
    assert "No lines match" in found

"""What a page links to is there."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import anchors, links, name_of, pages

_OF_A_MACHINE = re.compile(r"(?<![\w.~])/(?:root|work|tmp|home|Users|mnt|usr)/")


@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in pages()])
def test_every_local_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = []
    for target in links(text):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        is_there = there.is_file() and (not anchor or anchor in anchors(there.read_text(encoding="utf-8")))
        if not is_there:
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", [pytest.param(page, id=name_of(page)) for page in pages()])
def test_a_page_names_no_directory_of_the_machine_that_it_was_written_on(page: Path) -> None:
    assert _OF_A_MACHINE.findall(page.read_text(encoding="utf-8")) == []


def test_links_and_headings_are_found() -> None:
    text = "# One (of two)\n[a](b.md#c) `[not](this)`\n```text\n# no heading\n[no](link)\n```\n## `tfruns mcp`\n"
    assert list(links(text)) == ["b.md#c"]
    assert anchors(text) == {"one-of-two", "tfruns-mcp"}

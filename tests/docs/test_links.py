"""The links of the Markdown pages resolve."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import anchors, links, name_of, pages
from tests.support.tables import rows

_LOCAL_PATH = re.compile(r"(?<![\w.~])/(?:root|work|tmp|home|Users|mnt|usr)/")


@rows("page", [pytest.param(page, id=name_of(page)) for page in pages()])
def test_local_links_resolve(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    broken = []
    for target in links(text):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        is_found = linked.is_file() and (not anchor or anchor in anchors(linked.read_text(encoding="utf-8")))
        if not is_found:
            broken.append(target)
    assert broken == []


@rows("page", [pytest.param(page, id=name_of(page)) for page in pages()])
def test_page_contains_no_local_path(page: Path) -> None:
    assert _LOCAL_PATH.findall(page.read_text(encoding="utf-8")) == []


def test_links_and_anchors_are_found_outside_code() -> None:
    text = "# One (of two)\n[a](b.md#c) `[not](this)`\n```text\n# no heading\n[no](link)\n```\n## `tfruns mcp`\n"
    assert list(links(text)) == ["b.md#c"]
    assert anchors(text) == {"one-of-two", "tfruns-mcp"}

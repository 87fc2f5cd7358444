"""The code blocks, links and headings of the Markdown pages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.source import ROOT

_FENCE = re.compile(r"^```(?P<language>[\w{}-]*)[^\n]*\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
_COMMAND = "$ "


@dataclass(frozen=True, slots=True)
class Block:
    """A code block and its location."""

    page: str
    line: int
    language: str
    code: str

    @property
    def id(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Every Markdown page, in the root directory and in docs/."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(language: str) -> list[Block]:
    """The code blocks in one language, of all pages."""
    return [
        Block(name_of(path), text.count("\n", 0, found.start()) + 1, language, found["code"])
        for path in pages()
        for text in [path.read_text(encoding="utf-8")]
        for found in _FENCE.finditer(text)
        if found["language"] == language
    ]


def commands() -> list[tuple[str, str]]:
    """The commands after a prompt in code blocks, each with its page."""
    return [
        (block.page, line.removeprefix(_COMMAND))
        for block in blocks("console")
        for line in block.code.splitlines()
        if line.startswith(_COMMAND)
    ]


def links(text: str) -> Iterator[str]:
    """The link targets of a page, outside code."""
    for found in _LINK.finditer(re.sub(r"`[^`\n]*`", "", _FENCE.sub("", text))):
        yield found["target"]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and Sphinx generate them."""
    headings = (found["text"] for found in _HEADING.finditer(_FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}

"""How the documentation is built: `make docs`. Its pages are Markdown that reads well without being built, too."""

import re
from pathlib import Path

from sphinx.application import Sphinx

_ROOT = Path(__file__).parent.parent
_VERSION = (_ROOT / "src" / "tfruns" / "_version.py").read_text(encoding="utf-8")
_PAGES_OF_THE_ROOT = {
    page: _ROOT / f"{page.upper()}.md" for page in ("readme", "contributing", "security", "changelog")
}
_LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")

project = "tfruns"
author = "The tfruns developers"
release = version = re.findall(r'__version__ = "(.+)"', _VERSION)[0]

extensions = ["myst_parser", "sphinxcontrib.mermaid"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_title = f"tfruns {release}"
html_show_copyright = False


def setup(app: Sphinx) -> None:
    """Take in the pages that stand at the root, where people look for them."""
    app.connect("source-read", _read_from_the_root)


def _read_from_the_root(app: Sphinx, page: str, content: list[str]) -> None:
    if page in _PAGES_OF_THE_ROOT:
        app.env.note_dependency(_PAGES_OF_THE_ROOT[page])
        content[0] = _LINK.sub(_moved, _PAGES_OF_THE_ROOT[page].read_text(encoding="utf-8"))


def _moved(link: re.Match[str]) -> str:
    """A link of a page at the root, as it is from here."""
    target = link[1]
    if target.startswith("docs/"):
        return f"]({target.removeprefix('docs/')})"
    stem = target.removesuffix(".md").lower()
    return f"]({stem}.md)" if stem in _PAGES_OF_THE_ROOT else f"](../{target})"

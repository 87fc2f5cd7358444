"""Sphinx configuration. Run `make docs` to build the documentation."""

import re
from pathlib import Path

from sphinx.application import Sphinx

_ROOT = Path(__file__).parent.parent
_VERSION = (_ROOT / "src" / "tfruns" / "_version.py").read_text(encoding="utf-8")
_ROOT_PAGES = {page: _ROOT / f"{page.upper()}.md" for page in ("contributing", "security", "changelog")}
_LINK = re.compile(r"\]\((?!https?:|#)([^)]+)\)")

project = "tfruns"
author = "The tfruns developers"
release = version = re.findall(r'__version__ = "(.+)"', _VERSION)[0]

extensions = ["myst_parser", "sphinx_copybutton", "sphinxcontrib.mermaid"]
smartquotes = False  # a reader copies options and strings
copybutton_prompt_text = r"\$ |> "
copybutton_prompt_is_regexp = True
exclude_patterns = ["recipes/*"]  # programs, included in recipes.md
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4
nitpicky = True

html_theme = "furo"
html_title = f"tfruns {release}"
html_show_copyright = False


def setup(app: Sphinx) -> None:
    """Include the pages in the root directory."""
    app.connect("source-read", _read_root_page)


def _read_root_page(app: Sphinx, page: str, content: list[str]) -> None:
    if page in _ROOT_PAGES:
        app.env.note_dependency(_ROOT_PAGES[page])
        content[0] = _LINK.sub(_rewrite_link, _ROOT_PAGES[page].read_text(encoding="utf-8"))


def _rewrite_link(link: re.Match[str]) -> str:
    """Rewrite a link of a page in the root directory so that it is relative to docs/."""
    target = link[1]
    if target.startswith("docs/"):
        return f"]({target.removeprefix('docs/')})"
    stem = target.removesuffix(".md").lower()
    if stem == "readme":
        return "](index.md)"
    return f"]({stem}.md)" if stem in _ROOT_PAGES else f"](../{target})"

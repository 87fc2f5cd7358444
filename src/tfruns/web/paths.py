"""The paths of the pages, and what a link may lead to."""

import re
from urllib.parse import quote, urlencode

from tfruns.errors import InvalidInput
from tfruns.masking.text import one_line

PREFIX = "/app"
OWN = f"{PREFIX}/-"
"""The beginning of paths that belong to no organization: no organization has this name."""
LINKS = f"{OWN}/links"

_PAGE = re.compile(rf"{PREFIX}(?:[/?#][^\s\\]*)?")


def run_path(run_id: str) -> str:
    """The path that leads to the page of a run in any workspace."""
    return f"{OWN}/runs/{quote(run_id, safe='')}"


def workspace_path(workspace: str) -> str:
    """The path that leads to the page of a workspace: a name, organization/name or id."""
    return f"{OWN}/workspaces/{quote(workspace)}"


def is_page(path: str) -> bool:
    """Whether this is the path of a page of this site, to which a browser can be redirected."""
    return _PAGE.fullmatch(path) is not None and path.isprintable()


def page_path(path: str) -> str:
    """The path of a page.

    Raises:
        InvalidInput: this is not the path of a page.
    """
    if not is_page(path):
        raise InvalidInput(
            f'"{one_line(path, 100)}" is not the path of a page.', solution=f"Use a path below {PREFIX}/, or omit it."
        )
    return path


def link_path(code: str, path: str) -> str:
    """The path of a link that begins a session with a code, and leads to a page."""
    return f"{LINKS}/{code}" + (f"?{urlencode({'to': path}, safe='/')}" if path != PREFIX else "")

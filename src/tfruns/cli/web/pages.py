"""The page that an argument of `tfruns web` names."""

import re
from collections.abc import Collection
from urllib.parse import urlsplit

from tfruns.errors import InvalidInput
from tfruns.masking.text import one_line
from tfruns.web.paths import PREFIX, page_path, run_path, workspace_path

PAGE = "Run, workspace, path or URL (default: the overview)"
_RUN = re.compile(r"run-[A-Za-z0-9]{1,64}")
_WORKSPACE = re.compile(r"[A-Za-z0-9_-]{1,128}(/[A-Za-z0-9_-]{1,128})?")


def path_of(page: str | None, addresses: Collection[str]) -> str:
    """The path of a page.

    Args:
        page: a run id, a workspace, a path below /app, or a URL; None for the overview.
        addresses: the addresses that URLs may have: those of the API and of the server of the pages.

    Raises:
        InvalidInput: this is not a page, or its URL belongs to another server.
    """
    if page is None:
        return PREFIX
    if "://" in page:
        return page_path(_path_of_url(page, addresses))
    if page.startswith("/"):
        return page_path(page)
    if _RUN.fullmatch(page):
        return run_path(page)
    if _WORKSPACE.fullmatch(page):
        return workspace_path(page)
    raise InvalidInput(
        f'"{one_line(page, 100)}" is not a page.',
        solution=f"Use a run id, a workspace (name, organization/name or id), a path below {PREFIX}/, or a URL.",
    )


def address_of_url(page: str | None) -> str | None:
    """The address of the server of a URL; None if this is not a URL."""
    parts = urlsplit(page) if page and "://" in page else None
    return f"{parts.scheme}://{parts.netloc}" if parts else None


def _path_of_url(url: str, addresses: Collection[str]) -> str:
    address = address_of_url(url)
    if address is None or address not in addresses:
        raise InvalidInput(
            f"{one_line(url, 100)} is not a page of {' or '.join(addresses)}.",
            solution="Use the URL of a page of this API, or a run id.",
        )
    return url.removeprefix(address) or PREFIX

"""The review of a run in the chat, for clients that declare MCP Apps (`io.modelcontextprotocol/ui`).

Two tools name a document, which the client reads as a resource and shows in a sandbox. The results of these tools
contain the review as HTML, in metadata that the model does not get. Other clients get nothing of this.
"""

import logging
from collections.abc import Mapping
from typing import Any

import mcp_types as types
from mcp.server import ServerRequestContext

from tfruns.mcp.pages import Pages

_log = logging.getLogger(__name__)

EXTENSION = "io.modelcontextprotocol/ui"
MIME_TYPE = "text/html;profile=mcp-app"
REVIEW_URI = "ui://tfruns/review.html"
REVIEW_KEY = "tfruns/review"
_TOOLS = frozenset({"review_run", "wait_for_run"})

_Ctx = ServerRequestContext[Any]


def shows_apps(ctx: _Ctx) -> bool:
    """Whether the client declares that it shows HTML documents."""
    capabilities = ctx.session.client_capabilities
    declared = (capabilities.extensions or {}).get(EXTENSION) if capabilities is not None else None
    mime_types = declared.get("mimeTypes") if declared is not None else None
    return isinstance(mime_types, list) and MIME_TYPE in mime_types


def metadata_of_tool(ctx: _Ctx, name: str) -> dict[str, Any] | None:
    """The metadata of a tool in the list of tools; None if it names no document for this client."""
    return {"ui": {"resourceUri": REVIEW_URI}} if name in _TOOLS and shows_apps(ctx) else None


async def metadata_of_result(
    ctx: _Ctx, pages: Pages | None, name: str, view: Mapping[str, Any]
) -> dict[str, Any] | None:
    """The metadata of a result with the review of its run; None for other tools and clients."""
    run_id = view.get("run_id") or view.get("id")
    if pages is None or name not in _TOOLS or not isinstance(run_id, str) or not shows_apps(ctx):
        return None
    try:
        review = await pages.review(run_id)
    except Exception:  # noqa: BLE001  # the result itself is complete
        _log.warning("The review of %s for the chat failed.", run_id, exc_info=True)
        return None
    return {REVIEW_KEY: {"html": review.html, "url": review.url}}


def document_resource(pages: Pages) -> types.ReadResourceResult:
    """The document, which loads nothing and connects to nothing."""
    contents = types.TextResourceContents(
        uri=REVIEW_URI,
        mime_type=MIME_TYPE,
        text=pages.document(),
        _meta={"ui": {"csp": {"connectDomains": [], "resourceDomains": []}, "prefersBorder": True}},
    )
    return types.ReadResourceResult(contents=[contents])

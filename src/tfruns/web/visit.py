"""One request of a person with a session: the tool calls of a page, and the page as a response."""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tfruns.gate.person import NoPerson, Person
from tfruns.gate.registry import find_tool
from tfruns.masking.redaction import safe_text
from tfruns.tool import Tool
from tfruns.views.base import View
from tfruns.web.sessions import Session
from tfruns.web.templating import render

V = TypeVar("V", bound=View)

_NOBODY = NoPerson()


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a person with a session.

    Attributes:
        request: the request.
        session: the session.
    """

    request: Request
    session: Session

    async def call(self, tool: str, kind: type[V], /, person: Person = _NOBODY, **arguments: Any) -> V:
        """Call a tool through the gate.

        Args:
            tool: its name.
            kind: the view that it returns.
            person: confirms the call, if it needs confirmation.
            arguments: its arguments.

        Raises:
            TfrunsError: the gate refuses the call, or the tool fails.
        """
        return await self.call_tool(find_tool(tool), kind, person, **arguments)

    async def call_tool(self, tool: Tool, kind: type[V], /, person: Person = _NOBODY, **arguments: Any) -> V:
        """Call a tool that may be outside of the registry."""
        view = await replace(self.session.visitor.gate, person=person).call(tool, arguments)
        if not isinstance(view, kind):
            raise TypeError(f"{tool.name} returns {type(view).__name__}, not {kind.__name__}")
        return view

    def permits(self, tool: str) -> bool:
        """Whether the mode of these pages permits a tool."""
        return self.session.visitor.permits(tool)

    def is_signed_in(self) -> bool:
        """Whether the session of this request has neither expired nor ended since the request began."""
        return self.request.app.state.site.sessions.find(self.session.id) is not None

    def path(self, name: str) -> str:
        """A parameter of the request's path."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str:
        """A parameter of the request's query; empty if it is missing."""
        return self.request.query_params.get(name, "").strip()

    def page_number(self, name: str = "page") -> int:
        """The number of the requested page; 1 if the request has no valid one."""
        text = self.query(name)
        return int(text) if text.isdecimal() and 0 < len(text) <= 5 and int(text) else 1

    def page(self, template: str, title: str, /, *, status: int = HTTPStatus.OK, **values: Any) -> Response:
        """A page of this visitor."""
        now = self.session.visitor.gate.client.clock.now()
        has_passkeys = self.request.app.state.site.passkeys is not None
        values = {"now": now, "has_passkeys": has_passkeys, **values}
        return page(template, title, status=status, session=self.session, **values)


def page(
    template: str, title: str, *, status: int = HTTPStatus.OK, session: Session | None = None, **values: Any
) -> Response:
    """A page.

    Args:
        template: the name of the template, without its extension.
        title: the title of the document; data.
        status: the HTTP status.
        session: the visitor's session; None for a page without one.
        values: the variables of the template.
    """
    html = render(f"{template}.html", title=safe_text(title), session=session, **values)
    return HTMLResponse(html, status)

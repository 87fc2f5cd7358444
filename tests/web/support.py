"""A browser without scripts, as far as the tests of the pages need one."""

from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx2
from starlette.types import ASGIApp

from tests.local.support import Api

ORIGIN = "http://127.0.0.1:8088"

Browser = httpx2.AsyncClient


@dataclass(frozen=True)
class Pages:
    """The pages, and the API beside them."""

    app: ASGIApp
    api: Api
    token: str

    def browser(self) -> Browser:
        """A browser without a session."""
        transport = httpx2.ASGITransport(self.app)
        return httpx2.AsyncClient(transport=transport, base_url=ORIGIN, headers={"origin": ORIGIN})


async def sign_in(browser: Browser, token: str) -> None:
    """Begin a session with an API token."""
    response = await browser.post("/app/-/sign-in", data={"token": token})
    assert response.status_code == 303, response.text


@dataclass(frozen=True)
class Form:
    """A form of a page: its address, its fields, and the text of its button."""

    action: str
    fields: Mapping[str, str]
    button: str


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str], list[str]]] = []
        self._is_in_button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((values.get("action", ""), {}, []))
        elif tag == "input" and self.forms:
            self.forms[-1][1][values["name"]] = values.get("value", "")
        self._is_in_button = tag == "button"

    def handle_endtag(self, tag: str) -> None:
        self._is_in_button = self._is_in_button and tag != "button"

    def handle_data(self, data: str) -> None:
        if self._is_in_button:
            self.forms[-1][2].append(data)


def forms_of(html: str) -> dict[str, Form]:
    """The forms of a page, by the text of their buttons."""
    parser = _Forms()
    parser.feed(html)
    return {"".join(button): Form(action, fields, "".join(button)) for action, fields, button in parser.forms}

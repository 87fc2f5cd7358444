"""A browser without scripts, as far as the tests of the pages need one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser

import httpx2
from starlette.types import ASGIApp

from tests.local.support import Api, Json

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

    def write_plan(self, run: Json, plan: Json) -> None:
        """Store the JSON of a run's plan."""
        self._write("plan-json", run["relationships"]["plan"]["data"]["id"], json.dumps(plan).encode())

    def write_log(self, run: Json, phase: str, log: bytes) -> None:
        """Store the log of a phase."""
        self._write("log", run["relationships"][phase]["data"]["id"], log)

    def _write(self, kind: str, id_: str, content: bytes) -> None:
        path = self.api.backend.objects.path(kind, id_)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


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
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((values.get("action", ""), {}, []))
        elif tag == "input" and self.forms and (values.get("type") != "radio" or "checked" in values):
            self.forms[-1][1][values["name"]] = values.get("value", "")
        elif tag == "textarea":
            self._area = values["name"]
            self.forms[-1][1][self._area] = ""
        self._is_in_button = tag == "button"

    def handle_endtag(self, tag: str) -> None:
        self._is_in_button = self._is_in_button and tag != "button"
        self._area = "" if tag == "textarea" else self._area

    def handle_data(self, data: str) -> None:
        if self._is_in_button:
            self.forms[-1][2].append(data)
        if self._area:
            self.forms[-1][1][self._area] += data


class _Text(HTMLParser):
    def __init__(self, labelled_by: str) -> None:
        super().__init__()
        self._labelled_by = labelled_by
        self._depth = 0
        self._hidden = 0
        self.parts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "section" and (self._depth or values.get("aria-labelledby") == self._labelled_by):
            self._depth += 1
        if tag == "span" and (self._hidden or values.get("aria-hidden") == "true"):
            self._hidden += 1

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag == "section" and self._depth > 0
        self._hidden -= tag == "span" and self._hidden > 0

    def handle_data(self, data: str) -> None:
        if self._depth and not self._hidden:
            self.parts.append(data)


def section(html: str, labelled_by: str) -> str:
    """The text of a section as a screen reader reads it, with single spaces; empty if the page has no such section."""
    parser = _Text(labelled_by)
    parser.feed(html)
    return " ".join(" ".join(parser.parts).split())


def forms_of(html: str) -> dict[str, Form]:
    """The forms of a page, by the text of their buttons."""
    parser = _Forms()
    parser.feed(html)
    return {"".join(button): Form(action, fields, "".join(button)) for action, fields, button in parser.forms}

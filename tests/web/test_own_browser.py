"""The button that opens a page, with a session, in the browser of the computer that serves it."""

import subprocess
from collections.abc import AsyncIterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.support import samples
from tests.support.api import ConnectionTo, FakeApi, answer, client_for
from tests.web.support import forms_of
from tfruns.policy import Policy
from tfruns.web.loopback import LoopbackPages
from tfruns.web.own_browser import OwnBrowser, has_browser

PAGE = "/app/-/requests/0123456789abcdef"
BUTTON = "Open in my browser"


@pytest.fixture
async def pages(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LoopbackPages]:
    monkeypatch.setenv("DISPLAY", ":0")
    api = FakeApi().on("GET", "/account/details", answer({"data": samples.user(username="operator")}))
    pages = LoopbackPages(ConnectionTo(client_for(api)).client, Policy(), command="tfruns mcp")
    yield pages
    await pages.aclose()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Sequence[str]]:
    """The programs that were started."""
    found: list[Sequence[str]] = []

    class Program:
        def __init__(self, command: Sequence[str], **streams: Any) -> None:
            assert {streams[name] for name in ("stdin", "stdout", "stderr")} == {subprocess.DEVNULL}
            found.append(command)

    monkeypatch.setattr("tfruns.web.own_browser.subprocess.Popen", Program)
    return found


async def test_the_button_opens_the_page_with_a_session_that_only_the_browser_gets(
    pages: LoopbackPages, started: list[Sequence[str]]
) -> None:
    url = await pages.url(PAGE)
    origin = url.removesuffix(PAGE)
    async with httpx2.AsyncClient(base_url=origin, headers={"origin": origin}) as stranger:
        form = forms_of((await stranger.get(PAGE)).text)[BUTTON]
        response = await stranger.post(form.action, data=form.fields)
        assert response.status_code == 200
        assert "open in your default browser" in response.text
        assert "set-cookie" not in response.headers
        assert (await stranger.get(PAGE)).status_code == 401
    ((*_, link),) = started
    code = urlsplit(link).path.rpartition("/")[2]
    assert code not in response.text
    async with httpx2.AsyncClient(base_url=origin, headers={"origin": origin}) as browser:
        begun = forms_of((await browser.get(link)).text)["Continue"]
        assert (await browser.post(begun.action, data=begun.fields)).headers["location"] == PAGE


async def test_the_button_accepts_no_form_of_another_origin(pages: LoopbackPages, started: list[Sequence[str]]) -> None:
    origin = (await pages.url(PAGE)).removesuffix(PAGE)
    async with httpx2.AsyncClient(base_url=origin) as stranger:
        for headers in ({}, {"origin": "https://attacker.example"}, {"origin": "null"}):
            response = await stranger.post("/app/-/open", data={"to": PAGE}, headers=headers)
            assert response.status_code == 403
    assert started == []


async def test_the_button_opens_only_pages_of_this_server(pages: LoopbackPages, started: list[Sequence[str]]) -> None:
    origin = (await pages.url(PAGE)).removesuffix(PAGE)
    async with httpx2.AsyncClient(base_url=origin, headers={"origin": origin}) as stranger:
        await stranger.post("/app/-/open", data={"to": "https://attacker.example/app"})
        again = await stranger.post("/app/-/open", data={"to": PAGE})
    ((*_, link),) = started
    assert link.startswith(f"{origin}/app/-/links/")
    assert "attacker" not in link
    assert "was just opened" in again.text


async def test_without_a_graphical_session_there_is_no_button(
    pages: LoopbackPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tfruns.web.own_browser.sys.platform", "linux")
    assert not has_browser()
    origin = (await pages.url(PAGE)).removesuffix(PAGE)
    async with httpx2.AsyncClient(base_url=origin, headers={"origin": origin}) as stranger:
        assert BUTTON not in forms_of((await stranger.get(PAGE)).text)
        assert (await stranger.post("/app/-/open", data={"to": PAGE})).status_code == 404


def test_pages_are_opened_at_most_every_two_seconds() -> None:
    now = [0.0]
    opened: list[Sequence[str]] = []
    sessions: Any = type("Sessions", (), {"create_link_code": lambda *_: "code"})()
    browser = OwnBrowser("http://127.0.0.1:1", sessions, opened.append, lambda: now[0])
    assert [browser.open(PAGE, sessions), browser.open(PAGE, sessions)] == [True, False]
    now[0] = 2.0
    assert browser.open(PAGE, sessions)
    assert len(opened) == 2

"""The pages that a process serves on loopback, beside a remote API."""

import asyncio
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx2
import pytest

from tests.support import samples
from tests.support.api import ConnectionTo, FakeApi, answer, client_for, error
from tests.web.support import forms_of
from tfruns.errors import ConnectionFailed, InvalidInput, NotFound
from tfruns.policy import Confirm, Policy
from tfruns.web.loopback import LoopbackPages
from tfruns.web.loopback_server import MAX_CONNECTIONS
from tfruns.web.passkeys import PasskeyFile, Passkeys
from tfruns.web.running import RunningPages, record_directory, running_pages

OTHER_PATHS = (
    "",
    "/",
    "/apple",
    "app",
    "//attacker.example/app",
    "https://attacker.example/app",
    "/app\\attacker.example",
    "/app/\\attacker.example",
    "/app/a b",
    "/app/\n/attacker.example",
    "/app/\x00",
    "/app/\u202e",
    "/api/v2/ping",
)


@pytest.fixture
async def pages() -> AsyncIterator[LoopbackPages]:
    api = FakeApi().on("GET", "/account/details", answer({"data": samples.user(username="operator")}))
    connection = ConnectionTo(client_for(api))
    served = LoopbackPages(connection.client, Policy(confirm=Confirm.NEVER), command="tfruns mcp")
    yield served
    await served.aclose()


async def test_a_link_leads_to_its_page_once(pages: LoopbackPages) -> None:
    link = await pages.link("/app/-/runs/run-1?page=2")
    url = link.partition("/app/")[0]
    async with _browser(url) as browser, _browser(url) as other:
        form = forms_of((await browser.get(link)).text)["Continue"]
        begun = await browser.post(form.action, data=form.fields)
        assert (begun.status_code, begun.headers["location"]) == (303, "/app/-/runs/run-1?page=2")
        assert '<span class="quiet">operator</span>' in (await browser.get("/app/-/runs/run-1")).text
        again = await other.post(form.action, data=form.fields)
        assert again.status_code == 401
        assert "was already used" in again.text
        assert f"tfruns web link --port {url.rpartition(':')[2]}" in again.text


async def test_every_link_has_its_own_code_and_the_same_server(pages: LoopbackPages) -> None:
    links = [await pages.link("/app") for _ in range(3)]
    assert len({link.rpartition("/")[2] for link in links}) == 3
    assert len({link.partition("/app/")[0] for link in links}) == 1


async def test_a_link_leads_only_to_a_page_of_the_server(pages: LoopbackPages) -> None:
    for path in OTHER_PATHS:
        with pytest.raises(InvalidInput, match="is not the path of a page"):
            await pages.link(path)
    assert running_pages() == []  # and starts no server


async def test_a_running_server_has_a_record_that_only_its_owner_can_read(pages: LoopbackPages) -> None:
    url = (await pages.link()).partition("/app/")[0]
    async with _browser(url) as browser:
        found = running_pages()
        [record] = record_directory().iterdir()
        assert stat.S_IMODE(record.stat().st_mode) == 0o600
        assert found == [RunningPages(url, found[0].secret, "https://tfe.example.com", "tfruns mcp")]
        for secret, status in ((found[0].secret, 201), ("wrong", 401), ("ü", 401)):
            headers = {b"authorization": f"Bearer {secret}".encode()}
            assert (await browser.post("/app/-/links", headers=headers)).status_code == status, secret
    await pages.aclose()
    assert running_pages() == []


async def test_the_record_of_a_killed_server_is_deleted(pages: LoopbackPages) -> None:
    await pages.started()
    killed = record_directory() / "1-abc.json"
    killed.write_text('{"url": "http://127.0.0.1:1", "secret": "s", "api": "a", "command": "tfruns web"}')
    assert [found.command for found in running_pages()] == ["tfruns mcp"]
    assert not killed.exists()


async def test_tokens_are_not_accepted_beside_a_remote_api(pages: LoopbackPages) -> None:
    url = (await pages.link()).partition("/app/")[0]
    async with _browser(url) as browser:
        assert "API token" not in (await browser.get("/app")).text
        for token in (running_pages()[0].secret, "fakeToken", ""):
            response = await browser.post("/app/-/sign-in", data={"token": token})
            assert (response.status_code, "set-cookie" in response.headers) == (401, False)


async def test_a_port_that_is_in_use_is_an_error(pages: LoopbackPages) -> None:
    port = int((await pages.link()).partition("/app/")[0].rpartition(":")[2])
    api = ConnectionTo(client_for(FakeApi()))
    with pytest.raises(ConnectionFailed, match=r"cannot be served on port .*in use"):
        await LoopbackPages(api.client, Policy(), command="tfruns web", port=port).link()


async def test_connections_that_send_nothing_keep_nobody_out(pages: LoopbackPages) -> None:
    link = await pages.link()
    url = link.partition("/app/")[0]
    port = int(url.rpartition(":")[2])
    async with _browser(url) as browser, AsyncExitStack() as stack:
        assert (await browser.get(link)).status_code == 200  # its connection stays open
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MAX_CONNECTIONS + 50)]
        for _, writer in silent:
            stack.callback(writer.close)
        assert (await browser.get(link)).status_code == 200
        async with asyncio.timeout(30):
            closed = await asyncio.gather(*(reader.read(1) for reader, _ in silent[:51]))
        assert closed == [b""] * 51
        assert not any(reader.at_eof() for reader, _ in silent[51:])


async def test_pages_with_passkeys_need_the_name_of_the_user(tmp_path: Path) -> None:
    api = FakeApi().on("GET", "/account/details", error(404, "not found"))
    for passkeys in (None, Passkeys(PasskeyFile(tmp_path / "passkeys.json"))):
        served = LoopbackPages(ConnectionTo(client_for(api)).client, Policy(), command="tfruns mcp", passkeys=passkeys)
        if passkeys is None:
            assert (await served.link()).startswith("http://127.0.0.1:")
        else:
            with pytest.raises(NotFound):
                await served.link()
        await served.aclose()


def _browser(url: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(base_url=url, headers={"origin": url}, trust_env=False, timeout=30)

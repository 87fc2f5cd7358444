"""`tfruns web`, `tfruns web link` and `--web`: links into the pages, which a browser opens once."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.support.browser import NO_BROWSER, FakeBrowser, follow
from tests.support.command import PATIENCE_S, Shell
from tests.support.command_process import Process, start
from tests.support.local_server import LocalServer, until
from tests.support.stdio import tfruns

_LINK = re.compile(r"http://127\.0\.0\.1:(\d+)/app/-/links/[\w-]{32}(\?to=\S+)?")
OTHER_PAGES = (
    "//attacker.example/app",
    "https://attacker.example/app",
    "http://127.0.0.1:1/app",
    "javascript:alert(1)",
    "/apple",
    "/app/\\attacker.example",
    "/app/a b",
    "/api/v2/ping",
    "a/b/c",
    "..",
    "",
)


@pytest.fixture
def browser(tmp_path: Path) -> FakeBrowser:
    return FakeBrowser(tmp_path)


@pytest.fixture
def shell(shell: Shell, browser: FakeBrowser) -> Shell:
    return shell.with_variables(browser.variables)


@pytest.fixture
def local(server: LocalServer) -> tuple[str, ...]:
    return ("--local", "--data-dir", str(server.data_dir))


@pytest.fixture
def workspace(shell: Shell) -> str:
    shell("workspace", "create", "web-network", code=None)
    return "web-network"


@contextmanager
def _serving(shell: Shell, *arguments: str) -> Iterator[Process]:
    process = start([tfruns(), "web", *arguments], cwd=shell.directory, env=shell.env)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE_S)


def _opened(browser: FakeBrowser) -> str:
    until(browser.has_opened, "a browser opens")
    return browser.opened()[0]


def test_web_opens_the_pages_of_the_local_backend_once(
    shell: Shell, browser: FakeBrowser, local: tuple[str, ...], workspace: str
) -> None:
    done = shell("web", f"default/{workspace}", *local)
    [link] = browser.opened()
    assert _LINK.fullmatch(link)
    assert (done.out, link in done.err) == ("", False)
    page = follow(link)
    assert (page.status_code, page.url.path) == (200, f"/app/default/workspaces/{workspace}")
    again = follow(link)
    assert again.status_code == 401
    assert "was already used" in again.text


def test_web_link_prints_one_link_and_nothing_else(shell: Shell, server: LocalServer, local: tuple[str, ...]) -> None:
    for options in (local, ("--data-dir", str(server.data_dir))):
        done = shell("web", "link", *options, "/app/default/workspaces")
        assert done.err == ""
        assert _LINK.fullmatch(done.out.removesuffix("\n"))
        assert follow(done.out.strip()).url.path == "/app/default/workspaces"


def test_web_show_opens_the_page_of_the_local_backend(shell: Shell, browser: FakeBrowser, workspace: str) -> None:
    shell("workspace", "show", workspace, "--web")
    [link] = browser.opened()
    assert follow(link).url.path == f"/app/default/workspaces/{workspace}"


def test_link_is_printed_without_a_browser(shell: Shell, local: tuple[str, ...]) -> None:
    without = shell.with_variables(NO_BROWSER)("web", *local)
    assert "No browser could be started." in without.err
    for done in (without, shell("web", *local, "--no-browser")):
        assert _LINK.fullmatch(done.out.removesuffix("\n"))


def test_web_serves_a_remote_api_until_it_is_interrupted(shell: Shell, browser: FakeBrowser, workspace: str) -> None:
    with _serving(shell, workspace) as process:
        link = _opened(browser)
        assert follow(link).url.path == f"/app/default/workspaces/{workspace}"
        assert follow(link).status_code == 401
        server = link.partition("/app")[0]
        port = server.rpartition(":")[2]
        for words in ((), ("--port", port), (f"{server}/app/default",), ("/app/default",)):
            printed = shell("web", "link", *words)
            assert printed.err == ""
            assert printed.out.startswith(f"{server}/app/-/links/")
            assert follow(printed.out.strip()).url.path == "/app/default"
        other = shell("web", "link", code=1, TFE_ADDRESS="https://tfe.example.com").err
        assert f"For the open pages of {shell.env['TFE_ADDRESS']}, add --port {port}." in other
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    assert "No pages for" in shell("web", "link", code=1).err
    assert "No pages of this user" in shell("web", "link", "--port", port, code=1).err
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(server, trust_env=False)


def test_link_of_a_killed_server_is_not_printed(shell: Shell, browser: FakeBrowser) -> None:
    with _serving(shell) as process:
        _opened(browser)
        process.kill()
        process.wait(PATIENCE_S)
    assert shell("web", "link", code=1).out == ""


def test_web_listens_on_the_given_port_or_fails(shell: Shell, server: LocalServer, browser: FakeBrowser) -> None:
    taken = server.url.rpartition(":")[2]
    done = shell("web", "--port", taken, code=1)
    assert done.err.startswith(f"Error: The pages cannot be served on port {taken}: Address already in use.\n")
    assert browser.opened() == []
    for port in ("70000", "-1", "x"):
        assert shell("web", "--port", port, code=2).out == ""


def test_other_pages_are_refused(shell: Shell, browser: FakeBrowser, local: tuple[str, ...]) -> None:
    for page in OTHER_PAGES:
        for words in (("web",), ("web", *local), ("web", "link", *local)):
            done = shell(*words, "--", page, code=2)
            assert (done.out, "page" in done.err) == ("", True), (words, page)
    assert browser.opened() == []


def test_link_needs_a_running_server_and_its_token(shell: Shell, server: LocalServer, tmp_path: Path) -> None:
    for directory in (tmp_path / "missing", tmp_path):
        done = shell("web", "link", "--data-dir", str(directory), code=1)
        assert done.out == ""
        assert done.err.startswith(f"Error: No server is running on {directory}.\n")
    stolen = tmp_path / "copy"
    stolen.mkdir()
    for name in ("address", "port"):
        (stolen / name).write_bytes((server.data_dir / name).read_bytes())
    (stolen / "token").write_text("anotherToken")
    assert shell("web", "link", "--data-dir", str(stolen), code=1).out == ""


def test_sign_in_page_names_the_command_for_its_data_directory(server: LocalServer) -> None:
    page = httpx2.get(f"{server.url}/app/default/workspaces", trust_env=False)
    assert page.status_code == 401
    assert f"<code>tfruns web link --data-dir {server.data_dir} /app/default/workspaces</code>" in page.text


def test_options_of_a_server_do_not_apply_to_the_local_backend(shell: Shell, local: tuple[str, ...]) -> None:
    for option in (("--port", "0"), ("--mode", "read"), ("--organizations", "acme"), ("--workspaces", "acme/*")):
        done = shell("web", *local, *option, code=2)
        assert done.err.startswith(f"Error: {option[0]} does not apply to the local backend.\n")
    assert "cannot be used together" in shell("web", "link", "--local", "--port", "1", code=2).err


def test_web_without_a_token_fails(shell: Shell, browser: FakeBrowser) -> None:
    for token, text in (("", "No API token"), ("wrong", "unauthorized")):
        done = shell("web", code=1, TFE_TOKEN=token)
        assert text in done.err.lower() or text in done.err
    assert browser.opened() == []


def test_secrets_are_not_in_the_output(shell: Shell, server: LocalServer, browser: FakeBrowser) -> None:
    with _serving(shell, "--no-browser") as process:
        assert process.stdout is not None
        line = process.stdout.readline().decode()
        assert _LINK.fullmatch(line.strip())
        [record] = (shell.home / ".local" / "state" / "tfruns" / "pages").glob("*.json")
        assert server.token not in record.read_text()
        assert server.token not in line

"""The recipes of docs/recipes.md do what the page says, on the local backend, and have correct types."""

import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest

from tests.architecture.source import ROOT
from tests.docs.pages import blocks
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tests.support.stdio import PATIENCE_S, environment

pytestmark = pytest.mark.processes

RECIPES = ROOT / "docs" / "recipes"
_ONE = 'resource "terraform_data" "one" {}\noutput "greeting" { value = "hello" }\n'
_OTHER = 'resource "terraform_data" "other" {}\n'
_BROKEN = 'output "broken" { value = var.missing }\n'
_OTHER_PROGRAM = """
import asyncio
import tfruns

async def main() -> None:
    async with tfruns.Client() as client:
        params = tfruns.RunParams(variables={"region": "eu", "sizes": [1, 2]})
        run = await client.runs.create("my-organization/network", params)
        run = await client.runs.wait(run.id, until="planned", timeout_s=60, on_log=print)
        run = await client.runs.apply(run.id, comment="Agreed.")
        async for other in client.runs.list_for_workspace("my-organization/network"):
            print(other.id, run.status)

asyncio.run(main())
"""
_WITH_VARIABLES = """
variable "region" { type = string }
variable "size" { type = number }
variable "zones" { type = list(string) }
resource "terraform_data" "all" { input = [var.region, var.size, var.zones] }
"""
_UNDECLARED = "Reference to undeclared input variable"


@pytest.fixture(scope="module")
def server(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("recipes") / "data") as started:
        yield started


def env_of(server: LocalServer, home: Path, **more: str) -> dict[str, str]:
    return environment(home, TFE_ADDRESS=server.url, TFE_TOKEN=server.token, **more)


def run_recipe(name: str, *arguments: str, env: dict[str, str]) -> tuple[int, str]:
    return run_program([str(RECIPES / name), *arguments], env=env)


def run_program(arguments: list[str], *, env: dict[str, str], cwd: Path = ROOT) -> tuple[int, str]:
    """The exit code and the output of a Python program, which writes nothing to standard error."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout


class Comments(HTTPServer):
    """Receives comments, as GitHub does."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, Any]]] = []
        super().__init__(("127.0.0.1", 0), _CommentHandler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/repos/acme/infrastructure/issues/1/comments"


class _CommentHandler(BaseHTTPRequestHandler):
    server: Comments

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.headers["Authorization"], body))
        self.send_response(201)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write nothing to standard error."""


@pytest.fixture
def comments() -> Iterator[Comments]:
    with Comments() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()


async def test_plan_is_posted_as_a_comment(server: LocalServer, comments: Comments, tmp_path: Path) -> None:
    configuration = tmp_path / "infrastructure"
    configuration.mkdir()
    (configuration / "main.tf").write_text(_ONE, encoding="utf-8")
    async with lab_on(server) as lab:
        await lab.workspace(name="network")
    env = env_of(server, tmp_path, COMMENTS_URL=comments.url, GITHUB_TOKEN="not-a-token")
    code, printed = run_recipe("plan_comment.py", "default/network", str(configuration), env=env)
    assert (code, comments.received) == (0, [("Bearer not-a-token", {"body": printed.removesuffix("\n")})])
    assert printed.startswith("### Terraform: 1 to add, 0 to change, 0 to destroy\n")
    assert "  # terraform_data.one will be created\n" in printed
    (configuration / "main.tf").write_text(_BROKEN, encoding="utf-8")
    code, printed = run_recipe("plan_comment.py", "default/network", str(configuration), env=env_of(server, tmp_path))
    assert (code, len(comments.received)) == (1, 1)
    assert printed.startswith("### Terraform: the plan is errored\n")
    assert _UNDECLARED in printed


async def test_waiting_runs_are_applied_after_checks(server: LocalServer, tmp_path: Path) -> None:
    async with lab_on(server) as lab:
        harmless = await lab.workspace(_ONE, name="staging-a")
        replaced = await lab.workspace(_ONE, name="staging-b")
        elsewhere = await lab.workspace(_ONE, name="production")
        await lab.applied(replaced)
        await lab.upload(replaced, _OTHER)
        runs = {name: await lab.planned(id_) for name, id_ in (("a", harmless), ("b", replaced), ("p", elsewhere))}
        code, printed = run_recipe("apply_waiting.py", "default", "staging-*", env=env_of(server, tmp_path))
        assert code == 0
        assert sorted(printed.splitlines()) == [
            f"staging-a {runs['a'].id}: applied",
            f"staging-b {runs['b'].id}: not applied: it destroys or replaces resources",
        ]
        statuses = {name: await lab.status(run) for name, run in runs.items()}
        assert statuses == {"a": "applied", "b": "planned", "p": "planned"}


async def test_failures_are_explained(server: LocalServer, tmp_path: Path) -> None:
    async with lab_on(server) as lab:
        run = await lab.until(await lab.run(await lab.workspace(_BROKEN, name="billing")), "errored")
    assert _explanation(env_of(server, tmp_path), f"{run.id} of billing failed:\n") == f"Error: {_UNDECLARED}\n"


def _explanation(env: dict[str, str], heading: str) -> str:
    """The line that `watch_failures.py` prints after a heading."""
    program = [sys.executable, str(RECIPES / "watch_failures.py"), "default"]
    with subprocess.Popen(program, env=env, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout
        while (line := watching.stdout.readline()) != heading:
            assert line, "the recipe ended"
        found = watching.stdout.readline()
        watching.send_signal(signal.SIGINT)
        assert watching.wait(PATIENCE_S) == 130
    return found


async def test_fragments_of_the_client_page_run(server: LocalServer, tmp_path: Path) -> None:
    fragments = [
        block.code for block in blocks("python") if block.page == "docs/client.md" and "import" not in block.code
    ]
    assert len(fragments) == 2
    (tmp_path / "infrastructure").mkdir()
    (tmp_path / "infrastructure" / "main.tf").write_text(_WITH_VARIABLES, encoding="utf-8")
    async with lab_on(server) as lab:
        await lab.workspace(_WITH_VARIABLES, name="fragments")
    program = "import tfruns\nfrom tfruns.sync import Client\n\nwith Client() as client:\n"
    program += indent("\n".join(fragments), "    ").replace("my-organization/network", "default/fragments")
    program += "    print('finally', run.status, version.id)\n"
    printed = run_program(["-c", program], cwd=tmp_path, env=env_of(server, tmp_path))[1]
    assert "# terraform_data.all will be created" in printed
    assert re.match(r"finally applied cv-\w{16}$", printed.splitlines()[-1])


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_recipes_have_correct_types(checker: str, tmp_path: Path) -> None:
    """The checkers have no configuration of this project, as for a user."""
    recipes = sorted(RECIPES.glob("*.py"))
    assert len(recipes) == 3
    for recipe in recipes:
        (tmp_path / recipe.name).write_text(recipe.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "others.py").write_text(_OTHER_PROGRAM, encoding="utf-8")
    (tmp_path / "pyrightconfig.json").write_text(
        '{"include": ["*.py"], "typeCheckingMode": "strict"}', encoding="utf-8"
    )
    options = {
        "mypy": ["--strict", "--config-file=", "--cache-dir", str(ROOT / ".mypy_cache" / "recipes"), "."],
        "pyright": ["--project", ".", "--pythonpath", sys.executable],
    }
    command = [sys.executable, "-m", checker, *options[checker]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(("Success: no issues found in 4 source files", "0 errors, 0 warnings"))
    assert "No source files" not in done.stdout

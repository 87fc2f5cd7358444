"""The synchronous client on the local backend: results, threads, callbacks, and the end of a program."""

import inspect
import io
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path

import pytest

import tfruns
from tests.local.support import archive
from tests.support.local_server import LocalServer
from tests.support.stdio import PATIENCE_S, environment
from tfruns.sync import Client, local

pytestmark = pytest.mark.processes

_MAIN = """
variable "region" {}
variable "sizes" { type = map(number) }
resource "terraform_data" "network" { input = var.region }
output "region" { value = "${var.region} ${var.sizes["a"]}" }
"""


@pytest.fixture(scope="module")
def server(processes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    with LocalServer(tmp_path_factory.mktemp("sync") / "data") as started:
        yield started


@pytest.fixture
def client(server: LocalServer) -> Iterator[Client]:
    with client_of(server) as opened:
        yield opened


def client_of(server: LocalServer) -> Client:
    return Client(server.url, server.token, organization="default")


def configured(client: Client, name: str, main: str = _MAIN) -> str:
    """The id of a new workspace with a configuration."""
    workspace = client.workspaces.create("default", name)
    version = client.configuration_versions.create(workspace.id, auto_queue_runs=False)
    client.configuration_versions.upload(version, io.BytesIO(archive({"main.tf": main})))
    assert client.configuration_versions.wait_until_processed(version.id).status == "uploaded"
    return workspace.id


def planned(client: Client, name: str) -> tfruns.Run:
    workspace_id = configured(client, name)
    variables = {"region": "eu", "sizes": {"a": 1}}
    run = client.runs.create(workspace_id, tfruns.RunParams(message=name, variables=variables))
    return client.runs.wait(run.id, timeout_s=PATIENCE_S)


def test_run_is_planned_applied_and_logged(client: Client) -> None:
    lines: list[tuple[int, str]] = []
    run = planned(client, "job")
    assert run.status == "planned"
    accepted = client.runs.apply(run.id, comment="Agreed.")
    assert accepted.status in {"confirmed", "apply_queued", "applying", "applied"}
    done = client.runs.wait(
        run.id, until="final", timeout_s=PATIENCE_S, on_log=lambda line: lines.append((threading.get_ident(), line))
    )
    assert done.status == "applied"
    assert {thread for thread, _ in lines} == {threading.get_ident()}
    texts = [line for _, line in lines]
    assert 'region = "eu 1"' in texts
    assert run.plan
    assert run.apply
    assert "# terraform_data.network will be created" in client.plans.log_text(run.plan)
    assert client.applies.log_text(run.apply).split("\n") == texts
    assert [comment.body for comment in client.comments.list_for_run(run.id)] == ["Agreed."]


def test_listing_is_read_by_page_and_iterated(client: Client) -> None:
    names = [f"listed-{number}" for number in range(5)]
    for name in names:
        client.workspaces.create("default", name)
    listing = client.workspaces.list_for_organization("default", search="listed-")
    assert {workspace.name for workspace in listing} == {*names}
    assert [workspace.name for workspace in islice(listing, 2)] == names[:2]
    page = listing.page(2, size=2)
    assert [workspace.name for workspace in page.items] == names[2:4]
    assert page.pagination.total_count == 5


def test_errors_are_those_of_the_asynchronous_client(client: Client) -> None:
    with pytest.raises(tfruns.NotFound):
        client.runs.read("run-nosuchrun0000000")
    with pytest.raises(tfruns.InvalidInput):
        client.runs.read("network")
    with pytest.raises(tfruns.NotFound):
        list(client.runs.list_for_organization("nosuch"))
    with pytest.raises(tfruns.WaitTimedOut):
        client.runs.wait(planned(client, "timeout").id, until="final", timeout_s=0)


def test_threads_share_a_client(client: Client) -> None:
    run = planned(client, "threads")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: client.runs.read(run.id).id, range(40)))
    assert found == [run.id] * 40


async def test_client_works_inside_a_coroutine(client: Client) -> None:
    assert client.account.read().username


def test_callback_may_call_the_client(client: Client) -> None:
    run = planned(client, "nested")
    statuses: set[str] = set()
    client.runs.wait(run.id, on_log=lambda _: statuses.add(client.runs.read(run.id).status))
    assert statuses == {"planned"}


def test_error_of_a_callback_is_raised(client: Client) -> None:
    def fail(line: str) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="Terraform"):
        client.runs.wait(planned(client, "callback").id, on_log=fail)


def test_closed_client_refuses_calls(server: LocalServer) -> None:
    client = client_of(server)
    assert client.account.read().username
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="The client is closed"):
        client.account.read()
    unused = client_of(server)
    unused.close()
    with pytest.raises(RuntimeError, match="The client is closed"):
        unused.account.read()


def test_closing_interrupts_a_call_of_another_thread(server: LocalServer) -> None:
    client = client_of(server)
    run = planned(client, "interrupted")
    begun = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: client.runs.wait(run.id, until="final", on_log=lambda _: begun.set()))
        assert begun.wait(PATIENCE_S)
        client.close()
        with pytest.raises(RuntimeError, match="The client was closed before the call returned"):
            waiting.result(PATIENCE_S)


# -- programs ---------------------------------------------------------------------------------------------------------


def program(server: LocalServer, home: Path, code: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", f"import os, sys, tfruns\nfrom tfruns.sync import Client\n{code}"],
        env=environment(home, TFE_ADDRESS=server.url, TFE_TOKEN=server.token),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_program_ends_although_the_client_is_not_closed(server: LocalServer, tmp_path: Path) -> None:
    with program(server, tmp_path, "client = Client()\nprint(client.account.read().username)") as running:
        out, err = running.communicate(timeout=PATIENCE_S)
    assert (running.returncode, out.strip() != "", err) == (0, True, "")


def test_ctrl_c_ends_a_wait(server: LocalServer, tmp_path: Path) -> None:
    with client_of(server) as client:
        run = planned(client, "ctrl-c")
    code = (
        "with Client() as client:\n"
        "    try:\n"
        f"        client.runs.wait('{run.id}', until='final', on_log=lambda line: print(line, flush=True))\n"
        "    except KeyboardInterrupt:\n"
        f"        print('interrupted', client.runs.read('{run.id}').status)\n"
    )
    with program(server, tmp_path, code) as running:
        assert running.stdout
        assert running.stdout.readline()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=PATIENCE_S)
    assert (running.returncode, out.splitlines()[-1], err) == (0, "interrupted planned", "")


def test_forked_process_is_told_to_create_its_own_client(server: LocalServer, tmp_path: Path) -> None:
    code = (
        "client = Client()\nclient.account.read()\n"
        "if os.fork() == 0:\n"
        "    try:\n        client.account.read()\n"
        "    except RuntimeError as error:\n        print(error, flush=True)\n"
        "    client.close()\n    os._exit(0)\n"
        "os.wait()\nprint(client.account.read().username)\n"
    )
    with program(server, tmp_path, code) as running:
        out, _ = running.communicate(timeout=PATIENCE_S)
    assert running.returncode == 0
    first, second = out.splitlines()
    assert first == "The client belongs to another process. Create one in each process."
    assert second


# -- the same interface -----------------------------------------------------------------------------------------------


def test_every_method_has_the_parameters_of_the_asynchronous_one() -> None:
    asynchronous, synchronous = tfruns.Client("https://tfe.example.com", "x"), Client("https://tfe.example.com", "x")
    resources = [name for name, value in vars(tfruns.Client).items() if isinstance(value, cached_property)]
    assert len(resources) >= 13
    assert {name for name in vars(synchronous) if not name.startswith("_")} == {*resources, "settings"}
    for name in resources:
        assert _signatures(getattr(synchronous, name)) == _signatures(getattr(asynchronous, name)), name


def _signatures(resource: object) -> dict[str, list[str]]:
    methods = inspect.getmembers(resource, inspect.ismethod)
    return {name: list(inspect.signature(method).parameters) for name, method in methods if not name.startswith("_")}


# -- the local backend in this process --------------------------------------------------------------------------------


def test_local_backend_runs_in_the_process_and_stops_with_the_block(tmp_path: Path) -> None:
    with local.client(tmp_path / "data") as client:
        run = planned(client, "embedded")
        assert run.status == "planned"
    with pytest.raises(RuntimeError, match="The client is closed"):
        client.runs.read(run.id)
    with local.client(tmp_path / "data") as again:
        assert again.runs.discard(run.id).status == "discarded"

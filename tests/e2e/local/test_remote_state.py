"""Runs that read the states of other workspaces, with real Terraform and the run's own token."""

import base64
import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.gates import ApplyGate
from tests.support.local_lab import Lab, wait_until
from tests.support.local_lab import lab as lab_on
from tests.support.local_server import LocalServer
from tfruns.vocabulary import RunStatus

pytestmark = pytest.mark.anyio

OWNER = """
    output "subnet" { value = "10.0.4.0/24" }
    output "password" {
      value     = "correct-horse-battery"
      sensitive = true
    }
"""


def reader(hostname: str, workspace: str, *, organization: str = "default") -> str:
    return f"""
        data "terraform_remote_state" "network" {{
          backend = "remote"
          config = {{
            hostname     = "{hostname}"
            organization = "{organization}"
            workspaces   = {{ name = "{workspace}" }}
          }}
        }}
        resource "terraform_data" "a" {{ input = data.terraform_remote_state.network.outputs.subnet }}
    """


async def owner(lab: Lab, name: str, **attributes: object) -> str:
    workspace = await lab.workspace(OWNER, name=name, **attributes)
    await lab.applied(workspace)
    return workspace


async def share(lab: Lab, workspace: str, *consumers: str, method: str = "POST") -> None:
    body = {"data": [{"type": "workspaces", "id": id_} for id_ in consumers]}
    await lab.send(method, f"/workspaces/{workspace}/relationships/remote-state-consumers", body, status=204)


async def planned_input(lab: Lab, workspace: str) -> object:
    plan = await lab.plan_json(await lab.planned(workspace))
    return plan["resource_changes"][0]["change"]["after"]["input"]


async def test_consumer_reads_the_outputs_with_each_name_of_the_server(lab: Lab, server: LocalServer) -> None:
    network = await owner(lab, "network-a")
    consumer = await lab.workspace()
    await share(lab, network, consumer)
    address = server.url.removeprefix("http://")
    for hostname in ("tfruns.local", address, address.replace("127.0.0.1", "localhost")):
        await lab.upload(consumer, reader(hostname, "network-a"))
        run = await lab.planned(consumer)
        plan = await lab.plan_json(run)
        assert plan["resource_changes"][0]["change"]["after"]["input"] == "10.0.4.0/24"
        await lab.client.runs.discard(run.id)


async def test_state_that_is_not_shared_cannot_be_read(lab: Lab) -> None:
    network = await owner(lab, "network-b")
    consumer = await lab.workspace(reader("tfruns.local", "network-b"))
    await lab.until(await lab.run(consumer), RunStatus.ERRORED)
    await share(lab, network, consumer)
    assert await planned_input(lab, consumer) == "10.0.4.0/24"


async def test_state_shared_with_all_workspaces_can_be_read_until_it_is_unshared(lab: Lab) -> None:
    network = await owner(lab, "network-c", **{"global-remote-state": True})
    consumer = await lab.workspace(reader("tfruns.local", "network-c"))
    assert await planned_input(lab, consumer) == "10.0.4.0/24"
    body = {"data": {"type": "workspaces", "attributes": {"global-remote-state": False}}}
    await lab.send("PATCH", f"/workspaces/{network}", body)
    other = await lab.workspace(reader("tfruns.local", "network-c"))
    await lab.until(await lab.run(other), RunStatus.ERRORED)


async def test_run_reads_the_state_of_its_own_workspace(lab: Lab) -> None:
    workspace = await owner(lab, "network-d")
    await lab.upload(workspace, OWNER + reader("tfruns.local", "network-d"))
    assert await planned_input(lab, workspace) == "10.0.4.0/24"


def token_of(server: LocalServer, run_id: str) -> str:
    """The run's own token, as its Terraform finds it."""
    path = server.data_dir / "work" / run_id / "cli.tfrc"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    line = next(line for line in path.read_text().splitlines() if line.startswith('credentials "tfruns.local"'))
    return line.split('"token" = "')[1].split('"')[0]


async def test_run_token_reads_only_shared_states_while_the_run_executes(
    lab: Lab, server: LocalServer, apply_gate: ApplyGate
) -> None:
    shared, hidden = await owner(lab, "network-e"), await owner(lab, "network-f")
    consumer = await lab.workspace(apply_gate.configuration(before="cat ../cli.tfrc; echo done"))
    await share(lab, shared, consumer)
    run = await lab.planned(consumer)
    await lab.client.runs.apply(run.id)
    await wait_until(apply_gate.has_begun, "the apply runs")
    headers = {"authorization": f"Bearer {token_of(server, run.id)}"}

    async def status(method: str, path: str) -> int:
        return (await lab.http.request(method, f"/api/v2{path}", headers=headers)).status_code

    state = (await lab.send("GET", f"/workspaces/{shared}/current-state-version"))["data"]["id"]
    hidden_state = (await lab.send("GET", f"/workspaces/{hidden}/current-state-version"))["data"]["id"]
    [output, _] = (await lab.send("GET", f"/state-versions/{state}/outputs"))["data"]
    answers = {
        204: ["/ping"],
        200: [
            "/organizations/default/entitlement-set",
            "/organizations/default/workspaces/network-e",
            f"/workspaces/{shared}",
            f"/workspaces/{consumer}",
            f"/workspaces/{shared}/current-state-version?include=outputs",
            f"/workspaces/{shared}/current-state-version-outputs",
            f"/state-versions/{state}",
            f"/state-versions/{state}/outputs",
            f"/state-version-outputs/{output['id']}",
        ],
        302: [f"/state-versions/{state}/download"],
        400: [f"/workspaces/{shared}?include=current_run"],
        404: [
            "/organizations",
            "/organizations/default",
            "/organizations/default/workspaces",
            "/organizations/default/workspaces/network-f",
            "/organizations/default/workspaces/nosuch",
            "/organizations/default/runs",
            f"/workspaces/{hidden}",
            f"/workspaces/{hidden}/current-state-version",
            f"/workspaces/{hidden}/current-state-version-outputs",
            f"/state-versions/{hidden_state}",
            f"/state-versions/{hidden_state}/download",
            f"/workspaces/{shared}/vars",
            f"/runs/{run.id}",
            "/account/details",
        ],
    }
    for expected, paths in answers.items():
        assert {path: await status("GET", path) for path in paths} == dict.fromkeys(paths, expected)
    assert await status("POST", f"/workspaces/{shared}/actions/lock") == 404
    assert await status("DELETE", f"/workspaces/{consumer}") == 404

    apply_gate.open()
    await lab.until(run, RunStatus.APPLIED)
    assert await status("GET", "/ping") == 401
    log = await lab.log(run, "apply")
    assert "credentials" in log
    assert headers["authorization"].removeprefix("Bearer ") not in log


async def test_list_of_consumers_is_the_one_that_was_set(lab: Lab) -> None:
    network = await lab.workspace(name="network-g")
    first, second = await lab.workspace(name="consumer-1"), await lab.workspace(name="consumer-2")
    path = f"/workspaces/{network}/relationships/remote-state-consumers"

    async def names() -> list[str]:
        return [found["attributes"]["name"] for found in (await lab.send("GET", path))["data"]]

    await share(lab, network, second, first, first)
    assert await names() == ["consumer-1", "consumer-2"]
    await share(lab, network, first, method="DELETE")
    await share(lab, network, first, method="DELETE")
    assert await names() == ["consumer-2"]
    await share(lab, network, first, method="PATCH")
    assert await names() == ["consumer-1"]
    for wrong in ({"data": [{"id": network}]}, {"data": [{"id": "ws-nosuch"}]}, {"data": {"id": first}}, {}):
        await lab.send("PATCH", path, wrong, status=422)
    assert await names() == ["consumer-1"]
    await lab.send("DELETE", f"/workspaces/{first}")
    assert await names() == []
    await lab.send("GET", "/workspaces/ws-nosuch/relationships/remote-state-consumers", status=404)


# -- configuration of the operator -------------------------------------------------------------------------------------

JSON_CONFIG = json.dumps({"disable_checkpoint": True, "host": {"other.example": {"services": {}}}, "credentials": []})


@pytest.mark.parametrize(
    "config", ['disable_checkpoint = true\ncredentials "a.example" {\n  token = "x"\n}', JSON_CONFIG]
)
async def test_operators_configuration_and_certificate_are_kept(
    config: str, new_server: Callable[..., LocalServer], tmp_path: Path
) -> None:
    path = tmp_path / "operator.tfrc"
    path.write_text(config)
    with new_server("--self-signed", "--cli-config", str(path)) as server:
        async with lab_on(server) as lab:
            await owner(lab, "network", **{"global-remote-state": True})
            consumer = await lab.workspace(reader("tfruns.local", "network"))
            assert await planned_input(lab, consumer) == "10.0.4.0/24"


async def test_forged_run_token_is_refused(lab: Lab) -> None:
    workspace = await lab.workspace(OWNER)
    run = await lab.planned(workspace)

    def encoded(part: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")

    for algorithm in ("none", "HS256"):
        forged = f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded({'run': run.id})}."
        answer = await lab.http.get("/api/v2/ping", headers={"authorization": f"Bearer {forged}"})
        assert answer.status_code == 401

"""An assistant that tries to destroy two resources without a person's consent: real stdio, server and Terraform."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.local_lab import Lab
from tests.support.local_server import LocalServer
from tests.support.stdio import StdioServer, environment
from tfruns.wire.runs import Run

TWO = """
variable "number" {
  default = 2
}
resource "terraform_data" "precious" {
  count = var.number
}
"""
NONE = [{"key": "number", "value": "0"}]


class Attacker:
    """Calls tools of a server whose client cannot ask a person; every code that a refusal returns is passed on."""

    def __init__(self, server: StdioServer, *, passes_codes: bool) -> None:
        self.server = server
        self.passes_codes = passes_codes
        self.codes: list[str] = []
        self.refusals: list[str] = []

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The answer of a tool, with each code that came before where it is refused."""
        view = self._call(tool, arguments)
        for code in self.codes if self.passes_codes else self.codes[:-1]:
            if view.get("error") == "confirmation_needed":
                view = self._call(tool, arguments | {"confirmation": code})
        return view

    def _call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result = self.server.call(tool, arguments)
        view: dict[str, Any] = result.get("structuredContent") or {"error": str(result)}
        if result.get("isError"):
            self.refusals.append(f"{tool}: {view['error']}")
            self.codes += [view["confirmation"]] if "confirmation" in view else []
        return view


@pytest.fixture(params=["auto", "review"])
def attacker(request: pytest.FixtureRequest, server: LocalServer, tmp_path: Path) -> Iterator[Attacker]:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "main.tf").write_text("# nothing\n")
    arguments = ("--confirm", request.param, "--allow-dir", str(tmp_path / "empty"))
    env = environment(tmp_path, TFE_ADDRESS=server.url, TFE_TOKEN=server.token)
    with StdioServer(*arguments, env=env, log=tmp_path / "attacker.log") as stdio:
        yield Attacker(stdio, passes_codes=request.param == "review")


async def _settled(lab: Lab, workspace: str) -> list[Run]:
    """The runs of a workspace, once none of them can continue without a person."""
    runs = [run async for run in lab.client.runs.list_for_workspace(workspace)]
    for run in runs:
        await lab.until(
            run, "planned", "planned_and_saved", "planned_and_finished", "pending", "applied", "discarded", "canceled"
        )
    return runs


async def _resources(lab: Lab, workspace: str) -> int:
    document = await lab.send("GET", f"/workspaces/{workspace}/current-state-version?include=outputs")
    return len(document["data"]["attributes"]["resources"]) and sum(
        resource["count"] for resource in document["data"]["attributes"]["resources"]
    )


async def test_resources_are_never_destroyed_without_a_person(attacker: Attacker, lab: Lab, tmp_path: Path) -> None:
    workspace = await lab.workspace(TWO, **{"auto-apply": True})  # set by its owner
    await lab.applied(workspace)
    harmless = await lab.planned(await lab.workspace(TWO))
    fingerprint = attacker.call("review_run", run_id=harmless.id)["fingerprint"]
    empty = attacker.call("upload_configuration", workspace_id=workspace, directory=str(tmp_path / "empty"))
    configuration = {"configuration_version_id": empty["configuration_version_id"]}

    # A run that applies automatically, in every form.
    for params in (
        {**configuration, "auto_apply": True},
        {"is_destroy": True, "auto_apply": True},
        {"is_destroy": True, "auto_apply": True, "allow_empty_apply": True, "save_plan": True},
        {"variables": NONE, "auto_apply": True},
        {"replace_addrs": ["terraform_data.precious[0]", "terraform_data.precious[1]"], "auto_apply": True},
        {**configuration, "auto_apply": True, "plan_only": False, "refresh": False, "message": "agreed with the owner"},
    ):
        assert attacker.call("create_run", workspace_id=workspace, params=params)["error"] == "confirmation_needed"

    # The workspace has auto-apply, which does not apply to runs of an assistant.
    waiting = attacker.call("create_run", workspace_id=workspace, params=configuration)
    await _settled(lab, workspace)
    assert await lab.status(await lab.client.runs.read(waiting["id"])) == "planned"

    # The waiting plan, without consent: with codes of other calls, and the fingerprint of another plan.
    assert attacker.call("apply_run", run_id=waiting["id"])["error"] == "confirmation_needed"
    assert attacker.call("apply_run", run_id=waiting["id"], comment="agreed")["error"] == "confirmation_needed"
    answer = attacker.call("apply_run", run_id=waiting["id"], fingerprint=fingerprint)
    assert answer["error"] == "plan_differs"
    assert "error" in attacker.call("override_policy_check", run_id=waiting["id"], comment="agreed")

    # A destroy run of another user with auto-apply waits behind it: no call releases it.
    eager = await lab.run(workspace, auto_apply=True, variables={"number": "0"})
    for tool in ("discard_run", "cancel_run", "force_cancel_run"):
        assert "error" in attacker.call(tool, run_id=waiting["id"])
    assert attacker.call("force_execute_run", run_id=eager.id)["error"] == "confirmation_needed"

    await _settled(lab, workspace)
    assert await lab.status(eager) == "pending"
    assert await _resources(lab, workspace) == 2
    assert len(attacker.refusals) >= 14
    await lab.client.runs.cancel(eager.id)

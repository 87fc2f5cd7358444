"""Runs of real Terraform that failed or were ended: who, why, and what was done."""

from typing import Any

import pytest

from tests.support.local_lab import Lab
from tests.tools.calls import TOOLS
from tfruns.gate.pipeline import Gate
from tfruns.policy import Policy
from tfruns.views.base import as_json
from tfruns.wire.runs import Run

pytestmark = pytest.mark.anyio

PARTLY = """
resource "terraform_data" "first" { input = "1" }
resource "terraform_data" "broken" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "echo boom; exit 3" }
}
resource "terraform_data" "after" {
  depends_on = [terraform_data.broken]
  input      = "2"
}
"""
SLOW = PARTLY.replace("echo boom; exit 3", "echo waiting; sleep 60")
INVALID = 'resource "terraform_data" "t" {\n  for_each = { b = "" }\n  input = 1 + each.value\n}\n'
CHANGING = 'resource "terraform_data" "a" { input = timestamp() }'


async def diagnose(lab: Lab, run: Run) -> Any:
    return as_json(await Gate(lab.client, Policy()).call(TOOLS["diagnose_run"], {"run_id": run.id}))


async def test_failed_plan_has_applied_nothing(lab: Lab) -> None:
    run = await lab.until(await lab.run(await lab.workspace(INVALID)), "errored")
    view = await diagnose(lab, run)
    (error,) = view["errors"]
    assert (error["code"], error["values"]) == ("   3:   input = 1 + each.value", ['each.value is ""'])
    assert (view["failed_stage"], view["follows"]) == ("plan", "Final: failed. Nothing was applied.")
    assert "apply_result" not in view
    details = as_json(await Gate(lab.client, Policy()).call(TOOLS["get_run_details"], {"run_id": run.id}))
    assert details["follows"] == "Final: failed. Nothing was applied."


async def test_failed_apply_is_reported_for_each_resource(lab: Lab) -> None:
    workspace = await lab.workspace(PARTLY.replace("echo boom; exit 3", "true"))
    await lab.applied(workspace)
    await lab.upload(workspace, PARTLY.replace('"1"', '"3"').replace("echo boom", "echo again"))
    replaced = ["terraform_data.broken"]
    run = await lab.until(await lab.run(workspace, auto_apply=True, replace_addrs=replaced), "errored")
    assert (await diagnose(lab, run))["apply_result"] == {
        "done": ["terraform_data.broken: destroyed", "terraform_data.first: updated"],
        "failed": ["terraform_data.broken: create"],
        "note": "A failed step may have made part of its changes.",
    }
    run = await lab.until(await lab.run(await lab.workspace(PARTLY), auto_apply=True), "errored")
    view = await diagnose(lab, run)
    assert view["apply_result"] == {
        "done": ["terraform_data.first: created"],
        "failed": ["terraform_data.broken: create"],
        "not_started": ["terraform_data.after: create"],
        "note": "A failed step may have made part of its changes.",
    }
    assert (
        view["follows"] == "Final: failed. The apply may have made part of its changes. Plan again to see which remain."
    )


async def test_canceled_apply_shows_the_user_and_the_completed_steps(lab: Lab) -> None:
    run = await lab.run(await lab.workspace(SLOW), auto_apply=True)
    await lab.until(run, "applying")
    while "waiting" not in await lab.log(run, "apply"):
        await lab.status(run)
    await lab.client.runs.cancel(run.id, comment="wrong branch")
    await lab.until(run, "canceled")
    view = await diagnose(lab, run)
    assert (view["verdict"], view["ended_by"], view["comment"]) == ("canceled", "admin", "wrong branch")
    assert view["summary"].startswith("Canceled while it was applying. The apply may have made part of its changes.")
    assert view["apply_result"]["done"] == ["terraform_data.first: created"]
    assert view["apply_result"]["not_started"] == ["terraform_data.after: create"]


async def test_stale_saved_plan_names_the_run_that_changed_the_state(lab: Lab) -> None:
    workspace = await lab.workspace(CHANGING)
    saved = await lab.until(await lab.run(workspace, save_plan=True), "planned_and_saved")
    other = await lab.applied(workspace)
    await lab.until(saved, "discarded")
    view = await diagnose(lab, saved)
    assert (view["verdict"], view["ended_by"]) == ("discarded", "the service")
    assert view["summary"] == "Discarded while its saved plan was kept. Nothing was applied."
    assert view["reason"] == (
        "The service discarded the saved plan because the workspace's state changed. "
        f"{other.id} changed it just before."
    )


async def test_runs_displaced_by_a_force_execute_name_it(lab: Lab) -> None:
    workspace = await lab.workspace(CHANGING)
    holder = await lab.planned(workspace)
    waiting, forced = await lab.run(workspace), await lab.run(workspace)
    await lab.client.runs.force_execute(forced.id)
    for run, summary in (
        (holder, "Discarded after its plan, before it was confirmed. Nothing was applied."),
        (waiting, "Canceled while it waited in the queue. Nothing was applied."),
    ):
        view = await diagnose(lab, run)
        assert view["reason"].startswith(f"{forced.id} was force-executed")
        assert (view["ended_by"], view["summary"]) == ("admin", summary)


async def test_canceled_pending_run_has_applied_nothing(lab: Lab) -> None:
    workspace = await lab.workspace(CHANGING)
    await lab.planned(workspace)
    run = await lab.run(workspace)
    await lab.client.runs.cancel(run.id)
    view = await diagnose(lab, run)
    assert (view["reason"], view["follows"]) == ("Requested by admin.", "Final: canceled. Nothing was applied.")
    assert view["summary"] == "Canceled while it waited in the queue. Nothing was applied."

"""States and plans beyond what a JSON library reads, on real Terraform: nothing is lost, and nothing is made twice."""

from pathlib import Path

import pytest

from tests.support.local_lab import Lab, wait_until
from tests.support.local_server import LocalServer
from tfruns.vocabulary import RunStatus

pytestmark = pytest.mark.anyio


def nested(depth: int, value: str = "1") -> str:
    return "[" * depth + value + "]" * depth


CASES = {
    "a number of 5,001 digits": 'output "o" { value = tonumber("1e5000") }',
    "a number of 5,001 digits in a resource": 'resource "terraform_data" "big" { input = tonumber("1e5000") }',
    "an output nested 99 deep": f'output "o" {{ value = {nested(99)} }}',
    "an output nested 260 deep": f'output "o" {{ value = {nested(260)} }}',
    "a resource value nested 195 deep": f'resource "terraform_data" "deep" {{ input = {nested(195)} }}',
    "an output with a long name": f'output "{"x" * 3000}" {{ value = 1 }}',
}
_MADE = 'resource "terraform_data" "made" {}\n'


@pytest.mark.parametrize("case", CASES)
async def test_state_is_stored_as_terraform_wrote_it(case: str, lab: Lab) -> None:
    workspace = await lab.workspace(_MADE + CASES[case])
    run = await lab.planned(workspace)
    assert (await lab.plan(run)).resource_additions == CASES[case].count("resource ") + 1
    applied = await lab.confirmed(run)
    assert applied.status == RunStatus.APPLIED
    await lab.until(await lab.run(workspace), RunStatus.PLANNED_AND_FINISHED, within_s=180)
    assert await lab.is_free(workspace)


# The JSON of the plan has 14 MB, which take a moment to write and to read.
_BIG = """
locals { block = join("", [for number in range(1000) : "0123456789abcdefgh"]) }
resource "terraform_data" "big" {
  input = join("", [for number in range(400) : local.block])
}
"""


async def test_cancel_while_a_large_plan_is_written_cancels_the_run(lab: Lab, server: LocalServer) -> None:
    workspace = await lab.workspace(_BIG)
    for moment in ("plan.tfplan", "plan.json"):
        run = await lab.run(workspace)
        directory = server.data_dir / "work" / run.id
        await wait_until(lambda at=directory / moment: _exists(at), f"{moment} is written")
        await lab.client.runs.cancel(run.id)
        ended = await lab.until(run, RunStatus.CANCELED)
        assert ended.canceled_at is not None
        assert ended.actions is not None
        assert not ended.actions.is_confirmable
        await wait_until(lambda: lab.is_free(workspace), "the workspace is free")
    await lab.applied(workspace)
    await lab.until(await lab.run(workspace), RunStatus.PLANNED_AND_FINISHED, within_s=180)


def _exists(path: Path) -> bool:
    return path.exists()

"""`tfruns run status`: what each open run waits for, and why runs failed."""

import pytest

from tests.cli.run.conftest import Command
from tests.support.local_lab import Lab

pytestmark = pytest.mark.anyio

ADDS = 'resource "terraform_data" "a" {}'
FAILS = 'output "a" { value = jsondecode("no") }'


async def test_status_shows_what_runs_wait_for(lab: Lab, tfruns_run: Command) -> None:
    workspace = await lab.workspace(ADDS, name="status-paused")
    first = await lab.planned(workspace)
    second = await lab.run(workspace)
    view = tfruns_run("status", "--workspace", "status-p*", "--json").json
    assert [(row["id"], row["waits_for"]) for row in view["runs"]] == [(first.id, "person"), (second.id, "run")]
    rows = tfruns_run("status", "--workspace", "status-p*").rows
    assert [row[0] for row in rows] == [first.id, second.id]
    assert rows[0][-1] == "1 to add. Waits for a person to apply or discard it."
    assert rows[1][-1].startswith(f"{first.id} is before it: planned.")


async def test_status_shows_why_runs_failed(lab: Lab, tfruns_run: Command) -> None:
    run = await lab.until(await lab.run(await lab.workspace(FAILS, name="status-failing")), "errored")
    ended = tfruns_run("status", "--failed", "--since", "1h", "--workspace", "status-failing")
    (row,) = ended.rows
    assert row[0] == run.id
    assert "main.tf:1" in row[-1]
    assert "Failed since " in ended.err
    nothing = tfruns_run("status", "--workspace", "status-failing")
    assert (nothing.out, "No run is open." in nothing.err) == ("", True)

"""Lists on terminals of 80 and 120 columns, compared as text."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.api import answer
from tests.support.command import Shell
from tests.support.http_api import HttpApi
from tests.support.samples import actions, page, run, workspace
from tests.support.stdio import tfruns
from tests.support.tables import rows
from tests.support.terminal import Terminal
from tfruns.cli.moments import relative

pytestmark = pytest.mark.processes

_WAITS = actions("confirmable", "discardable")

PICTURES = {
    (80, "run list -w network"): """
RUN                   STATUS                CREATED  MESSAGE
run-AAAAAAAAAAAAAAA1  planned !             5m ago   Add two subnets in each zo…
run-AAAAAAAAAAAAAAA2  planned_and_finished  3h ago
run-AAAAAAAAAAAAAAA3  errored               1mo ago  Für 漢字漢字漢字漢字漢字漢…
Same in all rows: workspace network.
Hidden, because the terminal is too narrow: operation.
""",
    (120, "run list -w network"): """
RUN                   STATUS                OPERATION       CREATED  MESSAGE
run-AAAAAAAAAAAAAAA1  planned !             plan_and_apply  5m ago   Add two subnets in each zone for the new database,…
run-AAAAAAAAAAAAAAA2  planned_and_finished  plan_only       3h ago
run-AAAAAAAAAAAAAAA3  errored               plan_and_apply  1mo ago  Für 漢字漢字漢字漢字漢字漢字漢字漢字 and more text…
Same in all rows: workspace network.
""",
    (80, "run list --all-workspaces"): """
RUN                   STATUS                WORKSPACE  CREATED  MESSAGE
run-AAAAAAAAAAAAAAA1  planned !             network    5m ago   Add two subnets…
run-AAAAAAAAAAAAAAA2  planned_and_finished  network    3h ago
run-AAAAAAAAAAAAAAA3  errored               data-eu    1mo ago  Für 漢字漢字漢 …
Hidden, because the terminal is too narrow: operation.
""",
    (80, "workspace list"): """
WORKSPACE  CURRENT RUN           STATUS     LOCKED BY    AUTO-APPLY  RESOURCES
network    run-AAAAAAAAAAAAAAA1  planned !  current_run
data-eu    run-AAAAAAAAAAAAAAA3  errored                 yes
empty                                                                1
Same in all rows: terraform 1.11.4.
Hidden, because the terminal is too narrow: id.
""",
    (120, "workspace list"): """
WORKSPACE  ID                   CURRENT RUN           STATUS     LOCKED BY    AUTO-APPLY  RESOURCES
network    ws-AAAAAAAAAAAAAAA1  run-AAAAAAAAAAAAAAA1  planned !  current_run
data-eu    ws-AAAAAAAAAAAAAAA2  run-AAAAAAAAAAAAAAA3  errored                 yes
empty      ws-AAAAAAAAAAAAAAA3                                                            1
Same in all rows: terraform 1.11.4.
""",
}


def _ago(**given: float) -> str:
    """A time before now, in the middle of a unit, so that the test may take a while."""
    return (datetime.now(UTC) - timedelta(**given)).isoformat()


def _runs() -> list[dict[str, Any]]:
    """Runs of two workspaces, with long and wide messages."""
    first, second, third = (f"run-AAAAAAAAAAAAAAA{number}" for number in range(1, 4))
    long = "Add two subnets in each zone for the new database, and remove the old ones"
    wide = "Für 漢字漢字漢字漢字漢字漢字漢字漢字 and more text than fits on the line of a narrow terminal"
    return [
        run(first, status="planned", actions=_WAITS, message=long, created_at=_ago(minutes=5.5)),
        run(second, status="planned_and_finished", plan_only=True, message="", created_at=_ago(hours=3.5)),
        run(third, status="errored", message=wide, created_at=_ago(days=45)),
    ]


def picture(shell: Shell, columns: int, *arguments: str, **variables: str) -> str:
    """The lines that `tfruns` shows on a terminal of this width."""
    env = {**shell.env, **variables}
    with Terminal([tfruns(), *arguments], cwd=shell.directory, env=env, columns=columns) as terminal:
        assert terminal.end() == 0, terminal.text
        return f"\n{terminal.picture}\n"


def serve(api: HttpApi, path: str, resources: Sequence[dict[str, Any]], included: Sequence[dict[str, Any]]) -> None:
    api.on("GET", path, answer(page(*resources, total=len(resources)) | {"included": included}))


@pytest.fixture
def runs(api: HttpApi) -> None:
    """A workspace, and runs in it and in its organization."""
    api.on("GET", "/organizations/acme/workspaces/network", answer({"data": workspace()}))
    serve(api, "/workspaces/ws-LLGHCr4SWy28wyGN/runs", _runs(), [workspace()])
    other = [{**run, "relationships": {"workspace": {"data": {"type": "workspaces", "id": "ws-2"}}}} for run in _runs()]
    serve(api, "/organizations/acme/runs", [*_runs()[:2], other[2]], [workspace(), workspace("ws-2", name="data-eu")])


@pytest.fixture
def workspaces(api: HttpApi) -> None:
    """Workspaces of an organization: one whose run waits, one that a person locks, one without runs."""
    runs = _runs()
    waiting = ("runs", runs[0]["id"])
    found = [
        workspace("ws-AAAAAAAAAAAAAAA1", name="network", current_run=waiting, locked=True, locked_by=waiting),
        workspace("ws-AAAAAAAAAAAAAAA2", name="data-eu", current_run=("runs", runs[2]["id"]), auto_apply=True),
        workspace("ws-AAAAAAAAAAAAAAA3", name="empty", resource_count=1),
    ]
    for one in found:
        one["attributes"] |= {"terraform-version": "1.11.4"}
    serve(api, "/organizations/acme/workspaces", found, runs)


@rows("columns, command", PICTURES)
def test_list_on_a_terminal(runs: None, workspaces: None, shell: Shell, columns: int, command: str) -> None:
    assert picture(shell, columns, *command.split()) == PICTURES[columns, command]


def test_exact_times_have_a_zone(runs: None, shell: Shell) -> None:
    shown = picture(shell, 80, "run", "list", "-w", "network", "--exact-times", TZ="Asia/Kolkata")
    created = [datetime.fromisoformat(line[44:69]) for line in shown.splitlines()[2:5]]
    expected = [datetime.fromisoformat(run["attributes"]["created-at"]) for run in _runs()]
    assert [at.utcoffset() for at in created] == [timedelta(hours=5, minutes=30)] * 3
    assert all(abs(at - other) < timedelta(minutes=2) for at, other in zip(created, expected, strict=True))
    assert all(len(line) <= 80 for line in shown.splitlines())


def test_pipe_has_all_columns_and_utc(runs: None, shell: Shell) -> None:
    first, *_ = shell("run", "list", "-w", "network").rows
    assert first[:4] == ["run-AAAAAAAAAAAAAAA1", "planned", "plan_and_apply", "network"]
    assert datetime.fromisoformat(first[4]).utcoffset() == timedelta()
    assert first[5] == _runs()[0]["attributes"]["message"]


def test_page_behind_the_last_names_the_number_of_pages(api: HttpApi, shell: Shell) -> None:
    for path in ("/organizations/acme/workspaces", "/organizations/acme/runs"):
        api.on("GET", path, answer(page(number=99, total=3)))
    text = "Page 99 is empty: there is 1 page.\n"
    assert shell("workspace", "list", "--page", "99").err == text
    assert shell("run", "list", "--all-workspaces", "--page", "99").err == text
    assert shell("workspace", "list", "--page", "99", "--json").json["note"] == text.strip()


@rows(
    ("ago", "text"),
    [
        ({"seconds": 0}, "now"),
        ({"seconds": 59}, "59s ago"),
        ({"minutes": 59}, "59m ago"),
        ({"hours": 23, "minutes": 59}, "23h ago"),
        ({"days": 29}, "29d ago"),
        ({"days": 364}, "12mo ago"),
        ({"days": 800}, "2y ago"),
        ({"minutes": -5}, "in 5m"),
    ],
)
def test_relative_times_use_the_largest_whole_unit(ago: dict[str, int], text: str) -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert relative(now - timedelta(**ago), now) == text


def test_command_in_a_hint_stays_on_one_line(api: HttpApi, shell: Shell) -> None:
    run_id = "run-AAAAAAAAAAAAAAA1"
    api.on("GET", f"/runs/{run_id}", answer({"data": _runs()[0], "included": [workspace()]}))
    shown = picture(shell, 60, "run", "show", run_id)
    assert sum(f"`tfruns run review {run_id}`" in line for line in shown.splitlines()) == 1
    assert all(len(line) <= 60 for line in shown.splitlines() if "http" not in line)


def test_id_is_not_cut_on_a_terminal_that_is_too_narrow(runs: None, shell: Shell) -> None:
    for columns in (20, 40, 60):
        shown = picture(shell, columns, "run", "list", "-w", "network")
        assert [f"run-AAAAAAAAAAAAAAA{number}  " in shown for number in (1, 2, 3)] == [True] * 3, shown
        assert "planned_and_finished" in shown

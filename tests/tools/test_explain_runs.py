"""Many runs at once: order, limits, what cannot be read, and the times that `since` selects."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error, query
from tests.support.clock import FakeClock
from tests.tools.calls import ASSISTANT, ORGANIZATION, TOOLS
from tfruns.gate.pipeline import Gate
from tfruns.views.base import as_json, shown_time

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PATH = f"/organizations/{ORGANIZATION}/runs"


def ago(hours: float) -> str:
    return str(shown_time(NOW - timedelta(hours=hours)))


def run(number: int, status: str, workspace: str, *, hours: float = 1, **attributes: Any) -> dict[str, Any]:
    """A run that reached its status some hours ago."""
    at = {f"{status.replace('_', '-')}-at": ago(hours)} if status != "pending" else {}
    made = samples.run(
        f"run-{number:016}", workspace_id=f"ws-{workspace}", status=status, created_at=ago(hours + 1), **attributes
    )
    made["attributes"]["status-timestamps"] = at
    for stage in ("policy-checks", "task-stages"):
        made["relationships"][stage] = {"data": []}
    return made


def planned(number: int, workspace: str, **attributes: Any) -> dict[str, Any]:
    return run(number, "planned", workspace, actions=samples.actions("confirmable", "discardable"), **attributes)


def api_of(*runs: dict[str, Any], next_page: int | None = None, **workspaces: dict[str, Any]) -> FakeApi:
    """An API with these runs, and these workspaces by name."""
    included = [samples.workspace(f"ws-{name}", name=name, **more) for name, more in workspaces.items()]
    return FakeApi().on("GET", PATH, answer(samples.page(*runs, next_page=next_page) | {"included": included}))


async def explained(api: FakeApi, **arguments: Any) -> Any:
    async with client_for(api, FakeClock(now=NOW)) as client:
        return as_json(await Gate(client, ASSISTANT).call(TOOLS["explain_runs"], {"organization": "acme", **arguments}))


async def test_runs_that_need_a_person_come_first_and_the_longest_wait_first() -> None:
    api = api_of(
        run(1, "planning", "a", hours=9),
        planned(2, "b", hours=2),
        run(3, "plan_queued", "c", hours=8),
        planned(4, "d", hours=5),
        a={},
        b={},
        c={},
        d={},
    )
    view = await explained(api)
    assert [(row["id"][-1], row.get("waits_for"), row.get("needs_person", False)) for row in view["runs"]] == [
        ("4", "person", True),
        ("2", "person", True),
        ("3", "worker", False),
        ("1", None, False),
    ]
    assert view["runs"][3]["why"] == "Terraform is planning."
    (request,) = api.sent("GET", PATH)
    assert query(request)["filter[status_group]"] == "non_final"
    assert "plan_only" in query(request)["filter[operation]"]


async def test_queue_lock_and_unreadable_holder_are_told() -> None:
    user = {"id": "user-1", "type": "users", "attributes": {"username": "operator"}}
    locked = {"locked": True, "locked_by": ("users", "user-1")}
    api = api_of(
        run(1, "pending", "a"),
        run(2, "pending", "b"),
        run(3, "pending", "c"),
        a=locked,
        b={"locked": True, "locked_by": ("runs", "run-Hidden"), "current_run": ("runs", "run-Hidden")},
        c={},
    )
    workspace = samples.workspace("ws-a", name="a", **locked)
    workspace["attributes"]["locked-reason"] = "maintenance"
    api.on("GET", "/workspaces/ws-a", answer({"data": workspace, "included": [user]}))
    rows = {row["id"][-1]: row for row in (await explained(api))["runs"]}
    assert (rows["1"]["waits_for"], rows["1"]["why"]) == ("lock", "operator locked the workspace (maintenance).")
    assert rows["1"]["needs_person"] is True
    assert (rows["2"]["waits_for"], rows["2"]["blocked_by"]) == ("run", "run-Hidden")
    assert "needs_person" not in rows["2"]
    assert "waits_for" not in rows["3"]


async def test_long_list_is_limited_and_says_so() -> None:
    api = api_of(*(planned(number, f"w{number}") for number in range(100)), next_page=2)
    view = await explained(api)
    assert (len(view["runs"]), view["omitted"]) == (30, 70)
    assert view["note"] == "Only the newest 100 open runs were read. Filter by workspace to see the others."


async def test_failed_runs_are_selected_by_the_time_of_their_failure() -> None:
    late = run(1, "errored", "a", hours=2)
    late["attributes"]["created-at"] = ago(200)
    api = api_of(late, run(2, "errored", "a", hours=30), a={})
    view = await explained(api, which="failed")
    assert [row["id"][-1] for row in view["runs"]] == ["1"]
    assert view["note"] == f"Failed since {ago(24)}."
    assert query(api.sent("GET", PATH)[0])["filter[status]"] == "policy_soft_failed,errored"
    assert [row["id"][-1] for row in (await explained(api, which="failed", since="2d"))["runs"]] == ["1", "2"]


async def test_failure_that_cannot_be_read_is_unknown() -> None:
    api = api_of(run(1, "errored", "a"), a={}).on("GET", "/plans/plan-8F5JFydVYAmtTjET", error(500, "broken"))
    (row,) = (await explained(api, which="failed"))["runs"]
    assert row["why"].startswith(("No phase, policy or task that can be read", "Unknown: "))


async def test_message_and_lock_reason_hide_secrets() -> None:
    token = "Zz9" + "x" * 11 + ".atlasv1." + "y" * 60
    locked = {"locked": True, "locked_by": ("users", "user-1")}
    api = api_of(run(1, "pending", "a", message=f"uses {token}"), a=locked)
    workspace = samples.workspace("ws-a", name="a", **locked)
    workspace["attributes"]["locked-reason"] = token
    api.on("GET", "/workspaces/ws-a", answer({"data": workspace}))
    assert token not in str(await explained(api))

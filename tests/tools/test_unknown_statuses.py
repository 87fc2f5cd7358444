"""An unknown status is passed through unchanged."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, accepted, answer, error
from tests.support.tables import rows
from tests.tools.calls import ACTIONS, PATHS, RUN_ID, WORKSPACE_ID, call, failure_of, willing_api

NEW = "warp_negotiating"


def _run(**attributes: Any) -> dict[str, Any]:
    possible = samples.actions("confirmable", "discardable")
    return samples.run(status=NEW, actions=possible, source="tfe-warp", **attributes)


@pytest.mark.anyio
@pytest.mark.parametrize("tool", ["get_run_details", "create_run"])
async def test_unknown_status_in_the_details(tool: str) -> None:
    view = await call(tool, api=willing_api(_run(status_timestamps={f"{NEW}-at": "2026-01-02T03:04:05Z"})))
    assert view["status"] == NEW
    assert view.get("source") == (None if tool == "create_run" else "tfe-warp")
    assert view["status_timestamps"] == {f"{NEW}_at": "2026-01-02T03:04:05Z"}
    assert not {"phase", "status_group"} & set(view)  # an unknown status
    assert view["allowed_actions"] == ["apply", "discard"]
    assert view["follows"] == "Waits for a person to apply or discard it."


@pytest.mark.anyio
async def test_unknown_status_without_possible_actions() -> None:
    view = await call("get_run_details", api=willing_api(samples.run(status=NEW, actions=samples.actions())))
    assert view["allowed_actions"] == []
    assert "does not know this status" in view["follows"]


@pytest.mark.anyio
@pytest.mark.parametrize("tool", ["list_runs_in_workspace", "list_runs_in_organization"])
async def test_unknown_status_in_a_list(tool: str) -> None:
    view = await call(tool, api=willing_api(_run()))
    assert [row["status"] for row in view["runs"]] == [NEW]


@pytest.mark.anyio
@rows("tool", ACTIONS)
async def test_unknown_status_after_an_action(tool: str) -> None:
    view = await call(tool, api=willing_api(_run()))
    assert (view["status"], view["accepted"]) == (NEW, True)


@pytest.mark.anyio
@rows("tool", ACTIONS)
async def test_unknown_status_in_a_refusal(tool: str) -> None:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": _run()}))
    api.on("POST", f"/runs/{RUN_ID}/actions/{PATHS[tool]}", error(409, "transition not allowed"))
    refusal = await failure_of(tool, api=api)
    assert refusal.as_dict()["run_status"] == NEW
    assert refusal.as_dict()["allowed_actions"] == ["apply", "discard"]


@pytest.mark.anyio
async def test_run_with_an_unknown_status_does_not_count_as_displaced() -> None:
    early = {"created_at": "2020-01-01T00:00:00Z"}
    api = FakeApi().on("POST", f"/runs/{RUN_ID}/actions/force-execute", accepted())
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": samples.run()}))
    before = samples.page(samples.run("run-early", status=NEW, **early))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(before))
    view = await call("force_execute_run", api=api)
    assert view["displaced"] == []

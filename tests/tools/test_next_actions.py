"""The next actions in results are calls with valid arguments."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer
from tests.support.tables import rows
from tests.tools.calls import LOG_URL, TOOLS, call, willing_api
from tfruns.gate.arguments import validated
from tfruns.policy import Mode, Policy

STATUSES = ["pending", "planning", "planned", "policy_override", "applying", "applied", "errored", "canceled", "warped"]


def _api(status: str) -> FakeApi:
    run = samples.planned() if status == "planned" else samples.run(status=status)
    apply_id = run["relationships"]["apply"]["data"]["id"]
    apply = {"id": apply_id, "type": "applies", "attributes": {"status": "running", "log-read-url": LOG_URL}}
    return willing_api(run).on("GET", f"/applies/{apply_id}", answer({"data": apply}))


@pytest.mark.anyio
@rows("status", STATUSES)
async def test_next_actions_of_every_tool_are_valid_calls(status: str) -> None:
    for name in TOOLS:
        if name != "override_policy_check":
            view = await call(name, api=_api(status))
            for step in view.get("next_actions", ()):
                validated(TOOLS[step["tool"]], step["arguments"])
                assert step["reason"].strip(), name


@pytest.mark.anyio
@rows(
    ("run", "tool"),
    [
        (samples.run(status="pending"), "wait_for_run"),
        (samples.run(status="planning"), "wait_for_run"),
        (samples.planned(), "review_run"),
        (samples.planned(auto_apply=True), "wait_for_run"),
        (samples.run(status="policy_override"), "diagnose_run"),
        (samples.run(status="errored"), "diagnose_run,rerun"),
        (samples.run(status="canceled"), "rerun"),
        (samples.run(status="applied"), None),
        (samples.run(status="discarded"), "rerun"),
    ],
)
async def test_next_action_of_a_run_follows_from_its_status(run: dict[str, Any], tool: str | None) -> None:
    view = await call("get_run_details", api=willing_api(run))
    assert [step["tool"] for step in view.get("next_actions", ())] == (tool.split(",") if tool else [])


@pytest.mark.anyio
async def test_no_text_of_a_result_names_a_tool() -> None:
    for status in STATUSES:
        for name in TOOLS:
            if name != "override_policy_check":
                view = await call(name, api=_api(status))
                texts = [view.get(field, "") for field in ("follows", "note", "plan")]
                assert not [tool for tool in TOOLS if tool in str(texts)], name


@pytest.mark.anyio
async def test_next_actions_are_permitted_by_the_mode() -> None:
    for mode, status, tools in (
        (Mode.READ, "errored", ["diagnose_run"]),
        (Mode.PLAN, "errored", ["diagnose_run", "rerun"]),
        (Mode.READ, "canceled", []),
        (Mode.APPLY, "canceled", ["rerun"]),
    ):
        view = await call("get_run_details", api=_api(status), policy=Policy(mode))
        assert [step["tool"] for step in view.get("next_actions", ())] == tools, (mode, status)

"""Only calls that change or destroy infrastructure require confirmation."""

from typing import Any

import pytest

from tests.support.tables import rows
from tests.tools.calls import WORKSPACE_ID, call, failure_of, willing_api
from tfruns.errors import RefusedByMode
from tfruns.policy import Confirm, Policy

ASKING = Policy(confirm=Confirm.ALWAYS)


@pytest.mark.anyio
@rows(
    "params",
    [
        {"is_destroy": True, "plan_only": True},  # a preview: it can never be applied
        {"is_destroy": False},
        {"auto_apply": False},
        {"refresh_only": True},
        {"allow_empty_apply": True},
    ],
)
async def test_run_that_only_plans_needs_no_confirmation(params: dict[str, Any]) -> None:
    api = willing_api()
    view = await call("create_run", {"workspace_id": WORKSPACE_ID, "params": params}, api=api, policy=ASKING)
    assert view["id"]
    assert len(api.sent("POST", "/runs")) == 1


@pytest.mark.anyio
@rows(
    "params",
    [
        {"auto_apply": True, "refresh_only": True},
        {"is_destroy": True, "save_plan": True},
        {"is_destroy": True, "plan_only": False},
    ],
)
async def test_no_other_option_replaces_the_confirmation(params: dict[str, Any]) -> None:
    api = willing_api()
    arguments = {"workspace_id": WORKSPACE_ID, "params": params}
    refusal = await failure_of("create_run", arguments, api=api, policy=ASKING)
    assert isinstance(refusal, RefusedByMode)
    assert refusal.message.endswith("Nothing was sent.")
    assert api.sent("POST") == []


@pytest.mark.anyio
async def test_arguments_are_validated_before_a_person_is_asked() -> None:
    refusal = await failure_of("apply_run", {}, api=willing_api(), policy=ASKING)
    assert refusal.message == "run_id is required."

"""A 202 means accepted: no result of an action claims that it has taken effect."""

import re
from typing import Any

import pytest

from tests.support import samples
from tests.support.tables import rows
from tests.tools.calls import ACTIONS, call, compact, willing_api
from tfruns.policy import Confirm, Mode, Policy

CLAIMS = re.compile(r"\b(?:was|is|has been) (?:now )?(?:applied|discarded|canceled|killed)\b", re.IGNORECASE)

ACTIVE = ["pending", "planning", "planned", "confirmed", "apply_queued", "applying"]


@pytest.mark.anyio
@rows("tool", ACTIONS)
@rows("status", ACTIVE)
async def test_result_of_an_action_shows_the_run_and_claims_no_effect(tool: str, status: str) -> None:
    view: dict[str, Any] = await call(tool, api=willing_api(samples.run(status=status, actions=samples.actions())))
    assert view["status"] == status
    assert view["accepted"] is True
    assert not CLAIMS.search(view["follows"])
    assert b'"applied"' not in compact(view)


@pytest.mark.anyio
@rows("tool", ACTIONS)
async def test_repeated_action_is_sent_to_the_api(tool: str) -> None:
    policy = Policy(Mode.APPLY, Confirm.NEVER)
    api = willing_api(samples.run(status="applying", canceled_at="2026-01-02T03:04:00Z"))
    await call(tool, api=api, policy=policy)
    await call(tool, api=api, policy=policy)
    assert len(api.sent("POST")) == 2

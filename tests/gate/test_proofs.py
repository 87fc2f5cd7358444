"""The proofs of consent in a call: the code of a refusal, and the fingerprint of a review."""

from typing import Any

import pytest

from tests.gate.harness import (
    ADDS,
    APPLY,
    DESTROY_PLAN,
    DESTROYS,
    REPLACES,
    FixedPerson,
    GateHarness,
)
from tests.support.api import body
from tests.support.tables import rows
from tests.tools.calls import WORKSPACE_ID
from tfruns.errors import ConfirmationNeeded, PlanDiffers
from tfruns.gate.codes import LIFETIME_S, ConfirmationCodes
from tfruns.policy import Confirm

pytestmark = pytest.mark.anyio


# -- codes ------------------------------------------------------------------------------------------------------------


async def test_code_is_valid_once() -> None:
    harness = GateHarness(DESTROYS)
    code = await harness.code()
    await harness.call("apply_run", APPLY | {"confirmation": code})
    with pytest.raises(ConfirmationNeeded, match="wrong, used or expired"):
        await harness.call("apply_run", APPLY | {"confirmation": code})
    assert harness.posts == 1


async def test_code_expires() -> None:
    harness = GateHarness(DESTROYS)
    code = await harness.code()
    harness.now = LIFETIME_S + 1
    with pytest.raises(ConfirmationNeeded, match="expired"):
        await harness.call("apply_run", APPLY | {"confirmation": code})
    assert harness.posts == 0


async def test_code_is_valid_only_for_the_shown_plan() -> None:
    harness, other = GateHarness(DESTROYS), GateHarness(REPLACES)
    other.codes = harness.codes
    code = await harness.code()
    with pytest.raises(ConfirmationNeeded):
        await other.call("apply_run", APPLY | {"confirmation": code})
    assert other.posts == 0
    await harness.call("apply_run", APPLY | {"confirmation": code})  # a wrong use does not use it up


async def test_code_is_valid_only_for_its_call() -> None:
    harness = GateHarness(DESTROYS, Confirm.REVIEW)
    for_kill = str((await harness.refusal("force_cancel_run")).facts["confirmation"])
    for_create = str((await harness.refusal("create_run", DESTROY_PLAN)).facts["confirmation"])
    wider = {"workspace_id": WORKSPACE_ID, "params": {"is_destroy": True, "refresh": False}}
    for name, arguments, code in (
        ("create_run", DESTROY_PLAN, for_kill),
        ("force_execute_run", APPLY, for_kill),
        ("create_run", wider, for_create),
    ):
        with pytest.raises(ConfirmationNeeded):
            await harness.call(name, arguments | {"confirmation": code})
    assert harness.posts == 0


async def test_code_is_valid_only_for_the_sent_comment() -> None:
    harness = GateHarness(DESTROYS)
    code = await harness.code()
    with pytest.raises(ConfirmationNeeded) as refused:
        await harness.call("apply_run", APPLY | {"confirmation": code, "comment": "they agreed"})
    assert "The comment: «they agreed»" in str(refused.value.facts["at_stake"])
    assert harness.posts == 0
    await harness.call("apply_run", APPLY | {"confirmation": f" {code}\n"})
    assert harness.posts == 1


async def test_question_shows_the_caller_and_the_sent_comment() -> None:
    person = FixedPerson()
    harness = GateHarness(DESTROYS, person=person)
    harness.caller = "Some Client"
    await harness.call("apply_run", APPLY | {"comment": "as\nagreed"})
    first, *_, last = person.asked[0].splitlines()
    assert first == "Some Client asks: Apply run-CZcmD7eagjhyX0vN of acme/network to real infrastructure?"
    assert last == "The comment: «as agreed (via tfruns, Some Client)»"
    (request,) = harness.api.sent("POST")
    assert body(request) == {"comment": "as\nagreed (via tfruns, Some Client)"}


@rows("guess", ["", "0" * 20, "true", "yes", "None"])
async def test_code_cannot_be_guessed(guess: str) -> None:
    harness = GateHarness(DESTROYS)
    await harness.code()
    with pytest.raises(ConfirmationNeeded):
        await harness.call("apply_run", APPLY | {"confirmation": guess})
    assert harness.posts == 0


async def test_code_of_another_process_is_invalid() -> None:
    harness = GateHarness(DESTROYS)
    code = await harness.code()
    harness.codes = ConfirmationCodes()
    with pytest.raises(ConfirmationNeeded):
        await harness.call("apply_run", APPLY | {"confirmation": code})


async def test_number_of_codes_is_limited() -> None:
    codes = ConfirmationCodes()
    issued = [codes.issue(number) for number in range(1_000)]
    assert len(set(issued)) == 1_000
    assert not codes.redeem(issued[0], 0)
    assert codes.redeem(issued[-1], 999)


async def test_empty_proofs_are_omitted_ones() -> None:
    for empty in ("", " "):
        harness = GateHarness(ADDS)
        await harness.call("apply_run", APPLY | {"fingerprint": empty, "confirmation": empty})
        assert (harness.posts, harness.consent) == (1, "client_approval")
    refused = await GateHarness(DESTROYS).refusal("apply_run", APPLY | {"fingerprint": "", "confirmation": ""})
    assert refused.message == '"Apply a run" needs confirmation. Nothing was sent.'


# -- fingerprints -----------------------------------------------------------------------------------------------------


@rows("confirm", [Confirm.AUTO, Confirm.REVIEW, Confirm.NEVER])
async def test_fingerprint_of_the_review_is_consent(confirm: Confirm) -> None:
    harness = GateHarness(DESTROYS, confirm)
    await harness.call("apply_run", APPLY | {"fingerprint": await harness.fingerprint()})
    assert harness.posts == 1
    assert harness.consent == "fingerprint"
    assert harness.log.lines[0]["arguments"]["fingerprint"]


@rows("confirm", Confirm)
@rows("plan", [ADDS, DESTROYS, None], ids=["adds", "destroys", "unreadable"])
async def test_fingerprint_of_another_plan_is_refused(confirm: Confirm, plan: Any) -> None:
    harness = GateHarness(plan, confirm, FixedPerson())
    other = await GateHarness(REPLACES).fingerprint()
    for fingerprint in (other, other.upper(), "é", "x"):
        with pytest.raises(PlanDiffers):
            await harness.call("apply_run", APPLY | {"fingerprint": fingerprint})
    assert harness.posts == 0
    assert harness.person.asked == []

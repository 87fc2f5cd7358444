"""The lock of a workspace: its holder is named, and only a confirmed call removes the lock of another user."""

from typing import Any

import pytest

from tests.gate.harness import FixedPerson, Log
from tests.support import samples
from tests.support.api import FakeApi, answer, body, client_for, error
from tests.support.tables import rows
from tests.tools.calls import TOOLS, WORKSPACE_ID, call, failure_of
from tfruns.errors import ConfirmationNeeded, Conflict, Declined, NotFound, OutcomeUnknown, RefusedByMode
from tfruns.gate.person import Answer
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Mode, Policy
from tfruns.views.base import as_json

pytestmark = pytest.mark.anyio

JANE = ("users", "user-MA4GL63FmYRpSFxa")
RUN = ("runs", samples.RUN_ID)
PATH = f"/workspaces/{WORKSPACE_ID}"
UNLOCKED = samples.workspace()
FORCE = {"workspace_id": WORKSPACE_ID, "action": "force_unlock"}
UNLOCK = {"workspace_id": WORKSPACE_ID, "action": "unlock"}


def locked(holder: tuple[str, str] | None = JANE, reason: str = "Maintenance", **attributes: Any) -> dict[str, Any]:
    workspace = samples.workspace(locked=True, locked_by=holder, locked_reason=reason, **attributes)
    return {"data": workspace, "included": [samples.user(username="jane")]}


def api_of(document: dict[str, Any], *runs: dict[str, Any]) -> FakeApi:
    """An API with this workspace and these unfinished runs, which accepts every change of the lock."""
    api = FakeApi().on("GET", PATH, answer(document)).on("GET", f"{PATH}/runs", answer(samples.page(*runs)))
    for action in ("lock", "unlock", "force-unlock"):
        api.on("POST", f"{PATH}/actions/{action}", answer({"data": samples.workspace(locked=action == "lock")}))
    return api


async def asked(api: FakeApi, arguments: dict[str, Any], person: Any = None, confirm: Confirm = Confirm.AUTO) -> Any:
    async with client_for(api) as client:
        more = {} if person is None else {"person": person}
        gate = Gate(client, Policy(confirm=confirm), audit=Log(), **more)
        return as_json(await gate.call(TOOLS["set_workspace_lock"], arguments))


async def test_lock_sends_the_reason_and_shows_the_lock() -> None:
    api = FakeApi().on("POST", f"{PATH}/actions/lock", answer(locked(locked_at="2026-01-02T03:04:05Z")))
    view = await call(
        "set_workspace_lock", {"workspace_id": WORKSPACE_ID, "action": "lock", "reason": "Maintenance"}, api=api
    )
    assert body(api.requests[0]) == {"reason": "Maintenance"}
    assert view == {
        "workspace_id": WORKSPACE_ID,
        "name": "network",
        "locked": True,
        "locked_by": "jane",
        "locked_since": "2026-01-02T03:04:05Z",
        "reason": "Maintenance",
        "follows": "New runs wait until it is unlocked.",
    }


async def test_lock_that_is_removed_at_once_is_not_claimed() -> None:
    api = FakeApi().on("POST", f"{PATH}/actions/lock", answer(locked())).on("GET", PATH, answer({"data": UNLOCKED}))
    view = await call("set_workspace_lock", {"workspace_id": WORKSPACE_ID, "action": "lock"}, api=api)
    assert (view["locked"], view["follows"]) == (False, "It was locked, and has been unlocked since.")


async def test_lock_and_unlock_need_no_confirmation() -> None:
    for action in ("lock", "unlock"):
        api = api_of(locked())
        view = await asked(api, {"workspace_id": WORKSPACE_ID, "action": action}, confirm=Confirm.REVIEW)
        (request,) = api.sent("POST")
        assert (request.url.path.rpartition("/")[2], body(request)) == (action, {})
        assert view["locked"] is (action == "lock")


async def test_forced_unlock_asks_who_locked_it_since_when_and_why() -> None:
    person = FixedPerson()
    api = api_of(locked(locked_at="2026-01-02T03:04:05Z"))
    await asked(api, FORCE | {"reason": "jane is on leave"}, person)
    assert person.asked[0].splitlines() == [
        "Remove the lock of acme/network?",
        "Locked by the user jane, since 2026-01-02T03:04:05Z. Reason: «Maintenance»",
        "Its holder may still be working on the state or the resources.",
        "The given reason: «jane is on leave»",
    ]
    assert [request.url.path.rpartition("/")[2] for request in api.sent("POST")] == ["force-unlock"]


async def test_unknown_time_and_reason_of_a_lock_are_called_unknown() -> None:
    person = FixedPerson()
    await asked(api_of(locked(reason="")), FORCE, person)
    assert "since an unknown time: the API does not record it. No reason is recorded." in person.asked[0]


async def test_lock_of_a_run_tells_since_when_the_run_holds_it() -> None:
    run = samples.run(status="applying", status_timestamps={"plan-queued-at": "2026-01-02T03:04:05Z"})
    person = FixedPerson()
    await asked(api_of(locked(RUN, reason=""), run).on("GET", f"/runs/{RUN[1]}", answer({"data": run})), FORCE, person)
    assert f"Locked by {RUN[1]}, since 2026-01-02T03:04:05Z." in person.asked[0]
    assert "two runs could then change the same resources" in person.asked[0]


async def test_forced_unlock_without_a_person_needs_the_code_of_this_lock() -> None:
    api = api_of(locked())
    async with client_for(api) as client:
        gate = Gate(client, Policy(), audit=Log())
        with pytest.raises(ConfirmationNeeded) as refused:
            await gate.call(TOOLS["set_workspace_lock"], FORCE)
        assert refused.value.facts["at_stake"][0].startswith("Locked by the user jane")  # type: ignore[index]
        code = FORCE | {"confirmation": refused.value.facts["confirmation"]}
        api.off("GET", PATH).on("GET", PATH, answer(locked(("users", "user-0ther"))))
        with pytest.raises(ConfirmationNeeded, match="wrong, used or expired"):
            await gate.call(TOOLS["set_workspace_lock"], code)
        assert api.sent("POST") == []
        api.off("GET", PATH).on("GET", PATH, answer(locked()))
        await gate.call(TOOLS["set_workspace_lock"], code)
    assert len(api.sent("POST")) == 1


async def test_declined_unlock_sends_nothing() -> None:
    api = api_of(locked())
    with pytest.raises(Declined):
        await asked(api, FORCE, FixedPerson(Answer.NO))
    assert api.sent("POST") == []


WAITING = samples.run("run-Waiting000000001", auto_apply=True)


@rows(
    ("runs", "released"),
    [
        ([WAITING], ["run-Waiting000000001"]),
        ([samples.run("run-Waiting000000002")], []),
        ([WAITING, samples.planned()], []),  # another run blocks it
        ([samples.run("run-Waiting000000003", auto_apply=True, plan_only=True)], []),
        ([], []),
    ],
)
async def test_unlock_that_releases_an_auto_apply_run_needs_a_person(runs: list[Any], released: list[str]) -> None:
    api = api_of(locked(), *runs)
    if not released:
        await asked(api, UNLOCK)
        return
    with pytest.raises(ConfirmationNeeded, match="nobody has seen") as refused:
        await asked(api, UNLOCK)
    assert released[0] in refused.value.solution
    assert api.sent("POST") == []
    person = FixedPerson()
    await asked(api_of(locked(), *runs), UNLOCK, person)
    assert f"- {released[0]}" in person.asked[0]


async def test_plan_mode_keeps_the_lock_of_others_and_releases_no_apply() -> None:
    planning = Policy(Mode.PLAN, Confirm.NEVER)
    for arguments, runs in ((FORCE, ()), (UNLOCK, (WAITING,))):
        api = api_of(locked(), *runs)
        assert isinstance(await failure_of("set_workspace_lock", arguments, api=api, policy=planning), RefusedByMode)
        assert api.sent("POST") == []


async def test_unlock_without_a_lock_to_remove_is_neither_asked_about_nor_sent() -> None:
    for arguments, document, cause in (
        (FORCE, {"data": samples.workspace()}, "The workspace is not locked."),
        (UNLOCK, {"data": samples.workspace()}, "The workspace is not locked."),
        (UNLOCK, locked(RUN), f"Locked by {RUN[1]}"),
    ):
        person, api = FixedPerson(), api_of(document)
        with pytest.raises(Conflict) as refused:
            await asked(api, arguments, person, Confirm.ALWAYS)
        assert refused.value.cause.startswith(cause)
        assert person.asked == []
        assert api.sent("POST") == []  # sent, it could remove a lock that is set a moment later


@rows(
    ("action", "document", "cause", "solution"),
    [
        (
            "lock",
            locked(),
            "Locked by the user jane, since an unknown time",
            "If that is your lock, it stays. Otherwise, wait until jane unlocks it.",
        ),
        ("lock", locked(RUN), f"Locked by {RUN[1]}", f"Wait for {RUN[1]} to finish"),
        ("unlock", {"data": samples.workspace()}, "The workspace is not locked.", "No action is needed."),
        ("unlock", locked(), "Locked by the user jane", "Ask jane to unlock it."),
        ("unlock", locked(None), "Locked by an unknown user", "Ask an unknown user"),
    ],
)
async def test_refused_change_of_a_lock_names_its_holder(
    action: str, document: dict[str, Any], cause: str, solution: str
) -> None:
    api = FakeApi().on("GET", PATH, answer(document)).on("POST", f"{PATH}/actions/{action}", error(409, "conflict"))
    refusal = await failure_of("set_workspace_lock", {"workspace_id": WORKSPACE_ID, "action": action}, api=api)
    assert isinstance(refusal, Conflict)
    assert refusal.cause.startswith(cause)
    assert refusal.solution.startswith(solution)


async def test_lock_of_a_workspace_that_is_hidden_is_not_found() -> None:
    assert isinstance(await failure_of("set_workspace_lock", api=FakeApi()), NotFound)


LOST = error(502, "bad gateway")


@rows(
    ("action", "document", "is_known"),
    [
        ("lock", locked(reason="mine"), True),
        ("lock", locked(reason="other"), False),
        ("lock", {"data": samples.workspace()}, False),
        ("unlock", {"data": samples.workspace()}, True),
        ("unlock", locked(), False),
    ],
)
async def test_lost_response_is_settled_only_by_what_the_workspace_shows(
    action: str, document: dict[str, Any], is_known: bool
) -> None:
    api = FakeApi().on("GET", PATH, answer(document)).on("POST", f"{PATH}/actions/{action}", LOST)
    arguments = {"workspace_id": WORKSPACE_ID, "action": action, "reason": "mine"}
    if is_known:
        assert (await call("set_workspace_lock", arguments, api=api))["locked"] is (action == "lock")
    else:
        failure = await failure_of("set_workspace_lock", arguments, api=api)
        assert isinstance(failure, OutcomeUnknown)
        assert f"It is not known whether the {action} of the workspace took effect" in failure.message
    assert len(api.sent("POST")) == 1

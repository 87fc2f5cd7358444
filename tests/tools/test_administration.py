"""Creating, changing and deleting workspaces, and rolling states back: what is sent, asked and refused."""

from typing import Any

import pytest

from tests.gate.harness import FixedPerson, Log
from tests.support import samples
from tests.support.api import FakeApi, answer, body, client_for, error
from tests.support.tables import rows
from tests.tools.calls import STATE_VERSION_ID, TOOLS, WORKSPACE_ID, call, failure_of
from tfruns.errors import (
    ConfirmationNeeded,
    Conflict,
    InvalidInput,
    NotFound,
    OutcomeUnknown,
    OutOfScope,
    RefusedByMode,
)
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Mode, Policy
from tfruns.scope import parse_scope
from tfruns.views.base import as_json

pytestmark = pytest.mark.anyio

PATH = f"/workspaces/{WORKSPACE_ID}"
CREATE = "/organizations/acme/workspaces"
JANE = ("users", "user-MA4GL63FmYRpSFxa")


def api_of(**attributes: Any) -> FakeApi:
    """An API with one workspace, which accepts every change."""
    document = {"data": samples.workspace(**attributes), "included": [samples.user(username="jane")]}
    api = FakeApi().on("GET", PATH, answer(document)).on("PATCH", PATH, answer(document))
    api.on("GET", f"{CREATE}/network", answer(document)).on("POST", CREATE, answer(document, 201))
    return api.on("POST", f"{PATH}/actions/safe-delete", answer(None, 204))


async def asked(
    name: str, arguments: dict[str, Any], api: FakeApi, confirm: Confirm = Confirm.AUTO
) -> tuple[Any, list[str]]:
    """The result of a call, and the questions that a consenting person was asked."""
    person = FixedPerson()
    async with client_for(api) as client:
        gate = Gate(client, Policy(confirm=confirm), person=person, audit=Log())
        return as_json(await gate.call(TOOLS[name], {"workspace_id": WORKSPACE_ID, **arguments})), person.asked


def scoped(pattern: str, mode: Mode = Mode.APPLY) -> Policy:
    return Policy(mode, Confirm.NEVER, scope=parse_scope(None, pattern))


# -- create and change ------------------------------------------------------------------------------------------------


async def test_workspace_is_created_with_its_settings_and_tags() -> None:
    api = api_of()
    given = {
        "workspace_id": "acme/network",
        "create": True,
        "terraform_version": "1.11.4",
        "tags": ["team:core", "prod"],
    }
    view, questions = await asked("save_workspace", given, api)
    data = body(api.sent("POST")[0])["data"]
    assert data["attributes"] == {"name": "network", "terraform-version": "1.11.4"}
    bindings = [item["attributes"] for item in data["relationships"]["tag-bindings"]["data"]]
    assert bindings == [{"key": "team", "value": "core"}, {"key": "prod", "value": ""}]
    assert (view["id"], questions) == (WORKSPACE_ID, [])


async def test_only_given_settings_are_changed() -> None:
    api = api_of(terraform_version="1.11.3")
    _, questions = await asked("save_workspace", {"terraform_version": "1.11.4", "working_directory": ""}, api)
    assert body(api.sent("PATCH")[0])["data"] == {
        "type": "workspaces",
        "id": WORKSPACE_ID,
        "attributes": {"terraform-version": "1.11.4", "working-directory": ""},
    }
    assert questions[0].splitlines() == [
        "Change the workspace acme/network?",
        "terraform_version: «1.11.3» -> «1.11.4»",
    ]


async def test_description_and_equal_settings_are_not_asked_about() -> None:
    for given in ({"description": "new"}, {"auto_apply": True}, {"auto_apply": True, "description": "x"}):
        _, questions = await asked("save_workspace", given, api_of(auto_apply=True))
        assert questions == []


@rows(
    ("given", "question"),
    [
        ({"auto_apply": True}, "Change the workspace acme/network?\nauto_apply: false -> true\n"),
        ({"workspace_id": "acme/network", "create": True, "auto_apply": True}, "Create the workspace acme/network?\n"),
    ],
)
async def test_auto_apply_is_confirmed_by_a_person_or_a_code(given: dict[str, Any], question: str) -> None:
    _, questions = await asked("save_workspace", given, api_of())
    assert questions[0].startswith(question)
    assert questions[0].endswith("Later runs then apply their plans without confirmation.")
    api = api_of()
    async with client_for(api) as client:
        gate = Gate(client, Policy(), audit=Log())
        with pytest.raises(ConfirmationNeeded) as refused:
            await gate.call(TOOLS["save_workspace"], {"workspace_id": WORKSPACE_ID, **given})
        assert {request.method for request in api.requests} <= {"GET"}
        code = {"confirmation": refused.value.facts["confirmation"]}
        await gate.call(TOOLS["save_workspace"], {"workspace_id": WORKSPACE_ID, **given, **code})


@rows(
    ("given", "message"),
    [
        ({}, "There is nothing to change."),
        ({"tags": ["a"]}, "tags can only be given for a new workspace."),
        ({"create": True}, "workspace_id is an id, and a new workspace has none yet."),
        ({"workspace_id": "acme/network", "create": True, "name": "x"}, "name is for a workspace that exists."),
        ({"workspace_id": "acme/network", "create": True, "tags": [":x"]}, "A tag has no key."),
        ({"workspace_id": "acme/../x", "create": True}, "The workspace name is invalid."),
        ({"name": "no spaces"}, "The workspace name is invalid."),
    ],
)
async def test_impossible_settings_send_nothing(given: dict[str, Any], message: str) -> None:
    api = api_of()
    refusal = await failure_of("save_workspace", {"workspace_id": WORKSPACE_ID, **given}, api=api)
    assert isinstance(refusal, InvalidInput)
    assert refusal.message == message
    assert {request.method for request in api.requests} <= {"GET"}


@rows(
    ("given", "pattern", "is_inside"),
    [
        ({"workspace_id": "acme/network", "create": True}, "acme/net*", True),
        ({"workspace_id": "acme/network", "create": True}, "acme/prod-*", False),
        ({"workspace_id": "acme/network", "create": True}, WORKSPACE_ID, False),
        ({"workspace_id": "rival/network", "create": True}, "acme/*", False),
        ({"description": "x"}, "acme/net*", True),
        ({"description": "x"}, WORKSPACE_ID, True),
        ({"description": "x"}, "acme/prod-*", False),
        ({"workspace_id": "acme/network", "description": "x"}, "acme/prod-*", False),
        ({"name": "network-2"}, "acme/net*", True),
        ({"name": "prod-network"}, "acme/net*", False),
    ],
)
async def test_scope_limits_new_names_too(given: dict[str, Any], pattern: str, is_inside: bool) -> None:
    api = api_of()
    arguments = {"workspace_id": WORKSPACE_ID, **given}
    if is_inside:
        await call("save_workspace", arguments, api=api, policy=scoped(pattern))
    else:
        refusal = await failure_of("save_workspace", arguments, api=api, policy=scoped(pattern))
        assert isinstance(refusal, OutOfScope)
        assert {request.method for request in api.requests} <= {"GET"}


@rows("name", ["set_variable", "save_workspace", "delete_workspace", "roll_back_state"])
async def test_lower_modes_and_other_scopes_administer_nothing(name: str) -> None:
    required = {
        "set_variable": {"key": "a", "value": "b"},
        "save_workspace": {"description": "x"},
        "delete_workspace": {},
        "roll_back_state": {"state_version_id": STATE_VERSION_ID},
    }[name]
    for policy, error_type in (
        (Policy(Mode.READ, Confirm.NEVER), RefusedByMode),
        (Policy(Mode.PLAN, Confirm.NEVER), RefusedByMode),
        (scoped("acme/other"), OutOfScope),
    ):
        api = api_of()
        refusal = await failure_of(name, {"workspace_id": WORKSPACE_ID, **required}, api=api, policy=policy)
        assert isinstance(refusal, error_type)
        assert {request.method for request in api.requests} <= {"GET"}


# -- delete -----------------------------------------------------------------------------------------------------------


async def test_deletion_is_asked_about_and_safe() -> None:
    api = api_of(resource_count=0)
    view, questions = await asked("delete_workspace", {}, api)
    assert view == {"workspace_id": WORKSPACE_ID, "name": "network", "deleted": True}
    assert [request.url.path.rpartition("/")[2] for request in api.sent("POST")] == ["safe-delete"]
    assert api.sent("DELETE") == []
    assert questions[0].splitlines() == [
        "Delete the workspace acme/network?",
        "Its runs, state versions, configuration versions and variables are deleted, too.",
        "It manages no resources.",
    ]


async def test_deletion_without_a_person_needs_a_code() -> None:
    for confirm in (Confirm.AUTO, Confirm.REVIEW):
        api = api_of(resource_count=0)
        refusal = await failure_of("delete_workspace", api=api, policy=Policy(confirm=confirm))
        assert isinstance(refusal, ConfirmationNeeded)
        assert "confirmation" in refusal.facts
        assert api.sent("POST") == []


@rows(
    ("attributes", "cause", "solution"),
    [
        ({"resource_count": 2}, "It still manages 2 resources.", "Destroy them first, with a run that is reviewed"),
        ({"locked": True, "locked_by": JANE}, "Locked by the user jane, since an unknown time", "Unlock it first."),
    ],
)
async def test_workspace_in_use_is_not_asked_about_and_not_deleted(
    attributes: dict[str, Any], cause: str, solution: str
) -> None:
    api = api_of(**attributes).off("POST", f"{PATH}/actions/safe-delete")
    api.on("POST", f"{PATH}/actions/safe-delete", error(409, "conflict"))
    person = FixedPerson()
    async with client_for(api) as client:
        gate = Gate(client, Policy(), person=person, audit=Log())
        with pytest.raises(Conflict) as refused:
            await gate.call(TOOLS["delete_workspace"], {"workspace_id": WORKSPACE_ID})
    assert person.asked == []
    assert refused.value.cause.startswith(cause)
    assert refused.value.solution.startswith(solution)


async def test_call_that_cannot_succeed_yet_is_not_sent_without_confirmation() -> None:
    """Sent, it could succeed without a confirmation, because the workspace can change after the impact was read."""
    cases: tuple[tuple[str, dict[str, Any], FakeApi], ...] = (
        ("delete_workspace", {}, api_of(locked=True, locked_by=JANE)),
        ("delete_workspace", {}, api_of(resource_count=2)),
        ("roll_back_state", ROLLBACK, api_with_states()),
        ("roll_back_state", ROLLBACK, api_with_states(locked=True, locked_by=("runs", samples.RUN_ID))),
        ("roll_back_state", ROLLBACK, api_with_states(current=STATE_VERSION_ID, **LOCKED)),
        ("set_variable", {"key": "a", "delete": True}, api_of().on("GET", f"{PATH}/vars", answer(samples.page()))),
    )
    for name, arguments, api in cases:
        person = FixedPerson()
        async with client_for(api) as client:
            gate = Gate(client, Policy(confirm=Confirm.ALWAYS), person=person, audit=Log())
            with pytest.raises((Conflict, NotFound)):
                await gate.call(TOOLS[name], {"workspace_id": WORKSPACE_ID, **arguments})
        assert person.asked == [], name
        assert {request.method for request in api.requests} == {"GET"}, name


async def test_contradicting_arguments_are_refused_before_a_question() -> None:
    cases = (
        ("set_variable", {"key": "a", "value": "b", "delete": True}, "delete cannot be combined with a value"),
        ("set_variable", {"key": "a"}, "There is nothing to set"),
        ("set_variable", {"key": " ", "value": "b"}, "key must be 1 to 256 printable characters."),
        ("set_variable", {"key": "a", "hcl": True}, "value is required: the workspace has no terraform variable a."),
        ("save_workspace", {"name": "x", "tags": ["a"]}, "tags can only be given for a new workspace."),
        ("save_workspace", {"create": True, "auto_apply": True, "name": "x"}, "name is for a workspace that exists."),
        ("save_workspace", {"create": True, "auto_apply": True, "tags": [":x"]}, "A tag has no key."),
    )
    for name, arguments, message in cases:
        person, api = FixedPerson(), api_of().on("GET", f"{PATH}/vars", answer(samples.page()))
        async with client_for(api) as client:
            gate = Gate(client, Policy(confirm=Confirm.ALWAYS), person=person, audit=Log())
            with pytest.raises(InvalidInput) as refused:
                await gate.call(TOOLS[name], {"workspace_id": WORKSPACE_ID, **arguments})
        assert refused.value.message.startswith(message)
        assert person.asked == [], name


async def test_lost_deletion_is_settled_by_reading_the_workspace() -> None:
    document = answer({"data": samples.workspace()})
    for read_again, is_known in ((error(404, "not found"), True), (document, False)):
        api = FakeApi().on("GET", PATH, document, read_again)
        api.on("POST", f"{PATH}/actions/safe-delete", error(502, "bad gateway"))
        if is_known:
            assert (await call("delete_workspace", api=api))["deleted"] is True
        else:
            assert isinstance(await failure_of("delete_workspace", api=api), OutcomeUnknown)


# -- rollback ---------------------------------------------------------------------------------------------------------

ROLLBACK = {"state_version_id": STATE_VERSION_ID}


def state(id_: str, serial: int, *, workspace_id: str = WORKSPACE_ID) -> dict[str, Any]:
    attributes = {"status": "finalized", "serial": serial, "created-at": "2026-01-02T03:04:05Z"}
    relationships = {"workspace": {"data": {"type": "workspaces", "id": workspace_id}}}
    return {"id": id_, "type": "state-versions", "attributes": attributes, "relationships": relationships}


def api_with_states(*, current: str = "sv-Current", workspace_id: str = WORKSPACE_ID, **attributes: Any) -> FakeApi:
    workspace = samples.workspace(**attributes)
    workspace["relationships"]["current-state-version"] = {"data": {"type": "state-versions", "id": current}}
    api = FakeApi().on("GET", PATH, answer({"data": workspace, "included": [samples.user(username="jane")]}))
    api.on(
        "GET",
        f"/state-versions/{STATE_VERSION_ID}",
        answer({"data": state(STATE_VERSION_ID, 3, workspace_id=workspace_id)}),
    )
    api.on("GET", "/state-versions/sv-Current", answer({"data": state("sv-Current", 7)}))
    return api.on("PATCH", f"{PATH}/state-versions", answer({"data": state("sv-New", 8)}, 201))


LOCKED: dict[str, Any] = {"locked": True, "locked_by": JANE}


async def test_rollback_says_what_it_does_and_does_not_do() -> None:
    api = api_with_states(**LOCKED)
    view, questions = await asked("roll_back_state", ROLLBACK, api)
    assert body(api.sent("PATCH")[0]) == {
        "data": {
            "type": "state-versions",
            "relationships": {"rollback-state-version": {"data": {"type": "state-versions", "id": STATE_VERSION_ID}}},
        }
    }
    assert questions[0].splitlines() == [
        f"Roll the state of acme/network back to {STATE_VERSION_ID} (serial 3, 2026-01-02T03:04:05Z)?",
        "The current state is sv-Current (serial 7, 2026-01-02T03:04:05Z).",
        "Real resources do not change, nor do the configuration and the variables.",
        "Terraform forgets what was created since then. The next plan compares real resources with the old state.",
        "Saved plans are discarded.",
    ]
    assert (view["state_version_id"], view["serial"], view["copy_of"]) == ("sv-New", 8, STATE_VERSION_ID)
    assert [step["tool"] for step in view["next_actions"]] == ["create_run", "set_workspace_lock"]


async def test_rollback_without_a_person_needs_a_code() -> None:
    api = api_with_states(**LOCKED)
    arguments = {"workspace_id": WORKSPACE_ID, **ROLLBACK}
    assert isinstance(await failure_of("roll_back_state", arguments, api=api, policy=Policy()), ConfirmationNeeded)
    assert api.sent("PATCH") == []


async def test_rollback_of_an_unlocked_workspace_names_the_lock_as_the_next_step() -> None:
    api = api_with_states().off("PATCH", f"{PATH}/state-versions")
    api.on("PATCH", f"{PATH}/state-versions", error(409, "conflict"))
    refusal = await failure_of("roll_back_state", {"workspace_id": WORKSPACE_ID, **ROLLBACK}, api=api, policy=Policy())
    assert isinstance(refusal, Conflict)
    assert refusal.solution == "Lock the workspace first."
    assert refusal.next_actions[0].arguments == {"workspace_id": WORKSPACE_ID, "action": "lock"}


async def test_state_of_another_workspace_and_the_current_state_are_refused() -> None:
    arguments = {"workspace_id": WORKSPACE_ID, **ROLLBACK}
    for api, error_type in (
        (api_with_states(workspace_id="ws-0ther", **LOCKED), NotFound),
        (api_with_states(current=STATE_VERSION_ID, **LOCKED), Conflict),
    ):
        assert isinstance(await failure_of("roll_back_state", arguments, api=api), error_type)
        assert api.sent("PATCH") == []


async def test_malformed_state_version_is_refused_before_it_is_read() -> None:
    api = api_with_states(**LOCKED)
    refusal = await failure_of("roll_back_state", {"workspace_id": WORKSPACE_ID, "state_version_id": "../x"}, api=api)
    assert isinstance(refusal, InvalidInput)
    assert api.sent("GET", "/state-versions") == []


async def test_lost_rollback_has_an_unknown_outcome() -> None:
    api = api_with_states(**LOCKED).off("PATCH", f"{PATH}/state-versions")
    api.on("PATCH", f"{PATH}/state-versions", error(502, "bad gateway"))
    failure = await failure_of("roll_back_state", {"workspace_id": WORKSPACE_ID, **ROLLBACK}, api=api)
    assert isinstance(failure, OutcomeUnknown)
    assert "a rollback adds one" in failure.solution

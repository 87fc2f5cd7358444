"""The consent stage: which calls need consent, by their impact and the policy."""

from typing import Any

import pytest

from tests.gate.harness import (
    ADDS,
    APPLY,
    ASKED,
    DESTROYS,
    REPLACES,
    FixedPerson,
    GateHarness,
)
from tests.support import samples
from tests.support.api import answer, body, error
from tests.support.tables import rows
from tests.tools.calls import RUN_ID, WORKSPACE_ID
from tfruns.errors import ConfirmationNeeded, NotFound, RefusedByMode, TransitionNotAllowed
from tfruns.gate.person import Answer
from tfruns.gate.registry import all_tools
from tfruns.policy import Confirm

pytestmark = pytest.mark.anyio


# -- which tools ------------------------------------------------------------------------------------------------------


async def test_every_changing_tool_declares_its_impact() -> None:
    assert {tool.name for tool in all_tools() if not tool.is_read_only and not tool.requires_confirmation} == {
        "comment_on_run",
        "upload_configuration",
    }
    assert not any(tool.requires_confirmation for tool in all_tools() if tool.is_read_only)


async def test_tools_accept_the_proofs_that_can_confirm_them() -> None:
    taking = {tool.name for tool in all_tools() if "confirmation" in tool.input_schema["properties"]}
    of_runs = {"create_run", "rerun", "apply_run", "force_cancel_run", "force_execute_run", "override_policy_check"}
    of_workspaces = {"set_workspace_lock", "set_variable", "save_workspace", "delete_workspace", "roll_back_state"}
    assert taking == of_runs | of_workspaces
    assert [tool.name for tool in all_tools() if "fingerprint" in tool.input_schema["properties"]] == ["apply_run"]


# -- nobody can be asked: auto ----------------------------------------------------------------------------------------


@rows("name", ["apply_run", "force_cancel_run", "force_execute_run"])
async def test_auto_relies_on_the_client_if_nothing_is_lost(name: str) -> None:
    harness = GateHarness()
    assert (await harness.call(name))["accepted"] is True
    assert harness.consent == "client_approval"


@pytest.mark.parametrize("plan", [DESTROYS, REPLACES], ids=["destroys", "replaces"])
async def test_auto_requires_proof_for_a_destructive_apply(plan: Any) -> None:
    harness = GateHarness(plan)
    refused = await harness.refusal("apply_run")
    assert "acme/network" in str(refused.facts["question"])
    assert "terraform_data.db" in str(refused.facts["at_stake"])
    assert refused.facts["confirmation_expires_in_s"] == 600
    view = await harness.call("apply_run", APPLY | {"confirmation": refused.facts["confirmation"]})
    assert view["accepted"] is True
    assert harness.consent == "code"


UNSEEN = [
    {"auto_apply": True},
    {"auto_apply": True, "is_destroy": True},
    {"auto_apply": True, "refresh_only": True},
    {"auto_apply": True, "allow_empty_apply": True},
    {"auto_apply": True, "save_plan": True},
    {"auto_apply": True, "configuration_version_id": "cv-n4XQPBa2QnecZJ4G"},
    {"auto_apply": True, "replace_addrs": ["aws_db_instance.main"], "invoke_action_addrs": ["action.a.b"]},
]


@pytest.mark.parametrize("confirm", [Confirm.AUTO, Confirm.REVIEW])
async def test_auto_apply_needs_a_person_and_accepts_no_code(confirm: Confirm) -> None:
    for params in UNSEEN:
        harness = GateHarness(confirm=confirm)
        arguments = {"workspace_id": WORKSPACE_ID, "params": params}
        refused = await harness.refusal("create_run", arguments)
        assert "confirmation" not in refused.facts
        assert "nobody has seen" in refused.message
        assert "review its plan" in refused.solution
        for code in ("0" * 20, harness.codes.issue(["create_run", arguments, ["x"], None])):
            await harness.refusal("create_run", arguments | {"confirmation": code})


async def test_question_about_a_new_run_shows_every_sent_option() -> None:
    person = FixedPerson()
    params = {
        "auto_apply": True,
        "message": "more subnets",
        "refresh": False,
        "target_addrs": ["aws_vpc.a", "aws_vpc.b"],
        "replace_addrs": ["aws_db_instance.main"],
        "invoke_action_addrs": ["action.a.b"],
        "variables": [{"key": "count", "value": "0"}],
        "configuration_version_id": "cv-n4XQPBa2QnecZJ4G",
        "allow_empty_apply": True,
    }
    await GateHarness(person=person).call("create_run", {"workspace_id": WORKSPACE_ID, "params": params})
    assert person.asked[0].splitlines() == [
        f"Create a run in acme/network ({WORKSPACE_ID}) that applies its plan, without another confirmation?",
        "The workspace has 42 resources.",
        "message: «more subnets»",
        "refresh: «false»",
        "Only these (2): «aws_vpc.a, aws_vpc.b»",
        "Replaced (destroyed and created again): «aws_db_instance.main»",
        "variables: «count = 0»",
        "configuration_version_id: «cv-n4XQPBa2QnecZJ4G»",
        "allow_empty_apply: «true»",
        "Actions to invoke: «action.a.b»",
    ]


@rows(
    ("params", "consent"),
    [
        ({"is_destroy": True}, "client_approval"),
        ({"is_destroy": True, "plan_only": True}, "none"),
        ({"auto_apply": True, "plan_only": True}, "none"),
        ({}, "none"),
    ],
)
async def test_auto_creates_other_runs(params: dict[str, Any], consent: str) -> None:
    harness = GateHarness()
    await harness.call("create_run", {"workspace_id": WORKSPACE_ID, "params": params})
    assert harness.consent == consent


async def test_auto_apply_must_be_requested_by_the_caller() -> None:
    for confirm in Confirm:
        harness = GateHarness(confirm=confirm)
        workspace = samples.workspace(auto_apply=True)
        harness.change("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": workspace}))
        await harness.call("create_run", {"workspace_id": WORKSPACE_ID})
        (request,) = harness.api.sent("POST", "/runs")
        assert body(request)["data"]["attributes"]["auto-apply"] is False


# -- what is released -------------------------------------------------------------------------------------------------

EAGER = samples.run("run-Eager00000000001", auto_apply=True)
RELEASING = ["discard_run", "cancel_run", "force_cancel_run"]


def queued_behind(harness: GateHarness, *runs: dict[str, Any]) -> None:
    harness.change("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(*runs, harness.run)))


@rows("confirm", [Confirm.AUTO, Confirm.REVIEW])
@rows("name", RELEASING)
async def test_releasing_a_run_with_auto_apply_needs_a_person(name: str, confirm: Confirm) -> None:
    harness = GateHarness(confirm=confirm)
    queued_behind(harness, EAGER)
    refused = await harness.refusal(name)
    assert "- run-Eager00000000001" in str(refused.facts["at_stake"])
    assert "run-Eager00000000001" in refused.solution
    assert "confirmation" not in refused.facts
    person = FixedPerson()
    harness.person = person
    await harness.call(name)
    assert "- run-Eager00000000001" in person.asked[0]
    assert harness.consent == "person"


@rows("name", ["discard_run", "cancel_run"])
@rows(
    ("run", "others"),
    [
        ({}, [samples.run("run-patient")]),
        ({}, [samples.run("run-eager", auto_apply=True, plan_only=True)]),
        ({"plan_only": True}, [EAGER]),
        ({"save_plan": True}, [EAGER]),
        ({"status": "pending", "actions": samples.actions("cancelable")}, [EAGER, samples.planned("run-holder")]),
        ({"status": "applying", "actions": samples.actions("cancelable")}, [EAGER]),
    ],
    ids=["patient", "eager is plan-only", "plan-only", "saved plan", "in the queue", "applying"],
)
async def test_action_that_releases_no_run_needs_no_person(
    name: str, run: dict[str, Any], others: list[dict[str, Any]]
) -> None:
    for confirm in (Confirm.AUTO, Confirm.REVIEW):
        harness = GateHarness(confirm=confirm, **run)
        queued_behind(harness, *others)
        await harness.call(name)
        assert harness.consent == "none"


async def test_force_execute_with_auto_apply_needs_a_person() -> None:
    for confirm in (Confirm.AUTO, Confirm.REVIEW):
        harness = GateHarness(confirm=confirm, auto_apply=True)
        refused = await harness.refusal("force_execute_run")
        assert "applies its plan without another confirmation" in str(refused.facts["at_stake"])
        assert "confirmation" not in refused.facts


async def test_override_on_an_auto_apply_run_needs_a_person() -> None:
    for confirm in (Confirm.AUTO, Confirm.REVIEW):
        for is_auto_apply in (True, False):
            harness = GateHarness(DESTROYS, confirm=confirm, auto_apply=is_auto_apply)
            refused = await harness.refusal("override_policy_check", APPLY | {"comment": "agreed"})
            assert ("confirmation" in refused.facts) is not is_auto_apply
            assert ("terraform_data.db" in str(refused.facts["at_stake"])) is is_auto_apply


@rows(
    ("name", "run", "asked"),
    [
        ("discard_run", {}, "Discard run-CZcmD7eagjhyX0vN of acme/network, which is planned?"),
        ("cancel_run", {"status": "applying"}, "Cancel run-CZcmD7eagjhyX0vN of acme/network, which is applying?"),
        ("force_execute_run", {}, "Let run-CZcmD7eagjhyX0vN of acme/network run next"),
    ],
)
async def test_always_asks_before_interrupting_other_users(name: str, run: dict[str, Any], asked: str) -> None:
    harness = GateHarness(confirm=Confirm.ALWAYS, **run)
    with pytest.raises(RefusedByMode, match="cannot ask"):
        await harness.call(name)
    assert harness.posts == 0
    person = harness.person = FixedPerson()
    await harness.call(name)
    assert person.asked[0].startswith(asked)
    assert harness.consent == "person"


@rows("status", ["pending", "plan_queued", "planning"])
async def test_always_does_not_ask_before_a_plan_is_canceled(status: str) -> None:
    harness = GateHarness(confirm=Confirm.ALWAYS, status=status, actions=samples.actions("cancelable"))
    await harness.call("cancel_run")
    assert harness.consent == "none"


async def test_killing_an_apply_needs_more_than_killing_a_plan() -> None:
    for status, needs_code in (("applying", True), ("planning", False)):
        harness = GateHarness(status=status)
        if needs_code:
            refused = await harness.refusal("force_cancel_run")
            await harness.call("force_cancel_run", APPLY | {"confirmation": refused.facts["confirmation"]})
            assert harness.consent == "code"
        else:
            await harness.call("force_cancel_run")
            assert harness.consent == "client_approval"


# -- actions ----------------------------------------------------------------------------------------------------------

ACTION = {"address": "action.aws_lambda_invoke.purge", "type": "aws_lambda_invoke", "name": "purge"}
INVOKES = samples.plan_json() | {"resource_changes": [], "action_invocations": [ACTION, ACTION]}
DEFERS = samples.plan_json() | {
    "resource_changes": [],
    "deferred_action_invocations": [{"reason": "deferred_prereq", "action_invocation": ACTION}],
}


@pytest.mark.parametrize(
    ("plan", "line"),
    [
        (INVOKES, "Plan: 0 to add, 0 to change, 0 to destroy. Actions: 2 to invoke."),
        (DEFERS, "Actions: 1 deferred to a later run: action.aws_lambda_invoke.purge"),
    ],
    ids=["invokes", "defers"],
)
async def test_invoked_actions_are_an_impact(plan: Any, line: str) -> None:
    harness = GateHarness(plan)
    refused = await harness.refusal("apply_run")
    assert line in refused.facts["at_stake"]  # type: ignore[operator]
    assert "action.aws_lambda_invoke.purge" in str(refused.facts["at_stake"])
    await harness.call("apply_run", APPLY | {"confirmation": refused.facts["confirmation"]})
    assert harness.consent == "code"
    for confirm in (Confirm.AUTO, Confirm.REVIEW, Confirm.ALWAYS):
        person = FixedPerson()
        await GateHarness(plan, confirm, person).call("apply_run")
        assert line in person.asked[0].splitlines()


async def test_unreadable_plan_is_destructive_despite_its_counts() -> None:
    # Neither actions nor forgotten resources are among them.
    for destructions in (0, 1, None):
        harness = GateHarness(plan=None)
        attributes = {"status": "finished", "resource-additions": 3, "resource-destructions": destructions}
        plan = {"id": samples.PLAN_ID, "type": "plans", "attributes": attributes}
        harness.api.on("GET", f"/plans/{samples.PLAN_ID}", answer({"data": plan}))
        refused = await harness.refusal("apply_run")
        assert "actions and forgotten resources are unknown" in str(refused.facts["at_stake"])


async def test_plan_without_any_readable_part_is_destructive() -> None:
    refused = await GateHarness(plan=None).refusal("apply_run")
    assert "cannot be read" in str(refused.facts["at_stake"])


async def test_run_that_cannot_be_read_is_not_applied() -> None:
    harness = GateHarness()
    harness.api.off("GET", f"/runs/{RUN_ID}")
    with pytest.raises(NotFound):
        await harness.call("apply_run")
    assert harness.posts == 0


@rows("status", ["pending", "planning", "policy_override", "applying", "confirmed"])
async def test_run_without_a_finished_plan_is_refused_unasked(status: str) -> None:
    # It could be planned between the check and the request; then an unseen plan would be applied.
    person = FixedPerson()
    harness = GateHarness(status=status, actions=samples.actions("cancelable"), person=person)
    with pytest.raises(TransitionNotAllowed) as refused:
        await harness.call("apply_run")
    assert refused.value.facts["run_status"] == status
    assert person.asked == []
    assert harness.posts == 0


async def test_action_on_a_final_run_is_sent_without_a_question() -> None:
    person = FixedPerson()
    harness = GateHarness(DESTROYS, status="applied", actions=samples.actions(), person=person)
    harness.api.off("POST", f"/runs/{RUN_ID}/actions/apply")
    harness.api.on("POST", f"/runs/{RUN_ID}/actions/apply", error(409, "transition not allowed"))
    with pytest.raises(TransitionNotAllowed):
        await harness.call("apply_run")
    assert person.asked == []


# -- review and always ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plan", [ADDS, DESTROYS], ids=["adds", "destroys"])
async def test_review_requires_a_fingerprint_for_every_apply(plan: Any) -> None:
    harness = GateHarness(plan, Confirm.REVIEW)
    refused = await harness.refusal("apply_run")
    assert "confirmation" not in refused.facts
    assert [(step.tool, step.arguments) for step in refused.next_actions] == [("review_run", {"run_id": RUN_ID})]
    of_auto = GateHarness(plan, Confirm.AUTO)
    of_auto.codes = harness.codes
    if plan is DESTROYS:
        code = await of_auto.code()
        with pytest.raises(ConfirmationNeeded):
            await harness.call("apply_run", APPLY | {"confirmation": code})
    assert harness.posts == 0


@rows(("name", "arguments", "excerpt"), ASKED[1:4])
async def test_review_requires_a_code_for_other_calls(name: str, arguments: dict[str, Any], excerpt: str) -> None:
    harness = GateHarness(confirm=Confirm.REVIEW)
    refused = await harness.refusal(name, arguments)
    assert excerpt in str(refused.facts["question"])
    await harness.call(name, arguments | {"confirmation": refused.facts["confirmation"]})
    assert harness.posts == 1
    assert harness.consent == "code"


async def test_review_does_not_ask_again_after_a_review() -> None:
    person = FixedPerson(Answer.NO)
    harness = GateHarness(DESTROYS, Confirm.REVIEW, person)
    await harness.call("apply_run", APPLY | {"fingerprint": await harness.fingerprint()})
    assert person.asked == []
    assert harness.consent == "fingerprint"


@rows(("name", "arguments", "excerpt"), ASKED)
async def test_always_refuses_if_no_person_can_be_asked(name: str, arguments: dict[str, Any], excerpt: str) -> None:
    harness = GateHarness(confirm=Confirm.ALWAYS)
    fingerprint = {"fingerprint": await harness.fingerprint()} if name == "apply_run" else {}
    harness.api.requests.clear()
    with pytest.raises(RefusedByMode, match="cannot ask"):
        await harness.call(name, arguments | fingerprint)
    assert harness.posts == 0


@rows(("name", "arguments", "excerpt"), ASKED)
async def test_never_asks_no_one_and_reads_no_impact(name: str, arguments: dict[str, Any], excerpt: str) -> None:
    person = FixedPerson()
    harness = GateHarness(DESTROYS, Confirm.NEVER, person)
    await harness.call(name, arguments)
    assert person.asked == []
    assert harness.api.sent("GET", "/json-output") == []
    assert harness.consent == "none"

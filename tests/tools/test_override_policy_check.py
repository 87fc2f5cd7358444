"""All checks that block a run are overridden with a reason, and the result is truthful."""

from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, body, error
from tests.support.tables import rows
from tests.tools.calls import RUN_ID, call, failure_of
from tfruns.errors import Forbidden, InvalidInput, OutcomeUnknown, TransitionNotAllowed
from tfruns.policy import Confirm, Policy

pytestmark = pytest.mark.anyio

CHECK_ID, STAGE_ID = "polchk-9VYRc9bpfJEsnwum", "ts-rL5ZsuwfjqfPJcdi"
ARGUMENTS = {"run_id": RUN_ID, "comment": " agreed "}
HELD = samples.run(status="policy_override", actions=samples.actions("discardable"))

Resources = list[dict[str, Any]]


def api_of(checks: Resources, stages: Resources, *runs: dict[str, Any]) -> FakeApi:
    """An API with these checks of a run, which can all be overridden."""
    api = FakeApi()
    api.on("GET", f"/runs/{RUN_ID}", *(answer({"data": run}) for run in runs or (HELD,)))
    api.on("GET", f"/runs/{RUN_ID}/policy-checks", answer(samples.page(*checks)))
    api.on("GET", f"/runs/{RUN_ID}/task-stages", answer(samples.page(*stages)))
    for kind, resources in (("policy-checks", checks), ("task-stages", stages)):
        for resource in resources:
            api.on("POST", f"/{kind}/{resource['id']}/actions/override", answer({"data": resource}))
    return api.on("POST", f"/runs/{RUN_ID}/comments", answer({"data": samples.comment()}, 201))


def posted(api: FakeApi) -> list[tuple[str, Any]]:
    """The POST requests in order: the last parts of the path, and the body."""
    return [("/".join(request.url.path.split("/")[3:]), body(request)) for request in api.sent("POST")]


OVERRIDE_CHECK: tuple[str, Any] = (f"policy-checks/{CHECK_ID}/actions/override", {})
OVERRIDE_STAGE = (f"task-stages/{STAGE_ID}/actions/override", {"comment": "agreed"})
COMMENT = (f"runs/{RUN_ID}/comments", {"data": {"type": "comments", "attributes": {"body": "agreed"}}})


async def test_policy_check_is_overridden_and_the_reason_is_a_comment() -> None:
    after = samples.planned(status="policy_checked")
    api = api_of([samples.policy_check(CHECK_ID)], [], HELD, HELD, after)  # the audit log reads it first
    view = await call("override_policy_check", ARGUMENTS, api=api)
    assert posted(api) == [OVERRIDE_CHECK, COMMENT]
    assert view["overridden"] == [{"id": CHECK_ID, "kind": "policy_check"}]
    assert (view["id"], view["status"], view["allowed_actions"]) == (RUN_ID, "policy_checked", ["apply", "discard"])
    assert "note" not in view


async def test_task_stage_is_overridden_with_the_reason() -> None:
    api = api_of([], [samples.task_stage(STAGE_ID)])
    view = await call("override_policy_check", ARGUMENTS, api=api)
    assert posted(api) == [OVERRIDE_STAGE]
    assert view["overridden"] == [{"id": STAGE_ID, "kind": "task_stage post_plan"}]


async def test_exactly_the_checks_that_block_the_run_are_overridden() -> None:
    checks = [samples.policy_check("polchk-1", status="passed"), samples.policy_check(CHECK_ID)]
    stages = [samples.task_stage("ts-1", status="passed", stage="pre_plan"), samples.task_stage(STAGE_ID)]
    api = api_of(checks, stages)
    view = await call("override_policy_check", ARGUMENTS, api=api)
    assert posted(api) == [OVERRIDE_CHECK, OVERRIDE_STAGE, COMMENT]
    assert [row["id"] for row in view["overridden"]] == [CHECK_ID, STAGE_ID]


async def test_server_without_task_stages_or_policy_checks_is_supported() -> None:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": HELD}))
    api.on("GET", f"/runs/{RUN_ID}/task-stages", answer(samples.page(samples.task_stage(STAGE_ID))))
    api.on("POST", f"/task-stages/{STAGE_ID}/actions/override", answer({"data": samples.task_stage(STAGE_ID)}))
    assert (await call("override_policy_check", ARGUMENTS, api=api))["overridden"]


async def test_unknown_permission_is_left_to_the_api() -> None:
    check = samples.policy_check(CHECK_ID, permissions=None, actions=None)
    run = samples.run(status="policy_override", permissions=None)
    assert (await call("override_policy_check", ARGUMENTS, api=api_of([check], [], run)))["overridden"]


# -- nothing is sent --------------------------------------------------------------------------------------------------


@rows(
    ("status", "checks", "stages"),
    [
        ("planned", [], []),
        ("policy_checked", [samples.policy_check(status="overridden")], []),
        ("errored", [samples.policy_check()], []),
        ("policy_soft_failed", [samples.policy_check()], []),
        ("discarded", [], [samples.task_stage()]),
        ("applied", [samples.policy_check(status="passed")], [samples.task_stage(status="passed")]),
    ],
)
async def test_run_without_a_check_to_override_is_refused(status: str, checks: Resources, stages: Resources) -> None:
    api = api_of(checks, stages, samples.run(status=status))
    refusal = await failure_of("override_policy_check", ARGUMENTS, api=api)
    assert isinstance(refusal, TransitionNotAllowed)
    assert f"The run is {status}" in refusal.message
    assert refusal.facts["run_status"] == status
    assert posted(api) == []


@rows(
    ("checks", "stages", "named"),
    [
        ([samples.policy_check(CHECK_ID, status="hard_failed")], [], CHECK_ID),
        ([samples.policy_check(CHECK_ID, result={"hard-failed": 1, "soft-failed": 1})], [], CHECK_ID),
        ([samples.policy_check(CHECK_ID, actions={"is-overridable": False})], [], CHECK_ID),
        ([], [samples.task_stage(STAGE_ID, actions={"is-overridable": False})], STAGE_ID),
        ([samples.policy_check("polchk-soft"), samples.policy_check(CHECK_ID, status="hard_failed")], [], CHECK_ID),
    ],
)
@rows("status", ["policy_override", "errored"])
async def test_mandatory_check_cannot_be_overridden(
    status: str, checks: Resources, stages: Resources, named: str
) -> None:
    api = api_of(checks, stages, samples.run(status=status))
    refusal = await failure_of("override_policy_check", ARGUMENTS, api=api)
    assert isinstance(refusal, TransitionNotAllowed)
    assert f"cannot be overridden: {named}." in refusal.message
    assert "mandatory" in refusal.cause
    assert posted(api) == []


@rows(
    ("checks", "stages", "run"),
    [
        ([samples.policy_check(permissions={"can-override": False})], [], HELD),
        ([], [samples.task_stage(permissions={"can-override": False})], HELD),
        ([samples.policy_check()], [samples.task_stage(permissions={"can-override": False})], HELD),
        (
            [samples.policy_check(permissions=None)],
            [],
            samples.run(status="policy_override", permissions={"can-override-policy-check": False}),
        ),
    ],
)
async def test_nothing_is_overridden_without_permission_for_all_checks(
    checks: Resources, stages: Resources, run: dict[str, Any]
) -> None:
    api = api_of(checks, stages, run)
    refusal = await failure_of("override_policy_check", ARGUMENTS, api=api)
    assert isinstance(refusal, Forbidden)
    assert "manage policy overrides" in refusal.cause
    assert refusal.solution
    assert posted(api) == []


# The OpenAPI document, "tf-policy-evaluation".
EVALUATION_ID = "tfpeval-8F5JFydVYAmtTjET"


def evaluation(status: str = "awaiting_override", **attributes: Any) -> dict[str, Any]:
    fields = {
        "status": status,
        "stage-type": "Plan",
        "result-count": {"advisory-failed": 0, "mandatory-failed": 2, "passed": 3, "errored": 0, "unknown": 0},
        "error": None,
        "permissions": {"can-override": True},
        "actions": {"is-overridable": status == "awaiting_override"},
        **attributes,
    }
    return {"id": EVALUATION_ID, "type": "tf-policy-evaluations", "attributes": fields}


def api_of_tf_policies(found: dict[str, Any], *runs: dict[str, Any]) -> FakeApi:
    held = samples.run(status="tf_policy_override", actions=samples.actions("discardable"), auto_apply=False)
    api = api_of([], [], *(runs or (held,)))
    api.on("GET", f"/runs/{RUN_ID}/tf-policy-evaluations", answer(samples.page(found)))
    path = f"/tf-policy-evaluations/{EVALUATION_ID}"
    api.on("POST", f"{path}/actions/override", answer({"data": evaluation("overridden")}))
    return api.on("GET", path, answer({"data": evaluation("overridden")}))


async def test_terraform_policies_are_overridden_with_the_reason_itself() -> None:
    api = api_of_tf_policies(evaluation())
    view = await call("override_policy_check", ARGUMENTS, api=api)
    assert posted(api) == [(f"tf-policy-evaluations/{EVALUATION_ID}/actions/override", {"comment": "agreed"})]
    assert view["overridden"] == [{"id": EVALUATION_ID, "kind": "tf_policy_evaluation"}]


async def test_lost_override_of_terraform_policies_is_settled_by_their_status() -> None:
    path = f"/tf-policy-evaluations/{EVALUATION_ID}"
    for after, is_known in ((evaluation("overridden"), True), (evaluation(), False)):
        api = api_of_tf_policies(evaluation()).off("POST", f"{path}/actions/override").off("GET", path)
        api.on("POST", f"{path}/actions/override", error(502, "bad gateway")).on("GET", path, answer({"data": after}))
        if is_known:
            assert (await call("override_policy_check", ARGUMENTS, api=api))["overridden"]
        else:
            assert isinstance(await failure_of("override_policy_check", ARGUMENTS, api=api), OutcomeUnknown)


async def test_question_about_terraform_policies_names_them() -> None:
    refusal = await failure_of(
        "override_policy_check", ARGUMENTS, api=api_of_tf_policies(evaluation()), policy=Policy()
    )
    line = f"- Terraform policies {EVALUATION_ID} (Plan): awaiting_override, 2 failed"
    assert line in refusal.facts["at_stake"]  # type: ignore[operator]


@rows(
    ("found", "kind"),
    [
        (evaluation("failed"), TransitionNotAllowed),
        (evaluation(actions={"is-overridable": False}), TransitionNotAllowed),
        (evaluation(permissions={"can-override": False}), Forbidden),
        (evaluation("passed"), TransitionNotAllowed),
    ],
)
async def test_terraform_policies_that_cannot_be_overridden_are_refused(found: dict[str, Any], kind: Any) -> None:
    api = api_of_tf_policies(found)
    assert isinstance(await failure_of("override_policy_check", ARGUMENTS, api=api), kind)
    assert posted(api) == []


async def test_hidden_terraform_policies_are_said_to_be_for_the_browser() -> None:
    api = api_of([], [], samples.run(status="tf_policy_override"))
    assert "browser" in (await failure_of("override_policy_check", ARGUMENTS, api=api)).solution


@rows("comment", ["", " \n", "x" * 10_001])
async def test_reason_is_required(comment: str) -> None:
    api = api_of([samples.policy_check()], [])
    arguments = {"run_id": RUN_ID, "comment": comment}
    policy = Policy(confirm=Confirm.NEVER)  # the caller adds no attribution
    assert isinstance(await failure_of("override_policy_check", arguments, api=api, policy=policy), InvalidInput)
    assert posted(api) == []


# -- partial failures -------------------------------------------------------------------------------------------------


@rows(
    ("refusal", "kind"),
    [
        (error(403, "forbidden"), Forbidden),
        (error(500, "boom"), OutcomeUnknown),
        (httpx2.ReadTimeout("no"), OutcomeUnknown),
    ],
)
async def test_failure_lists_the_checks_that_were_overridden_before_it(refusal: Any, kind: type[Exception]) -> None:
    stages = [samples.task_stage("ts-Second"), samples.task_stage("ts-Third")]
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": HELD}))
    api.on("GET", f"/runs/{RUN_ID}/policy-checks", answer(samples.page(samples.policy_check(CHECK_ID))))
    api.on("GET", f"/runs/{RUN_ID}/task-stages", answer(samples.page(*stages)))
    api.on("POST", f"/policy-checks/{CHECK_ID}/actions/override", answer({"data": samples.policy_check(CHECK_ID)}))
    api.on("POST", "/task-stages/ts-Second/actions/override", refusal)
    api.on("POST", f"/runs/{RUN_ID}/comments", answer({"data": samples.comment()}, 201))
    failure = await failure_of("override_policy_check", ARGUMENTS, api=api)
    assert isinstance(failure, kind)
    assert failure.message.startswith(f"Overridden: {CHECK_ID}. Not overridden: ts-Second: ")
    assert failure.facts["overridden"] == [CHECK_ID]
    assert failure.facts["failed"] == "ts-Second"
    assert failure.facts["not_tried"] == ["ts-Third"]
    assert posted(api)[-1] == COMMENT  # the reason of the successful override is recorded


async def test_failure_of_the_first_override_is_returned_unchanged() -> None:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": HELD}))
    api.on("GET", f"/runs/{RUN_ID}/policy-checks", answer(samples.page(samples.policy_check(CHECK_ID))))
    api.on("POST", f"/policy-checks/{CHECK_ID}/actions/override", error(409, "conflict", "overridden already"))
    failure = await failure_of("override_policy_check", ARGUMENTS, api=api)
    assert isinstance(failure, TransitionNotAllowed)
    assert "overridden already" in failure.message
    assert "overridden" not in failure.facts
    assert posted(api) == [OVERRIDE_CHECK]


async def test_unrecorded_reason_is_noted() -> None:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": HELD}))
    api.on("GET", f"/runs/{RUN_ID}/policy-checks", answer(samples.page(samples.policy_check(CHECK_ID))))
    api.on("POST", f"/policy-checks/{CHECK_ID}/actions/override", answer({"data": samples.policy_check(CHECK_ID)}))
    view = await call("override_policy_check", ARGUMENTS, api=api)
    assert view["overridden"] == [{"id": CHECK_ID, "kind": "policy_check"}]
    assert "may not have been recorded" in view["note"]


async def test_override_with_an_unreadable_run_is_reported() -> None:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", *[answer({"data": HELD})] * 2, error(404, "not found"))
    api.on("GET", f"/runs/{RUN_ID}/policy-checks", answer(samples.page(samples.policy_check(CHECK_ID))))
    api.on("POST", f"/policy-checks/{CHECK_ID}/actions/override", answer({"data": samples.policy_check(CHECK_ID)}))
    view = await call("override_policy_check", ARGUMENTS, api=api)
    assert view["status"] == "unknown"
    assert view["follows"].startswith("It was overridden")
    assert view["overridden"]

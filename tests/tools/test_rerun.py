"""A run like an earlier one: the same configuration, options and variables, and no apply unless that is asked for."""

from typing import Any

import pytest

from tests.gate.harness import FixedPerson, Log
from tests.support import samples
from tests.support.api import answer, body, client_for
from tests.support.tables import rows
from tests.tools.calls import RUN_ID, TOOLS, WORKSPACE_ID, call, failure_of, willing_api
from tfruns.errors import ConfirmationNeeded, InvalidInput, OutOfScope, RefusedByMode
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Mode, Policy
from tfruns.scope import parse_scope

pytestmark = pytest.mark.anyio

SECRET = "rer0n-secret"


async def sent(run: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    api = willing_api(run)
    await call("rerun", {"run_id": RUN_ID, **arguments}, api=api)
    data: dict[str, Any] = body(api.sent("POST")[0])["data"]
    return data


async def test_configuration_options_and_variables_are_those_of_the_run() -> None:
    run = samples.run(
        status="errored",
        message="Widen the network",
        is_destroy=False,
        refresh=True,
        target_addrs=["module.a"],
        replace_addrs=["x.y[0]"],
        policy_paths=["policies"],
        allow_empty_apply=True,
        terraform_version="1.11.4",
        auto_apply=True,
        variables=[{"key": "size", "value": "3"}, {"key": "token", "value": f'"{SECRET}"'}],
    )
    data = await sent(run)
    assert data["relationships"] == {
        "workspace": {"data": {"type": "workspaces", "id": WORKSPACE_ID}},
        "configuration-version": {"data": {"type": "configuration-versions", "id": "cv-n4XQPBa2QnecZJ4G"}},
    }
    assert data["attributes"] == {
        "message": f"Rerun of {RUN_ID}: Widen the network",
        "is-destroy": False,
        "auto-apply": False,  # that was decided for another plan
        "refresh": True,
        "refresh-only": False,
        "plan-only": False,
        "target-addrs": ["module.a"],
        "replace-addrs": ["x.y[0]"],
        "policy-paths": ["policies"],
        "save-plan": False,
        "allow-empty-apply": True,
        "allow-config-generation": False,
        "variables": [{"key": "size", "value": "3"}, {"key": "token", "value": f'"{SECRET}"'}],
    }


async def test_version_of_a_plan_only_run_is_kept_and_a_message_replaces_the_old_one() -> None:
    run = samples.run(plan_only=True, terraform_version="1.10.0", message=None)
    attributes = (await sent(run, message=" Again "))["attributes"]
    assert (attributes["terraform-version"], attributes["plan-only"]) == ("1.10.0", True)
    assert attributes["message"] == "Again"
    assert (await sent(samples.run(message=None)))["attributes"]["message"] == f"Rerun of {RUN_ID}"


@rows(
    ("run", "arguments", "question"),
    [
        (samples.run(), {"auto_apply": True}, "that applies its plan, without another confirmation?"),
        (samples.run(is_destroy=True), {}, "that destroys all resources (it then waits for its apply)?"),
    ],
)
async def test_rerun_is_confirmed_like_a_new_run(run: dict[str, Any], arguments: Any, question: str) -> None:
    run["attributes"]["variables"] = [{"key": "token", "value": f'"{SECRET}"'}]
    person = FixedPerson()
    async with client_for(willing_api(run)) as client:
        gate = Gate(client, Policy(), person=person, audit=Log())
        await gate.call(TOOLS["rerun"], {"run_id": RUN_ID, **arguments})
    first, *rest = person.asked[0].splitlines()
    assert first.endswith(question)
    assert "variables: «token»" in rest
    assert SECRET not in person.asked[0]


async def test_auto_apply_without_a_person_is_refused_and_forbidden_in_mode_plan() -> None:
    arguments = {"run_id": RUN_ID, "auto_apply": True}
    for policy, error in ((Policy(), ConfirmationNeeded), (Policy(Mode.PLAN, Confirm.NEVER), RefusedByMode)):
        api = willing_api()
        assert isinstance(await failure_of("rerun", arguments, api=api, policy=policy), error)
        assert api.sent("POST") == []


async def test_hidden_value_of_a_variable_is_not_guessed() -> None:
    for value in (None, "not a literal"):
        api = willing_api(samples.run(variables=[{"key": "token", "value": value}]))
        refusal = await failure_of("rerun", api=api)
        assert isinstance(refusal, InvalidInput)
        assert refusal.message == "The API hides the value of the run's variable token."
        assert api.sent("POST") == []


async def test_run_outside_the_scope_is_not_repeated() -> None:
    api = willing_api()
    policy = Policy(confirm=Confirm.NEVER, scope=parse_scope(None, "acme/other"))
    assert isinstance(await failure_of("rerun", api=api, policy=policy), OutOfScope)
    assert api.sent("POST") == []


async def test_result_is_that_of_a_new_run_without_secrets() -> None:
    run = samples.run(variables=[{"key": "token", "value": f'"{SECRET}"'}], message=f"with {SECRET}")
    api = willing_api(run).off("POST", "/runs").on("POST", "/runs", answer({"data": run}, 201))
    view = await call("rerun", api=api)
    assert (view["id"], view["status"]) == (RUN_ID, "pending")
    assert SECRET not in str(view)

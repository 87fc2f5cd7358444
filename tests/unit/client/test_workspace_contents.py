"""Client methods for states, variables, assessments and Terraform policies: what is sent, and what is read."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, body, client_for, error
from tests.support.tables import rows
from tfruns.errors import InvalidInput, OutcomeUnknown, RateLimited, UnexpectedResponse

pytestmark = pytest.mark.anyio

WORKSPACE_ID = samples.WORKSPACE_ID
PATH = f"/workspaces/{WORKSPACE_ID}"
ASSESSMENT = "asmtres-8F5JFydVYAmtTjET"


def resource(kind: str, id_: str, **attributes: Any) -> dict[str, Any]:
    return {"id": id_, "type": kind, "attributes": {name.replace("_", "-"): item for name, item in attributes.items()}}


async def test_current_state_and_assessment_are_read() -> None:
    api = FakeApi()
    state = resource("state-versions", "sv-1", status="finalized", serial=4)
    api.on("GET", f"{PATH}/current-state-version", answer({"data": state}))
    result = resource("assessment-results", ASSESSMENT, drifted=True, resources_drifted=2)
    api.on("GET", f"{PATH}/current-assessment-result", answer({"data": result}))
    api.on("GET", f"/assessment-results/{ASSESSMENT}", answer({"data": result}))
    api.on("GET", f"/assessment-results/{ASSESSMENT}/json-output", answer({"resource_drift": []}))
    async with client_for(api) as client:
        assert (await client.state_versions.read_current(WORKSPACE_ID)).serial == 4
        assert (await client.assessments.read_current(WORKSPACE_ID)).resources_drifted == 2
        assert (await client.assessments.read(ASSESSMENT)).drifted is True
        assert await client.assessments.read_json(ASSESSMENT) == b'{"resource_drift": []}'


async def test_terraform_policies_are_read_and_listed() -> None:
    found = resource("tf-policy-evaluations", "tfpeval-1", status="passed", stage_type="Plan")
    outcome = resource("tf-policy-set-outcomes", "tfpso-1", policy_set_name="guardrails")
    api = FakeApi().on("GET", "/tf-policy-evaluations/tfpeval-1", answer({"data": found}))
    api.on("GET", f"/runs/{samples.RUN_ID}/tf-policy-evaluations", answer(samples.page(found)))
    api.on("GET", "/tf-policy-evaluations/tfpeval-1/tf-policy-set-outcomes", answer(samples.page(outcome)))
    async with client_for(api) as client:
        policies = client.tf_policy_evaluations
        assert (await policies.read("tfpeval-1")).stage_type == "Plan"
        assert [item.status async for item in policies.list_for_run(samples.RUN_ID)] == ["passed"]
        assert [item.policy_set_name async for item in policies.list_outcomes("tfpeval-1")] == ["guardrails"]


@rows("id_", ["", "../runs", "tfpeval", "tfpeval-", "TF-1", "a-b/c", "tfpeval-1?x=1", "x" * 30 + "-1"])
async def test_id_without_a_documented_prefix_cannot_change_the_path(id_: str) -> None:
    api = FakeApi()
    async with client_for(api) as client:
        with pytest.raises(InvalidInput, match="The Terraform policy evaluation id is malformed"):
            await client.tf_policy_evaluations.read(id_)
    assert api.requests == []


async def test_update_and_deletion_of_a_variable_are_sent_once() -> None:
    variable = resource("vars", "var-1", key="a", category="env")
    api = FakeApi().on("PATCH", f"{PATH}/vars/var-1", answer({"data": variable}))
    api.on("DELETE", f"{PATH}/vars/var-1", answer(None, 204))
    async with client_for(api) as client:
        await client.variables.update(WORKSPACE_ID, "var-1", value="x", hcl=False)
        await client.variables.delete(WORKSPACE_ID, "var-1")
    update, deletion = api.requests
    assert body(update)["data"] == {"type": "vars", "id": "var-1", "attributes": {"value": "x", "hcl": False}}
    assert (deletion.method, deletion.content) == ("DELETE", b"")


async def test_change_that_was_refused_by_the_rate_limit_is_sent_again() -> None:
    limited = error(429, "too many requests")
    api = FakeApi().on("DELETE", f"{PATH}/vars/var-1", limited, answer(None, 204))
    api.on("PATCH", PATH, limited, answer({"data": samples.workspace()}))
    async with client_for(api) as client:
        await client.variables.delete(WORKSPACE_ID, "var-1")
        await client.workspaces.update(WORKSPACE_ID, description="x")
    assert [request.method for request in api.requests] == ["DELETE", "DELETE", "PATCH", "PATCH"]
    api = FakeApi().on("DELETE", f"{PATH}/vars/var-1", limited)
    async with client_for(api) as client:
        with pytest.raises(RateLimited):
            await client.variables.delete(WORKSPACE_ID, "var-1")


async def test_response_to_another_request_is_not_taken_for_the_change() -> None:
    other = {"data": samples.workspace("ws-0ther")}
    api = FakeApi().on("PATCH", PATH, answer(other)).on("POST", f"{PATH}/actions/safe-delete", answer(other))
    api.on("GET", PATH, answer({"data": samples.workspace()}))
    async with client_for(api) as client:
        for change in (client.workspaces.update(WORKSPACE_ID, name="x"), client.workspaces.safe_delete(WORKSPACE_ID)):
            with pytest.raises(OutcomeUnknown):
                await change
    assert [request.method for request in api.requests if request.method != "GET"] == ["PATCH", "POST"]


async def test_list_of_states_needs_the_names_of_the_workspace() -> None:
    nameless = samples.workspace()
    del nameless["attributes"]["name"]
    async with client_for(FakeApi().on("GET", PATH, answer({"data": nameless}))) as client:
        with pytest.raises(UnexpectedResponse, match="has no name or organization"):
            await client.state_versions.list_for_workspace(WORKSPACE_ID).page()

"""Every response conforms to HashiCorp's OpenAPI document, where that document covers the endpoint."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest

from tests.local.api.openapi import Document, Exchange, endpoint_of
from tests.local.service.test_states import inline, state
from tests.local.serving import serving
from tests.local.support import API, Api, Json, anonymous, archive, resource, run_body
from tfruns.lifecycle import is_final
from tfruns.local.api.empty_lists import EMPTY_LISTS
from tfruns.local.api.endpoints import ENDPOINTS

_MISSING = "0" * 16
_PLAN = b'{"format_version":"1.2"}'


@pytest.fixture
def document() -> Document:
    found = Document.from_environment()
    if found is None:
        pytest.skip("HCP_OPENAPI is not set to a copy of HCP Terraform's OpenAPI document")
    return found


@pytest.fixture
async def recorded(store_url: str, tmp_path: Path) -> AsyncIterator[tuple[Api, list[Exchange]]]:
    """A backend, and a record of all its responses."""
    exchanges: list[Exchange] = []

    async def record(response: httpx2.Response) -> None:
        endpoint = endpoint_of(response.request.method, response.request.url.path.removeprefix(API))
        if endpoint is not None:
            await response.aread()
            exchanges.append(Exchange(endpoint, response))

    with serving(store_url, tmp_path) as served:
        async with served.client() as http:
            http.event_hooks["response"].append(record)
            yield served.api(http), exchanges


async def test_every_response_conforms_to_the_openapi_document(
    document: Document, recorded: tuple[Api, list[Exchange]]
) -> None:
    api, exchanges = recorded
    await _call_every_endpoint(api)
    await _provoke_errors(api)
    covered = [entry for entry in ENDPOINTS if document.covers(entry)]
    seen = {(exchange.endpoint.method, exchange.endpoint.path, exchange.is_error) for exchange in exchanges}
    wanted = {(entry.method, entry.path, is_error) for entry in covered for is_error in (False, True)}
    assert sorted(wanted - seen) == []
    found = {
        text for exchange in exchanges if document.covers(exchange.endpoint) for text in document.deviations(exchange)
    }
    assert sorted(found) == []


async def _call_every_endpoint(api: Api) -> None:
    """Send a valid request to every endpoint."""
    await api.get("/ping", 204)
    await api.post("/organizations", resource("organizations", {"name": "another", "email": "a@example.com"}))
    await api.send("PATCH", "/organizations/another", status=200, json=resource("organizations", {"name": "other"}))
    await api.send("DELETE", "/organizations/other", status=204)
    api.workspace_id = await api.create_workspace(description="a workspace")
    named = "/organizations/default/workspaces/network"
    by_id = f"/workspaces/{api.workspace_id}"
    configuration_id = await api.configured()
    newer = await api.configured()
    runs = await _runs(api)
    for path in (
        "/account/details", "/organizations", "/organizations/default", "/organizations/default/entitlement-set",
        "/organizations/default/runs/queue", "/organizations/default/capacity", "/organizations/default/workspaces",
        "/organizations/default/runs", named, by_id, f"{by_id}/runs", f"{by_id}/configuration-versions",
        f"/configuration-versions/{newer}", f"{by_id}/vars", f"{by_id}/resources",
    ):  # fmt: skip
        await api.get(path)
    await api.get(f"/users/{(await api.get('/account/details'))['data']['id']}")
    project = (await api.get("/organizations/default/projects"))["data"][0]["id"]
    for path in EMPTY_LISTS:
        found = path.format(
            organization="default", workspace_id=api.workspace_id, project_id=project, run_id=runs[0]["id"]
        )
        assert (await api.get(found))["data"] == []
    await api.get(f"/configuration-versions/{newer}/download", 302)
    for run in runs:
        await _read_run(api, run)
    await _variables(api)
    await _tags(api)
    await _consumers(api)
    for path in (named, by_id):
        await api.send("PATCH", path, status=200, json=resource("workspaces", {"description": "another"}))
    await api.post(f"/configuration-versions/{configuration_id}/actions/archive", None, 202)
    await _states(api)
    for number, (method, suffix) in enumerate((("DELETE", ""), ("POST", "/actions/safe-delete"))):
        id_ = await api.create_workspace(f"doomed-{number}")
        await api.send(method, f"/workspaces/{id_}{suffix}", status=204)
        await api.create_workspace(f"doomed-{number}")
        await api.send(method, f"/organizations/default/workspaces/doomed-{number}{suffix}", status=204)


async def _runs(api: Api) -> list[Json]:
    """Runs with different options, in many statuses."""
    applied = await api.planned(message="one", target_addrs=["terraform_data.a"])
    await api.act(applied, "apply", comment="go")
    api.apply(applied, state=state(1), counts={"additions": 1, "changes": 0, "destructions": 0, "imports": 0})
    canceled = await api.applying()
    await api.act(canceled, "cancel")
    api.clock.advance(60)
    await api.act(canceled, "force-cancel")
    api.end(canceled, "apply", status="errored")
    errored = await api.create_run(variables=[{"key": "region", "value": '"eu"'}])
    api.plan(errored, status="errored")
    discarded = await api.planned(is_destroy=True)
    waiting = await api.create_run()
    await api.act(waiting, "force-execute")
    api.plan(waiting, has_changes=False)
    saved = await api.planned(save_plan=True)
    only = await api.create_run(plan_only=True)
    return [applied, canceled, errored, discarded, waiting, saved, only]


async def _read_run(api: Api, run: Json) -> None:
    path = f"/runs/{run['id']}"
    plan_id, apply_id = (run["relationships"][name]["data"]["id"] for name in ("plan", "apply"))
    await api.get(path, include="workspace,plan,apply,created_by,configuration_version")
    for suffix in ("configuration-version", "plan", "comments", "run-events", "policy-checks", "task-stages"):
        await api.get(f"{path}/{suffix}")
    await api.get(f"{path}/configuration-version/download", 302)
    await api.get(f"/plans/{plan_id}")
    await api.get(f"/applies/{apply_id}")
    api.backend.objects.write("errored-state", apply_id, state(9))
    is_finished = is_final((await api.run(run))["attributes"]["status"])
    await api.get(f"/applies/{apply_id}/errored-state", 307 if is_finished else 404)
    for kind, names in (("plan-json", ("json-output",)), ("plan-json-redacted", ("json-output-redacted",))):
        for name in names:
            await api.get(f"/plans/{plan_id}/{name}", 204)
            if name == "json-output":
                await api.get(f"{path}/plan/{name}", 204)
            api.backend.objects.write(kind, plan_id, _PLAN)
            await api.get(f"/plans/{plan_id}/{name}", 307)
            if name == "json-output":
                await api.get(f"{path}/plan/{name}", 307)
    comment = await api.post(f"{path}/comments", resource("comments", {"body": "why?"}))
    await api.get(f"/comments/{comment['data']['id']}")


async def _variables(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}/vars"
    for key, is_sensitive in (("region", False), ("password", True)):
        attributes = {"key": key, "value": "x", "category": "terraform", "sensitive": is_sensitive}
        variable = (await api.post(path, resource("vars", attributes)))["data"]["id"]
        await api.get(f"{path}/{variable}")
        await api.send("PATCH", f"{path}/{variable}", status=200, json=resource("vars", {"value": "y"}))
    await api.get(path)
    await api.get(f"/workspaces/{api.workspace_id}/all-vars")
    await api.send("DELETE", f"{path}/{variable}", status=204)


async def _consumers(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}/relationships/remote-state-consumers"
    consumers = {"data": [{"type": "workspaces", "id": await api.create_workspace("consumer")}]}
    for method in ("POST", "PATCH"):
        await api.send(method, path, status=204, json=consumers)
    assert [found["attributes"]["name"] for found in (await api.get(path))["data"]] == ["consumer"]
    await api.send("DELETE", path, status=204, json=consumers)


async def _tags(api: Api) -> None:
    project = (await api.get("/organizations/default/projects"))["data"][0]["id"]
    await api.get(f"/projects/{project}")
    path = f"/workspaces/{api.workspace_id}"
    tags = {"data": [{"type": "tags", "attributes": {"name": "eu"}}]}
    await api.post(f"{path}/relationships/tags", tags, 204)
    bindings = {"data": [{"type": "tag-bindings", "attributes": {"key": "env", "value": "prod"}}]}
    await api.send("PATCH", f"{path}/tag-bindings", status=200, json=bindings)
    for name in ("relationships/tags", "tag-bindings", "effective-tag-bindings"):
        await api.get(f"{path}/{name}")
    await api.send("DELETE", f"{path}/relationships/tags", status=204, json=tags)


async def _states(api: Api) -> None:
    id_ = await api.create_workspace("storage")
    path = f"/workspaces/{id_}"
    await api.post(f"{path}/actions/lock", {"reason": "repairs"}, 200)
    outputs = {
        "name": {"value": "net", "type": "string"},
        "sizes": {"value": [1], "type": ["list", "number"], "sensitive": True},
    }
    resources = [{"mode": "managed", "type": "terraform_data", "name": "a", "provider": "p", "instances": [{}]}]
    first, second = state(1, outputs=outputs, resources=resources), state(2, outputs=outputs)
    created = (await api.post(f"{path}/state-versions", inline(first)))["data"]
    await api.post(f"{path}/state-versions", inline(second))
    await api.get(f"/state-versions/{created['id']}")
    await api.get(f"/state-versions/{created['id']}/download", 302)
    shown = await api.get(f"/state-versions/{created['id']}/outputs")
    for output in shown["data"]:
        await api.get(f"/state-version-outputs/{output['id']}")
    query = {"filter[organization][name]": "default", "filter[workspace][name]": "storage"}
    await api.get("/state-versions", **query)
    await api.get(f"{path}/current-state-version", include="outputs")
    await api.get(f"{path}/current-state-version-outputs")
    related = {"rollback-state-version": {"data": {"type": "state-versions", "id": created["id"]}}}
    body = {"data": {"type": "state-versions", "relationships": related}}
    await api.send("PATCH", f"{path}/state-versions", status=201, json=body)
    await api.post(f"{path}/actions/unlock", None, 200)
    await api.post(f"{path}/actions/lock", None, 200)
    await api.post(f"{path}/actions/force-unlock", None, 200)


async def _provoke_errors(api: Api) -> None:
    """Request missing objects from every endpoint, and provoke the errors with a particular status."""
    for entry in ENDPOINTS:
        path = entry.path.replace("{organization}", "nobody").replace("{name}", "nothing")
        for name in ("workspace_id", "run_id", "variable_id", "project_id", "id"):
            path = path.replace(f"{{{name}}}", f"{name}-{_MISSING}")
        response = await api.http.request(entry.method, API + path, json=resource("things", {"serial": 1, "md5": "x"}))
        assert response.status_code < 500
    for path in (
        "/account/details",
        "/organizations",
        "/state-versions",
        "/ping",
        "/team-workspaces",
        "/team-projects",
    ):
        await anonymous(api.http, "GET", API + path)
    run = await api.planned()
    await api.act(run, "cancel", 409)
    await api.act(run, "discard")
    await api.act(run, "apply", 409)
    await api.post(f"/workspaces/{api.workspace_id}/actions/unlock", None, 409)
    await api.create_run(status=422, is_destroy=True, refresh_only=True)
    configuration = await api.create_configuration()
    await api.upload(configuration, archive())
    await api.post(f"/configuration-versions/{configuration['id']}/actions/archive", None, 409)
    await api.post("/runs", run_body(api.workspace_id, configuration["id"]))

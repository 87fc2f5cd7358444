"""The requirements of the Terraform CLI, go-tfe, pytfe and other clients."""

import re
from typing import Any

import pytest

from tests.contract.manifest import meets
from tests.local.support import API, Api, Json, anonymous, resource, run_body
from tfruns.vocabulary import RunSource

_ID = "[A-Za-z0-9]{16}"


@meets("discovery")
async def test_discovery_lists_services_with_trailing_slashes(api: Api) -> None:
    services = (await anonymous(api.http, "GET", "/.well-known/terraform.json")).json()
    assert {"tfe.v2", "tfe.v2.1", "tfe.v2.2", "modules.v1"} <= set(services)
    assert services.pop("login.v1")["grant_types"] == ["authz_code"]
    assert all(path.endswith("/") for path in services.values())


@meets("api-version", "app-name", "rate-limit-headers")
async def test_every_response_has_the_headers_of_the_api(api: Api) -> None:
    for path, status in (("/ping", 204), ("/organizations/default", 200), ("/runs/run-x", 404)):
        response = await api.http.get(API + path)
        assert response.status_code == status
        assert float(response.headers["tfp-api-version"]) >= 2.5
        assert response.headers["tfp-appname"] == "HCP Terraform"
        for name in ("limit", "remaining", "reset"):
            assert float(response.headers[f"x-ratelimit-{name}"]) >= 0


@meets("entitlements")
async def test_organization_is_entitled_to_operations(api: Api) -> None:
    document = await api.get("/organizations/default/entitlement-set")
    assert document["data"]["attributes"]["operations"] is True


@meets("workspace-permissions")
async def test_workspace_has_its_permissions(api: Api) -> None:
    permissions = (await api.get("/organizations/default/workspaces/network"))["data"]["attributes"]["permissions"]
    for name in ("can-queue-run", "can-queue-apply", "can-queue-destroy", "can-update", "can-lock", "can-force-unlock"):
        assert permissions[name] is True


@meets("run-relationships", "run-actions", "has-changes", "run-permissions", "ids")
async def test_run_has_what_the_cli_reads(api: Api) -> None:
    run = await api.create_run()
    assert re.fullmatch(f"run-{_ID}", run["id"])
    for name, prefix in (("plan", "plan"), ("apply", "apply"), ("workspace", "ws"), ("configuration-version", "cv")):
        assert re.fullmatch(f"{prefix}-{_ID}", run["relationships"][name]["data"]["id"])
    attributes = run["attributes"]
    actions = ("is-cancelable", "is-confirmable", "is-discardable", "is-force-cancelable")
    assert all(isinstance(attributes["actions"][name], bool) for name in actions)
    permissions = ("can-apply", "can-cancel", "can-discard", "can-force-cancel", "can-force-execute")
    assert all(isinstance(attributes["permissions"][name], bool) for name in permissions)
    assert attributes["has-changes"] is False
    api.plan(run)
    assert (await api.run(run))["attributes"]["has-changes"] is True


@meets("plan-status", "log-read-url")
async def test_plan_and_apply_have_a_status_and_a_log_url(api: Api) -> None:
    run = await api.create_run()
    for kind, name in (("plans", "plan"), ("applies", "apply")):
        phase = (await api.get(f"/{kind}/{run['relationships'][name]['data']['id']}"))["data"]["attributes"]
        assert phase["status"] == {"plan": "queued", "apply": "pending"}[name]
        assert phase["log-read-url"].startswith("http")
        assert (await anonymous(api.http, "GET", phase["log-read-url"])).status_code == 200


@meets("upload-url", "configuration-timestamps")
async def test_only_a_new_configuration_version_has_an_upload_url(api: Api) -> None:
    configuration = await api.create_configuration()
    assert configuration["attributes"]["upload-url"].startswith("http")
    shown = (await api.get(f"/configuration-versions/{configuration['id']}"))["data"]["attributes"]
    assert shown.get("upload-url") is None
    assert isinstance(shown["status-timestamps"], dict)


@meets("run-events", "task-stages")
async def test_events_and_task_stages_of_a_run_can_be_read(api: Api) -> None:
    run = await api.create_run()
    assert (await api.get(f"/runs/{run['id']}/run-events"))["data"]
    assert (await api.get(f"/runs/{run['id']}", include="task_stages"))["data"]["id"] == run["id"]


@meets("redacted-plan")
async def test_redacted_plan_is_204_and_then_a_redirect(api: Api) -> None:
    run = await api.create_run()
    plan_id = run["relationships"]["plan"]["data"]["id"]
    plan = (await api.get(f"/plans/{plan_id}"))["data"]["attributes"]
    assert plan["structured-run-output-enabled"] is True
    await api.get(f"/plans/{plan_id}/json-output-redacted", 204)
    api.backend.objects.write("plan-json-redacted", plan_id, b"{}")
    response = await api.http.get(f"{API}/plans/{plan_id}/json-output-redacted")
    assert response.status_code == 307
    assert (await anonymous(api.http, "GET", response.headers["location"])).json() == {}


@meets("run-queue")
async def test_run_queue_of_an_organization_can_be_read(api: Api) -> None:
    run = await api.create_run()
    queue = (await api.get("/organizations/default/runs/queue"))["data"]
    assert [(item["id"], item["attributes"]["position-in-queue"]) for item in queue] == [(run["id"], 1)]


@meets("times")
async def test_times_end_in_z(api: Api) -> None:
    run = await api.applying()
    await api.act(run, "cancel")
    attributes = (await api.run(run))["attributes"]
    for name in ("created-at", "canceled-at", "force-cancel-available-at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", attributes[name])


@pytest.mark.parametrize(
    "content", [b"{", b"[]", b"\xff", b'{"data": 5}', b'{"data": {"attributes": {"message": []}}}']
)
@meets("no-5xx")
async def test_invalid_body_is_never_a_server_error(api: Api, content: bytes) -> None:
    for path in ("/runs", "/organizations/default/workspaces", f"/workspaces/{api.workspace_id}/state-versions"):
        assert (await api.http.post(API + path, content=content)).status_code in {400, 422}


@meets("run-enums")
async def test_force_canceled_run_has_a_known_status_and_source(api: Api) -> None:
    run = await api.applying()
    await api.act(run, "cancel")
    api.clock.advance(10)
    await api.act(run, "force-cancel")
    attributes = (await api.run(run))["attributes"]
    assert attributes["status"] == "canceled"
    assert "force-canceled-at" in attributes["status-timestamps"]
    assert attributes["source"] in set(RunSource)


@meets("attributes-for-relationships")
async def test_relationships_are_accepted_as_attributes(api: Api) -> None:
    configuration_id = await api.configured()
    attributes = {"workspace": {"id": api.workspace_id}, "configuration-version": {"id": configuration_id}}
    run = (await api.post("/runs", resource("runs", attributes)))["data"]
    assert run["relationships"]["configuration-version"]["data"]["id"] == configuration_id


@meets("empty-filters", "hyphenated-includes")
async def test_empty_filters_and_hyphenated_includes_are_accepted(api: Api) -> None:
    await api.create_run()
    query = {"filter[status]": "", "filter[operation]": "", "include": "created-by"}
    document = await api.get(f"/workspaces/{api.workspace_id}/runs", **query)
    assert len(document["data"]) == 1
    assert [item["type"] for item in document["included"]] == ["users"]


@meets("actions-without-body", "null-body")
async def test_action_needs_no_body_and_returns_null(api: Api) -> None:
    run = await api.planned()
    response = await api.http.post(f"{API}/runs/{run['id']}/actions/discard")
    assert (response.status_code, response.json()) == (202, None)
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", {"reason": "repairs"}, 200)


@meets("null-options")
async def test_every_option_may_be_null(api: Api) -> None:
    names = ("message", "auto_apply", "is_destroy", "refresh", "refresh_only", "plan_only", "save_plan", "variables",
             "target_addrs", "replace_addrs", "terraform_version", "allow_empty_apply")  # fmt: skip
    options: dict[str, Any] = dict.fromkeys(names)
    assert (await api.create_run(**options))["attributes"]["refresh"] is True


@meets("error-documents", "not-found", "unauthorized")
async def test_errors_are_json_api_documents(api: Api) -> None:
    missing: list[Json] = [{"status": "404", "title": "not found"}]
    for path in ("/runs/run-0000000000000000", "/runs/nonsense", "/workspaces/ws-x", "/organizations/nobody/runs"):
        assert (await api.get(path, 404))["errors"] == missing
    assert await api.act({"id": "run-0000000000000000"}, "apply", 404) == missing
    named = missing[0] | {"detail": "The workspace ws-0000000000000000 does not exist."}
    assert await api.create_run("ws-0000000000000000", status=404) == [named]
    response = await anonymous(api.http, "GET", f"{API}/account/details")
    assert (response.status_code, response.json()) == (401, {"errors": [{"status": "401", "title": "unauthorized"}]})


@meets("run-source")
async def test_run_of_the_terraform_cli_has_its_source(api: Api) -> None:
    headers = {"x-terraform-integration": "cloud"}
    document = await api.send("POST", "/runs", status=201, json=run_body(api.workspace_id), headers=headers)
    assert document["data"]["attributes"]["source"] == "terraform+cloud"

"""Rules for all documents of the API: attributes, links, pages, includes, and settings."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.local.service.test_states import OUTPUTS, announced, inline, state
from tests.local.support import API, BASE_URL, Api, Json, anonymous, ids_of, resource
from tfruns.local.api.empty_lists import EMPTY_LISTS
from tfruns.local.api.endpoints import ENDPOINTS

_ORGANIZATION = "/organizations/default"


def _schemas() -> dict[str, Any]:
    path = os.environ.get("HCP_OPENAPI")
    if not path:
        pytest.skip("HCP_OPENAPI is not set to a copy of HCP Terraform's OpenAPI document")
    return dict(json.loads(Path(path).read_bytes())["components"]["schemas"])


async def _documents(api: Api) -> list[Json]:
    """Documents of every type, from a workspace with a state, a run, a variable and tags."""
    workspace = f"/workspaces/{api.workspace_id}"
    run = await api.applying()
    api.end(run, "apply", state=state(1, outputs=OUTPUTS))
    await api.post(f"/runs/{run['id']}/comments", resource("comments", {"body": "why?"}))
    await api.post(f"{workspace}/vars", resource("vars", {"key": "a", "value": "b", "category": "env"}))
    paths = {
        "/account/details": {},
        "/organizations": {},
        f"{_ORGANIZATION}/projects": {},
        f"{_ORGANIZATION}/workspaces": {"include": "current_run.plan,current_run.configuration_version,outputs"},
        f"{workspace}/vars": {},
        f"{workspace}/runs": {"include": "plan,apply,created_by"},
        f"{workspace}/current-state-version": {"include": "outputs,run,created_by"},
        f"/runs/{run['id']}/comments": {},
        f"/runs/{run['id']}/run-events": {},
    }
    return [await api.get(path, **query) for path, query in paths.items()]


def _resources(document: Json) -> list[Json]:
    data = document["data"]
    return [*(data if isinstance(data, list) else [data]), *document.get("included", [])]


# Attributes that these responses omit: for requests only, of other products, or for particular cases.
_OMITTED = {
    "state-versions": {"state", "json-state", "json-state-outputs", "force", "encrypted-state-download-url",
                       "sanitized-state-download-url", "sanitized-state-upload-url", "hosted-state-upload-url",
                       "hosted-json-state-download-url",
                       "hosted-json-state-upload-url"},
    "runs": {"comment", "force-cancel-available-at"},
    "configuration-versions": {"upload-url"},
    "projects": {"created-at", "auto-destroy-activity-duration", "default-execution-mode", "hcp-id", "is-unified",
                 "stacks-default-execution-mode", "setting-overwrites"},
    "users": {"email", "unconfirmed-email"},
}  # fmt: skip


async def test_every_document_has_every_attribute_of_the_openapi_schema(api: Api) -> None:
    schemas, missing = _schemas(), set()
    for document in await _documents(api):
        for item in _resources(document):
            schema = schemas.get(item["type"], {}).get("properties", {}).get("attributes", {})
            expected = schema.get("properties", {}).keys() - _OMITTED.get(item["type"], set())
            missing |= {f"{item['type']} {name}" for name in expected - item["attributes"].keys()}
    assert sorted(missing) == []


async def test_every_link_leads_to_a_document(api: Api) -> None:
    links = set()
    for document in await _documents(api):
        for item in _resources(document):
            links |= {link for name, link in item.get("links", {}).items() if name != "self-html"}
            links |= {value["links"]["related"] for value in item["relationships"].values() if "links" in value}
    assert links
    statuses = {link: (await api.http.get(link)).status_code for link in links}
    unserved = {link for link, status in statuses.items() if status not in {200, 204, 302}}
    assert unserved == set()


async def test_list_links_to_its_pages(api: Api) -> None:
    for name in ("b", "c"):
        await api.create_workspace(name)
    path = f"{API}{_ORGANIZATION}/workspaces"
    seen, link = [], f"{path}?page[size]=1&sort=name"
    while link:
        document = (await api.http.get(link)).json()
        seen += [item["attributes"]["name"] for item in document["data"]]
        link = document["links"]["next"]
    assert seen == ["b", "c", "network"]
    assert document["links"] == {
        "self": f"{BASE_URL}{path}?page%5Bsize%5D=1&sort=name&page%5Bnumber%5D=3",
        "first": f"{BASE_URL}{path}?page%5Bsize%5D=1&sort=name&page%5Bnumber%5D=1",
        "prev": f"{BASE_URL}{path}?page%5Bsize%5D=1&sort=name&page%5Bnumber%5D=2",
        "next": None,
        "last": f"{BASE_URL}{path}?page%5Bsize%5D=1&sort=name&page%5Bnumber%5D=3",
    }


async def test_trailing_slash_changes_nothing(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}"
    assert (await api.get(f"{path}/"))["data"] == (await api.get(path))["data"]
    configuration = await api.create_configuration()
    configuration["attributes"]["upload-url"] += "/"
    assert (await api.upload(configuration)).status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [("auto-apply", True), ("allow-destroy-plan", False), ("auto-apply-run-trigger", True), ("description", "d"),
     ("execution-mode", "local"), ("file-triggers-enabled", False), ("global-remote-state", True),
     ("inherits-project-auto-destroy", False), ("project-remote-state", True), ("queue-all-runs", True),
     ("speculative-enabled", False), ("structured-run-output-enabled", False), ("terraform-version", "1.10.0"),
     ("trigger-patterns", ["a/*"]), ("trigger-prefixes", ["a"]), ("working-directory", "w")],
)  # fmt: skip
async def test_workspace_setting_is_returned_as_it_was_set(api: Api, name: str, value: Json) -> None:
    path = f"/workspaces/{api.workspace_id}"
    await api.send("PATCH", path, status=200, json=resource("workspaces", {name: value}))
    assert (await api.get(path))["data"]["attributes"][name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("execution-mode", "agent"), ("agent-pool-id", "apool-1"), ("assessments-enabled", True), ("hyok-enabled", True),
     ("auto-destroy-at", "2030-01-01T00:00:00Z"), ("auto-destroy-activity-duration", "14d"),
     ("vcs-repo", {"identifier": "a/b"}), ("terraform-version", "banana"), ("description", "d" * 1025)],
)  # fmt: skip
async def test_unsupported_setting_is_422_and_the_error_names_it(api: Api, name: str, value: Json) -> None:
    path = f"/workspaces/{api.workspace_id}"
    refused = await api.send("PATCH", path, status=422, json=resource("workspaces", {name: value}))
    assert name in refused["errors"][0]["detail"]


async def test_local_execution_accepts_states_and_rejects_runs(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}"
    changed = await api.send("PATCH", path, status=200, json=resource("workspaces", {"operations": False}))
    attributes = changed["data"]["attributes"]
    assert (attributes["execution-mode"], attributes["operations"]) == ("local", False)
    errors = await api.create_run(status=422)
    assert errors[0]["detail"] == (
        "The run cannot be created: the workspace only stores states, since its execution mode is local. Run "
        "Terraform on your own machine, or set the execution mode to remote."
    )
    await api.post(f"{path}/actions/lock", None, 200)
    await api.post(f"{path}/state-versions", inline(state(1)))


async def test_workspace_inherits_the_execution_mode_of_its_organization(api: Api) -> None:
    body = resource("organizations", {"default-execution-mode": "local", "email": "a@example.com"})
    changed = (await api.send("PATCH", _ORGANIZATION, status=200, json=body))["data"]["attributes"]
    assert (changed["default-execution-mode"], changed["email"]) == ("local", "a@example.com")
    path = f"/workspaces/{api.workspace_id}"
    attributes = (await api.get(path))["data"]["attributes"]
    assert (attributes["execution-mode"], attributes["setting-overwrites"]["execution-mode"]) == ("local", False)
    await api.send("PATCH", path, status=200, json=resource("workspaces", {"execution-mode": "remote"}))
    assert (await api.get(path))["data"]["attributes"]["setting-overwrites"]["execution-mode"] is True


async def test_only_the_account_document_has_an_email_address(api: Api) -> None:
    # HCP Terraform API, "Account": the document of "Users" plus an email address, which only its owner can read.
    account = (await api.get("/account/details"))["data"]
    assert (account["attributes"]["email"], account["attributes"]["unconfirmed-email"]) == ("", None)
    assert account["attributes"]["avatar-url"].startswith("https://www.gravatar.com/avatar/")
    own = account["relationships"].pop("authenticated-resource")
    path = f"/api/v2/users/{account['id']}"
    assert own == {"data": {"type": "users", "id": account["id"]}, "links": {"related": path}}
    user = (await api.get(f"/users/{account['id']}"))["data"]
    run = await api.create_run()
    assert (await api.get(f"/runs/{run['id']}", include="created_by"))["included"] == [user]
    del account["attributes"]["email"], account["attributes"]["unconfirmed-email"]
    assert user == account


async def test_cost_estimation_and_stacks_are_settings_without_effect(api: Api) -> None:
    wanted = {"cost-estimation-enabled": True, "stacks-enabled": True}
    await api.send("PATCH", _ORGANIZATION, status=200, json=resource("organizations", wanted))
    attributes = (await api.get(_ORGANIZATION))["data"]["attributes"]
    assert {name: attributes[name] for name in wanted} == wanted
    entitlements = (await api.get(f"{_ORGANIZATION}/entitlement-set"))["data"]["attributes"]
    assert entitlements["cost-estimation"] is False
    run = (await api.create_run())["relationships"]
    assert run["cost-estimate"]["data"] is None
    await api.send("GET", f"{_ORGANIZATION}/stacks", status=404)


async def test_renamed_organization_keeps_its_workspaces(api: Api) -> None:
    await api.send("PATCH", _ORGANIZATION, status=200, json=resource("organizations", {"name": "renamed"}))
    assert ids_of(await api.get("/organizations/renamed/workspaces")) == [api.workspace_id]
    await api.get(_ORGANIZATION, 404)


async def test_unknown_include_is_400_on_every_path(api: Api) -> None:
    paths = [entry.path for entry in ENDPOINTS if entry.method == "GET" and entry.path not in EMPTY_LISTS]
    assert len(paths) > 40
    for path in paths:
        known = path.replace("{organization}", "default").replace("{workspace_id}", api.workspace_id)
        concrete = re.sub(r"\{\w+\}", "x", known)
        errors = (await api.get(concrete, 400, include="nothing"))["errors"]
        assert "include parameter" in errors[0]["detail"], path


_USERS, _RUNS, _CONFIGURATIONS = "users", "runs", "configuration-versions"
# The documented includes of supported resources, with their types. Source: HCP Terraform API, each resource's page.
_INCLUDED = {
    "run": {
        "plan": "plans", "apply": "applies", "created_by": _USERS, "confirmed_by": _USERS, "workspace": "workspaces",
        "configuration_version": _CONFIGURATIONS, "run_events": "run-events", "comments": "comments",
    },
    "canceled run": {"canceled_by": _USERS},
    "run events": {"actor": _USERS, "comment": "comments", "run": _RUNS},
    "state": {
        "outputs": "state-version-outputs", "run": _RUNS, "created_by": _USERS, "run.created_by": _USERS,
        "run.configuration_version": _CONFIGURATIONS,
    },
    "configuration": {"run": _RUNS},
    "workspace": {
        "organization": "organizations", "project": "projects", "locked_by": _USERS, "outputs": "workspace-outputs",
        "current_state_version": "state-versions", "current_run": _RUNS, "current_run.plan": "plans",
        "current_run.configuration_version": _CONFIGURATIONS, "current_configuration_version": _CONFIGURATIONS,
    },
}  # fmt: skip


async def test_every_documented_include_adds_its_documents(api: Api) -> None:
    run = await api.planned()
    await api.act(run, "apply", comment="go")
    api.apply(run, state=state(1, outputs=OUTPUTS))
    await api.post(f"/runs/{run['id']}/comments", resource("comments", {"body": "why?"}))
    canceled = await api.create_run(plan_only=True)
    await api.act(canceled, "cancel")
    api.end(canceled, status="canceled")
    workspace = f"/workspaces/{api.workspace_id}"
    await api.post(f"{workspace}/actions/lock", None, 200)
    configuration = run["relationships"]["configuration-version"]["data"]["id"]
    paths = {
        "run": [f"/runs/{run['id']}", f"{workspace}/runs", f"{_ORGANIZATION}/runs"],
        "canceled run": [f"/runs/{canceled['id']}"],
        "run events": [f"/runs/{run['id']}/run-events"],
        "state": [f"{workspace}/current-state-version"],
        "configuration": [f"/configuration-versions/{configuration}"],
        "workspace": [workspace, f"{_ORGANIZATION}/workspaces"],
    }
    missing = [
        (path, include, sorted(found))
        for name, includes in _INCLUDED.items()
        for path in paths[name]
        for include, kind in includes.items()
        if kind not in (found := {item["type"] for item in (await api.get(path, include=include)).get("included", [])})
    ]
    assert missing == []


async def test_state_version_includes_its_run_and_user(api: Api) -> None:
    run = await api.applying()
    api.end(run, "apply", state=state(1, outputs=OUTPUTS))
    include = "run,created_by,run.created_by,run.configuration_version,outputs"
    document = await api.get(f"/workspaces/{api.workspace_id}/current-state-version", include=include)
    kinds = sorted(item["type"] for item in document["included"])
    assert kinds == ["configuration-versions", "runs", *["state-version-outputs"] * 3, "users"]


@pytest.mark.parametrize(
    "content", [{"version": 99}, {"outputs": []}, {"resources": {}}, {"outputs": {"a": 1}}, {"resources": [1]}]
)
async def test_upload_that_is_not_a_state_is_422(api: Api, content: Json) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    path = f"/workspaces/{api.workspace_id}/state-versions"
    await api.post(path, inline(state(1, **content)), 422)


async def test_serial_of_the_request_overrides_the_serial_of_the_state(api: Api) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    path = f"/workspaces/{api.workspace_id}/state-versions"
    created = (await api.post(path, inline(state(5), serial=1, lineage="bbbb")))["data"]["attributes"]
    assert (created["serial"], created["status"]) == (1, "finalized")
    forced = (await api.post(path, inline(state(5), serial=2, lineage="cccc", force=True)))["data"]["attributes"]
    assert forced["serial"] == 2


async def test_states_are_filtered_by_status_and_outputs_have_pages(api: Api) -> None:
    workspace = f"/workspaces/{api.workspace_id}"
    await api.post(f"{workspace}/actions/lock", None, 200)
    await api.post(f"{workspace}/state-versions", inline(state(1, outputs=OUTPUTS)))
    await api.post(f"{workspace}/state-versions", announced(state(2)))
    query = {"filter[organization][name]": "default", "filter[workspace][name]": "network"}
    for status, serials in (("pending", [2]), ("finalized", [1]), ("discarded", [])):
        listed = (await api.get("/state-versions", **query, **{"filter[status]": status}))["data"]
        assert [item["attributes"]["serial"] for item in listed] == serials
    page = await api.get(f"{workspace}/current-state-version-outputs", **{"page[size]": "2", "page[number]": "2"})
    assert [item["attributes"]["name"] for item in page["data"]] == ["sizes"]


async def test_tags_are_added_by_id_and_their_number_is_limited(api: Api) -> None:
    other = await api.create_workspace("other")
    tags = {"data": [{"type": "tags", "attributes": {"name": "eu"}}]}
    await api.post(f"/workspaces/{other}/relationships/tags", tags, 204)
    listed = (await api.get(f"{_ORGANIZATION}/tags"))["data"]
    assert [(tag["attributes"]["name"], tag["attributes"]["instance-count"]) for tag in listed] == [("eu", 1)]
    by_id = {"data": [{"type": "tags", "id": listed[0]["id"]}]}
    path = f"/workspaces/{api.workspace_id}"
    await api.post(f"{path}/relationships/tags", by_id, 204)
    assert (await api.get(path))["data"]["attributes"]["tag-names"] == ["eu"]
    bindings = [{"type": "tag-bindings", "attributes": {"key": f"k{number}", "value": "v"}} for number in range(10)]
    await api.send("PATCH", f"{path}/tag-bindings", status=422, json={"data": bindings})
    await api.send("PATCH", f"{path}/tag-bindings", status=200, json={"data": bindings[:9]})
    assert len((await api.get(f"{path}/tag-bindings"))["data"]) == 10


async def test_sorting_by_current_run_lists_only_workspaces_with_runs(api: Api) -> None:
    await api.create_workspace("other")
    await api.create_run()
    found = await api.get(f"{_ORGANIZATION}/workspaces", sort="current-run.created-at")
    assert ids_of(found) == [api.workspace_id]


async def test_resources_of_a_workspace_are_managed_instances(api: Api) -> None:
    resources = [
        {"mode": "managed", "module": "module.m", "type": "terraform_data", "name": "a", "instances":
         [{"index_key": "k"}, {"index_key": 1}], "provider": 'provider["terraform.io/builtin/terraform"]'},
        {"mode": "data", "type": "external", "name": "b", "instances": [{}]},
    ]  # fmt: skip
    api.end(await api.applying(), "apply", state=state(1, resources=resources))
    found = (await api.get(f"/workspaces/{api.workspace_id}/resources"))["data"]
    addresses = [item["attributes"]["address"] for item in found]
    assert addresses == ['m.terraform_data.a["k"]', "m.terraform_data.a[1]"]


async def test_lock_reason_of_the_terraform_cli_is_returned(api: Api) -> None:
    body = {"data": {"type": "", "attributes": {"reason": "repairs"}}}
    locked = await api.post(f"/workspaces/{api.workspace_id}/actions/lock", body, 200)
    assert locked["data"]["attributes"]["locked-reason"] == "repairs"


async def test_older_paths_of_variables_are_served(api: Api) -> None:
    workspace = {"data": {"type": "workspaces", "id": api.workspace_id}}
    body = resource("vars", {"key": "a", "value": "b", "category": "env"}, workspace=workspace)
    created = (await api.post("/vars", body))["data"]
    version = created["attributes"]["version-id"]
    query = {"filter[organization][name]": "default", "filter[workspace][name]": "network"}
    assert ids_of(await api.get("/vars", **query)) == [created["id"]]
    changed = await api.send("PATCH", f"/vars/{created['id']}", status=200, json=resource("vars", {"value": "c"}))
    assert changed["data"]["attributes"]["value"] == "c"
    assert changed["data"]["attributes"]["version-id"] != version
    await api.send("DELETE", f"/vars/{created['id']}", status=204)


async def test_signed_url_accepts_a_trailing_slash(api: Api) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    created = (await api.post(f"/workspaces/{api.workspace_id}/state-versions", announced(state(1))))["data"]
    url = created["attributes"]["hosted-state-upload-url"] + "/"
    assert (await anonymous(api.http, "PUT", url, content=state(1))).status_code == 200


# Attributes that only the service sets, although the OpenAPI document does not mark them as read-only.
_SET_BY_THE_SERVICE = {
    "actions", "permissions", "locked", "locked-reason", "environment", "resource-count", "apply-duration-average",
    "plan-duration-average", "policy-check-failures", "run-failures", "workspace-kpis-runs-count", "latest-change-at",
    "last-assessment-result-at", "auto-destroy-status", "source", "effective-state-version-retention-desc",
    "effective-run-data-retention-desc", "vcs-repo-identifier", "tag-names", "two-factor-conformant", "version-id",
}  # fmt: skip
_VALUES: dict[str, Json] = {
    "terraform-version": "1.11.4",
    "trigger-prefixes": ["modules/"],
    "trigger-patterns": ["/modules/**/*.tf"],
    "setting-overwrites": {"execution-mode": True, "agent-pool": True},
    "working-directory": "network",
    "auto-destroy-at": "2030-01-01T00:00:00Z",
    "auto-destroy-activity-duration": "14d",
    "email": "platform@example.com",
    "source-url": "https://example.com",
    "category": "env",
    "vcs-repo": {"identifier": "acme/network", "oauth-token-id": "ot-1"},
}


def _values(name: str, schema: Json) -> list[Json]:
    """Valid values of an attribute; all values if it is a boolean or an enumeration."""
    if name in _VALUES:
        return [_VALUES[name]]
    kind = schema.get("type")
    by_type: dict[str, list[Json]] = {
        "boolean": [True, False], "integer": [30], "array": [["a"]], "object": [{"a": True}]
    }  # fmt: skip
    return schema.get("enum") or by_type.get(str(kind), ["some-text"])


@pytest.mark.parametrize(
    ("kind", "path"),
    [("organizations", "/organizations/second"), ("workspaces", ""), ("vars", "vars")],
)
async def test_every_documented_attribute_is_stored_or_named_in_a_422(api: Api, kind: str, path: str) -> None:
    schemas = _schemas()
    attributes = schemas[kind]["properties"]["attributes"]["properties"]
    await api.post("/organizations", resource("organizations", {"name": "second", "email": "a@example.com"}))
    workspace = f"/workspaces/{api.workspace_id}"
    if kind == "vars":
        variable = await api.post(f"{workspace}/vars", resource("vars", {"key": "a", "category": "terraform"}))
        path = f"{workspace}/vars/{variable['data']['id']}"
    ignored = []
    for name, schema in attributes.items():
        if schema.get("readOnly") or name in _SET_BY_THE_SERVICE or name in {"name", "key"}:
            continue
        for value in _values(name, schema):
            response = await api.http.request("PATCH", API + (path or workspace), json=resource(kind, {name: value}))
            rejected = response.status_code == 422 and name in response.text
            stored = response.status_code == 200 and response.json()["data"]["attributes"].get(name) == value
            if not (rejected or stored):
                ignored.append(
                    (name, value, response.status_code, response.json().get("data", {}).get("attributes", {}).get(name))
                )
    assert ignored == []

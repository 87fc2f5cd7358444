"""Invalid requests: the response is a 4xx JSON:API error, never a 5xx.

Contract notes: "The CLI retries 5xx, POST included, up to 30 times: never use 5xx for validation."
"""

import base64
import hashlib
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tests.local.support import API, STATE, Api, resource
from tests.support.tables import rows
from tfruns.local.api.endpoints import ENDPOINTS
from tfruns.local.store.database import Database

BODIES = {
    "not JSON": b"{",
    "not UTF-8": b'{"data": "\xff"}',
    "an unpaired surrogate": b'{"data": {"attributes": {"name": "\\ud800", "message": "\\ud800"}}}',
    "a list": b"[]",
    "a number": b"1",
    "a very long number": b"9" * 5000,
    "no data": b"{}",
    "data is a list": b'{"data": []}',
    "data is a string": b'{"data": "x"}',
    "attributes are a list": b'{"data": {"attributes": [1]}}',
    "relationships are a list": b'{"data": {"attributes": {}, "relationships": [1]}}',
    "deep": b'{"data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}
WRITES = (
    ("POST", "/organizations"),
    ("POST", "/organizations/default/workspaces"),
    ("PATCH", "/workspaces/{workspace}"),
    ("POST", "/workspaces/{workspace}/vars"),
    ("POST", "/workspaces/{workspace}/configuration-versions"),
    ("POST", "/workspaces/{workspace}/state-versions"),
    ("POST", "/workspaces/{workspace}/actions/lock"),
    ("POST", "/runs"),
    ("POST", "/runs/{run}/comments"),
    ("POST", "/runs/{run}/actions/cancel"),
)
# These need no body, so some invalid bodies count as an empty one.
OPTIONAL_BODY = {"/workspaces/{workspace}/actions/lock", "/runs/{run}/actions/cancel", "/workspaces/{workspace}",
                "/workspaces/{workspace}/configuration-versions"}  # fmt: skip


def check_error(response: Any) -> None:
    assert 400 <= response.status_code < 500, response.text
    assert response.headers["content-type"] == "application/vnd.api+json"
    errors = response.json()["errors"]
    assert errors
    assert all(error["status"] == str(response.status_code) and error["title"] for error in errors)


@rows("body", BODIES.values(), ids=BODIES)
@rows(("method", "path"), WRITES)
async def test_invalid_body_is_rejected(api: Api, method: str, path: str, body: bytes) -> None:
    run = await api.create_run()
    filled = API + path.format(workspace=api.workspace_id, run=run["id"])
    response = await api.http.request(method, filled, content=body)
    if path in OPTIONAL_BODY and response.status_code < 300:
        if path.endswith("/lock"):  # restore the workspace for the next body
            await api.post(f"/workspaces/{api.workspace_id}/actions/unlock", None, 200)
        return
    check_error(response)


WRONG: list[tuple[str, str, Any]] = [
    ("/runs", "message", 5),
    ("/runs", "message", {"text": "x"}),
    ("/runs", "auto-apply", "perhaps"),
    ("/runs", "target-addrs", "terraform_data.a"),
    ("/runs", "target-addrs", [1]),
    ("/runs", "variables", {"a": "b"}),
    ("/runs", "variables", [{"key": "a"}]),
    ("/runs", "variables", [1]),
    ("/organizations/default/workspaces", "name", None),
    ("/organizations/default/workspaces", "name", 5),
    ("/organizations/default/workspaces", "name", "two words"),
    ("/organizations/default/workspaces", "name", "x" * 91),
    ("/organizations/default/workspaces", "name", "../up"),
    ("/organizations/default/workspaces", "trigger-prefixes", "a"),
    ("/organizations", "name", ""),
    ("/organizations", "email", ["a"]),
    ("/workspaces/{workspace}/vars", "key", ["a"]),
    ("/workspaces/{workspace}/vars", "key", "x" * 257),
    ("/workspaces/{workspace}/vars", "category", "shell"),
    ("/workspaces/{workspace}/vars", "value", 5),
    ("/workspaces/{workspace}/configuration-versions", "speculative", "perhaps"),
    ("/workspaces/{workspace}/state-versions", "serial", 10**30),
    ("/workspaces/{workspace}/state-versions", "serial", -1),
    ("/workspaces/{workspace}/state-versions", "serial", "one"),
    ("/workspaces/{workspace}/state-versions", "md5", "x" * 33),
    ("/workspaces/{workspace}/state-versions", "lineage", "x" * 81),
    ("/workspaces/{workspace}/state-versions", "state", "not base64"),
    ("/workspaces/{workspace}/state-versions", "state", "ä"),
]
RIGHT: dict[str, dict[str, Any]] = {
    "/runs": {},
    "/organizations/default/workspaces": {"name": "storage"},
    "/organizations": {"name": "other"},
    "/workspaces/{workspace}/vars": {"key": "region", "value": "eu", "category": "terraform"},
    "/workspaces/{workspace}/configuration-versions": {},
    "/workspaces/{workspace}/state-versions": {"serial": 1, "md5": "0" * 32},
}


@rows(("path", "name", "value"), WRONG)
async def test_invalid_attribute_is_422(api: Api, path: str, name: str, value: Any) -> None:
    workspace = f"/workspaces/{api.workspace_id}"
    if not (await api.get(workspace))["data"]["attributes"]["locked"]:
        await api.post(f"{workspace}/actions/lock", None, 200)
    body = resource("x", RIGHT[path] | {name: value}, workspace={"data": {"id": api.workspace_id}})
    response = await api.http.post(API + path.format(workspace=api.workspace_id), json=body)
    assert response.status_code == 422
    check_error(response)


@pytest.mark.parametrize("tags", [5, "x", {"a": 1}, [1], [{}], [{"attributes": "x"}], [{"attributes": {"name": 5}}]])
async def test_malformed_tags_are_never_a_server_error(api: Api, tags: Any) -> None:
    body = resource("workspaces", {"name": "storage"}, tags={"data": tags})
    response = await api.http.post(f"{API}/organizations/default/workspaces", json=body)
    assert response.status_code in {201, 422}


@rows("comment", [5, ["a"], {"a": 1}, True])
async def test_comment_that_is_not_a_string_is_422_without_effect(api: Api, comment: Any) -> None:
    run = await api.planned()
    await api.post(f"/runs/{run['id']}/actions/apply", {"comment": comment}, 422)
    assert await api.status(run) == "planned"
    await api.act(run, "discard")


LISTS = ("/organizations", "/organizations/default/workspaces", "/organizations/default/runs",
         "/organizations/default/runs/queue", "/workspaces/{workspace}/runs",
         "/workspaces/{workspace}/configuration-versions", "/state-versions")  # fmt: skip
BAD_NUMBERS = ("0", "-1", "1.5", "x", "1e3", "²", "9" * 10, "0000000001" + "9" * 30, "9" * 5000)


@rows("path", LISTS)
async def test_invalid_page_is_400(api: Api, path: str) -> None:
    for name in ("page[number]", "page[size]"):
        for number in BAD_NUMBERS:
            response = await api.http.get(API + path.format(workspace=api.workspace_id), params={name: number})
            assert response.status_code == 400, (name, number)
            check_error(response)


@rows("path", LISTS)
async def test_highest_page_number_is_an_empty_page(api: Api, path: str) -> None:
    query = {"page[number]": "9" * 9, "filter[workspace][name]": "network", "filter[organization][name]": "default"}
    document = await api.get(path.format(workspace=api.workspace_id), 200, **query)
    assert document["data"] == []


@rows("path", ["/runs/{run}", "/runs/{run}/run-events", "/workspaces/{workspace}",
                                  "/workspaces/{workspace}/runs", "/organizations/default/runs",
                                  "/organizations/default/workspaces"])  # fmt: skip
async def test_unknown_include_is_400_and_the_error_names_it(api: Api, path: str) -> None:
    # Contract notes: "a bad include, with "include parameter" in the message".
    run = await api.create_run()
    filled = path.format(run=run["id"], workspace=api.workspace_id)
    response = await api.http.get(API + filled, params={"include": "secrets"})
    assert response.status_code == 400
    check_error(response)
    assert "include parameter" in response.json()["errors"][0]["detail"]


@rows("path", ["/nothing", "/runs", "/runs/run-x", "/workspaces/%00", "/workspaces/%ff", "/plans/x",
                                  "/applies/x", "/comments/x", "/state-versions/x", "/state-version-outputs/x",
                                  "/configuration-versions/x", "/organizations/none", "/organizations/none/runs",
                                  "/workspaces/ws-x/vars", "/runs/run-x/plan", "/runs/run-x/comments"])  # fmt: skip
async def test_unknown_path_or_id_is_404_or_405(api: Api, path: str) -> None:
    response = await api.http.get(API + path)
    assert response.status_code == (405 if path == "/runs" else 404)
    check_error(response)


async def test_wrong_method_is_405_with_the_allowed_methods(api: Api) -> None:
    for method, path, allowed in (
        ("GET", "/runs", "POST"),
        ("PUT", "/runs/run-x", "GET, HEAD"),
        ("POST", "/organizations/none", "DELETE, GET, HEAD, PATCH"),
        ("PATCH", "/organizations/none/workspaces/", "GET, HEAD, POST"),
    ):
        response = await api.http.request(method, API + path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed), path


async def test_head_has_the_status_of_get(api: Api) -> None:
    run = await api.create_run()
    assert (await api.http.head(f"{API}/runs/{run['id']}")).status_code == 200
    assert (await api.http.head(f"{API}/runs/run-x")).status_code == 404


def linked(**ids: str) -> dict[str, Any]:
    kinds = {"configuration-version": "configuration-versions", "project": "projects", "workspace": "workspaces"}
    kinds["rollback-state-version"] = "state-versions"
    return {
        name.replace("_", "-"): {"data": {"type": kinds[name.replace("_", "-")], "id": id_}}
        for name, id_ in ids.items()
    }


async def test_404_names_the_unknown_id_of_a_request_body(api: Api) -> None:
    workspace = api.workspace_id
    requests = [
        ("POST", "/runs", "runs", linked(workspace="ws-none"), "workspace ws-none"),
        (
            "POST",
            "/runs",
            "runs",
            linked(workspace=workspace, configuration_version="cv-none"),
            "configuration version cv-none",
        ),
        (
            "PATCH",
            f"/workspaces/{workspace}/state-versions",
            "state-versions",
            linked(rollback_state_version="sv-none"),
            "state version sv-none",
        ),
        ("POST", "/vars", "vars", linked(workspace="ws-none"), "workspace ws-none"),
        ("PATCH", f"/workspaces/{workspace}", "workspaces", linked(project="prj-none"), "project prj-none"),
    ]
    for method, path, kind, relationships, named in requests:
        body = {"data": {"type": kind, "attributes": {}, "relationships": relationships}}
        if kind == "vars":
            body["data"]["attributes"] = {"key": "region", "value": "", "category": "terraform"}
        response = await api.http.request(method, API + path, json=body)
        assert response.status_code == 404, (path, response.text)
        assert response.json()["errors"][0]["detail"] == f"The {named} does not exist.", path


async def test_id_of_a_plan_is_not_the_id_of_an_apply(api: Api) -> None:
    related = (await api.create_run())["relationships"]
    await api.get(f"/applies/{related['plan']['data']['id']}", 404)
    await api.get(f"/plans/{related['apply']['data']['id']}", 404)


async def test_body_that_is_too_large_is_413(api: Api) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    body = b'{"data": "' + b"x" * (2 << 20) + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        yield body[:100]
        yield body[100:]

    for content in (body, chunks()):
        response = await api.http.post(f"{API}/runs", content=content)
        assert response.status_code == 413
        check_error(response)
    path = f"{API}/workspaces/{api.workspace_id}/state-versions"
    assert (await api.http.post(path, content=body)).status_code == 400, "a state may be larger"
    assert (await api.http.post(path, content=body * 16)).status_code == 413


async def test_search_text_that_is_too_long_is_414(api: Api) -> None:
    for path in ("/organizations/default/workspaces", "/organizations/default/runs", "/workspaces/{workspace}/runs"):
        filled = API + path.format(workspace=api.workspace_id)
        for name in ("search[basic]", "search[name]", "search[wildcard-name]", "search[commit]", "filter[status]"):
            for character in ("x", "%", "_", "\\", "*"):
                for length, status in ((1000, 200), (20_000, 414)):
                    response = await api.http.get(filled, params={name: character * length})
                    if status == 200:
                        assert response.status_code in {200, 400, 422}, (path, name, character)
                    else:
                        assert response.status_code == 414
                        check_error(response)


async def test_nul_character_is_rejected_everywhere(api: Api) -> None:
    # PostgreSQL cannot store it.
    run = await api.planned()
    for path in ("/workspaces/{nul}", "/runs/{nul}", "/organizations/{nul}", "/organizations/default/workspaces/{nul}"):
        response = await api.http.get(API + path.replace("{nul}", "a%00"))
        assert response.status_code == 404, path
        check_error(response)
    for query in ("search[name]=a%00", "filter[status]=%00", "a%00=b", "page[number]=1%00"):
        response = await api.http.get(f"{API}/organizations/default/workspaces?{query}")
        assert response.status_code == 400, query
        check_error(response)
    for method, path in WRITES:
        filled = API + path.format(workspace=api.workspace_id, run=run["id"])
        for field in ("name", "message", "key", "value", "description", "body", "comment", "reason"):
            attributes = {"name": "a", "key": "a", "category": "env", "body": "a"} | {field: "a\0b"}
            body = {"data": {"type": "x", "attributes": attributes}, "comment": "a\0", "reason": "a\0"}
            response = await api.http.request(method, filled, json=body)
            assert response.status_code == 400, (method, path, field)
            check_error(response)


BAD_STATES: dict[str, bytes] = {
    "empty": b"",
    "not JSON": b"{",
    "a list": b"[]",
    "no serial": b"{}",
    "a boolean serial": b'{"serial": true}',
    "a serial that is too large": b'{"serial": 1' + b"0" * 30 + b"}",
    "a lineage that is not a string": b'{"serial": 1, "lineage": {"a": 1}}',
    "a version that is not a string": b'{"serial": 1, "terraform_version": [1]}',
    "an output that is not an object": b'{"serial": 1, "outputs": {"a": 5}}',
    "an unpaired surrogate": b'{"serial": 1, "lineage": "\\ud800"}',
    "an unpaired surrogate in an output": b'{"serial": 1, "outputs": {"a": {"value": "\\ud800", "type": "string"}}}',
    "not a number": b'{"serial": 1, "outputs": {"a": {"value": NaN, "type": "number"}}}',
    "deep": b'{"serial": 1, "a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("state", BAD_STATES.values(), ids=BAD_STATES)
async def test_invalid_state_is_rejected_and_changes_nothing(api: Api, state: bytes) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    path = f"/workspaces/{api.workspace_id}/state-versions"

    def body(content: bytes) -> Any:
        encoded, md5 = base64.b64encode(content).decode(), hashlib.md5(content).hexdigest()
        return resource("state-versions", {"serial": 1, "md5": md5, "state": encoded, "force": True})

    first = (await api.post(path, body(STATE)))["data"]
    if state:
        await api.post(path, body(state), 422)
    current = (await api.get(f"/workspaces/{api.workspace_id}/current-state-version"))["data"]
    assert current["id"] == first["id"]


async def test_unexpected_types_inside_a_state_are_accepted(api: Api) -> None:
    run = await api.applying()
    state = b'{"serial": 1, "outputs": [], "resources": [1, {"mode": "managed", "instances": 5, "name": 7}]}'
    api.end(run, "apply", state=state)
    await api.get(f"/workspaces/{api.workspace_id}/current-state-version")


@pytest.mark.parametrize(
    ("path", "name"), [("/runs/{run}/actions/apply", "comment"), ("/workspaces/{workspace}/actions/lock", "reason")]
)
async def test_unpaired_surrogate_is_400(api: Api, path: str, name: str) -> None:
    # It could be neither stored nor returned.
    run = await api.planned()
    body = b'{"%s": "\\ud800"}' % name.encode()
    response = await api.http.post(API + path.format(run=run["id"], workspace=api.workspace_id), content=body)
    assert response.status_code == 400
    check_error(response)


async def test_unavailable_database_is_503_with_retry_after(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unavailable(*_: object) -> None:
        raise OperationalError("SELECT secrets", {}, Exception("the server closed the connection"))

    monkeypatch.setattr(Database, "read", unavailable)
    for path, headers in (("/organizations/default", {}), ("/ping", {"authorization": "Bearer not-in-the-cache"})):
        response = await api.http.get(API + path, headers=headers)
        assert response.status_code == 503
        assert response.headers["retry-after"] == "1.000"
        assert response.json()["errors"][0]["status"] == "503"
        assert "secrets" not in response.text + caplog.text


QUERIES = ("include=nonsense", "include=run,,..", "page[size]=0", "page[size]=-1", "page[size]=1e9", "page[size]=abc",
           "page[number]=0", "page[number]=abc", "filter[status]=%ff%fe", "sort=nonsense", "q=%c3%28", "%5B=1",
           "page[size]=5&page[size]=abc", "filter[nonsense]=1", "search[name]=%25", "page[size]=%00")  # fmt: skip
WRONG_BODIES = {
    **BODIES,
    "no type": b'{"data": {"attributes": {}}}',
    "a type that is a number": b'{"data": {"type": 5, "attributes": {}}}',
    "data is a list of numbers": b'{"data": [1]}',
    "a byte order mark": b'\xef\xbb\xbf{"data": {}}',
    "a form": b"name=a&value=%ff",
    "too long": b'{"data": {"type": "x", "attributes": {"name": "%s", "key": "%s", "speculative": "%s"}}}'
    % ((b"x" * 300_000,) * 3),
}
_WITHOUT_BODY = re.compile(r"/actions/|DELETE .*/(\{\w+\}|workspaces/\{name\})$")


async def test_no_endpoint_fails_on_bad_input(api: Api) -> None:
    run = await api.planned()
    project = (await api.get("/organizations/default/projects"))["data"][0]["id"]
    names = {"organization": "default", "name": "network", "workspace_id": api.workspace_id, "run_id": run["id"],
             "variable_id": "var-x", "project_id": project, "id": "x"}  # fmt: skip
    for entry in ENDPOINTS:
        path = API + entry.path.format_map(names)
        if entry.method == "GET":
            requests = [(f"{path}?{query}", b"") for query in QUERIES]
        elif _WITHOUT_BODY.search(f"{entry.method} {entry.path}"):
            continue  # these ignore the body or read only a comment; other tests cover them
        else:
            accepts_list = "/relationships/" in path or path.endswith(("/tags", "/tag-bindings"))  # also an empty one
            requests = [
                (path, body) for name, body in WRONG_BODIES.items() if name != "data is a list" or not accepts_list
            ]
        for url, body in requests:
            response = await api.http.request(entry.method, url, content=body)
            if response.status_code >= 400:
                check_error(response)
            else:
                assert entry.method == "GET", f"{entry.method} {entry.path}: {response.status_code} {body[:60]!r}"


@pytest.mark.parametrize("path", ["vars", "tag-bindings", "all-vars"])
async def test_invalid_page_is_400_for_lists_without_pages(api: Api, path: str) -> None:
    errors = (await api.get(f"/workspaces/{api.workspace_id}/{path}", 400, **{"page[size]": "0"}))["errors"]
    assert errors[0]["detail"] == "page[size] must be a positive integer."


async def test_error_states_the_rule_for_each_invalid_attribute(api: Api) -> None:
    workspaces = "/organizations/default/workspaces"
    wrong = {"name": 5, "auto-apply": "perhaps", "description": "d" * 1025, "terraform-version": "banana"}
    detail = (await api.post(workspaces, resource("workspaces", wrong), 422))["errors"][0]["detail"]
    assert detail == (
        "Invalid attributes: auto-apply must be a valid boolean, unable to interpret input; "
        "description must have at most 1024 characters; name must be a valid string; terraform-version "
        "must be a Terraform version such as 1.11.4, or a constraint such as ~> 1.11.0."
    )
    for data, expected in (
        ({"attributes": {"name": "a"}}, 'data.type is missing: it must be "workspaces".'),
        ({"type": "workspaces", "attributes": [1]}, "data.attributes must be an object."),
        ({"type": "workspaces", "attributes": []}, "data.attributes must be an object."),
        ({"type": "workspaces", "relationships": "x"}, "data.relationships must be an object."),
    ):
        assert (await api.post(workspaces, {"data": data}, 422))["errors"][0]["detail"] == expected
    linkage = {"workspace": {"data": {"type": "workspaces", "id": api.workspace_id}}}
    run = {"type": "runs", "attributes": {"variables": [{"key": "region"}]}, "relationships": linkage}
    detail = (await api.post("/runs", {"data": run}, 422))["errors"][0]["detail"]
    assert detail == "Invalid attributes: variables.0.value is missing."
    # Scripts that work with HCP Terraform send the type in the singular.
    body = resource("configuration-version", {"auto-queue-runs": False})
    await api.post(f"/workspaces/{api.workspace_id}/configuration-versions", body)

"""State versions and outputs. Source: HCP Terraform API, "State Versions", "State Version Outputs"."""

import base64
import hashlib
import json
from typing import Any

import pytest

from tests.local.support import STATE, Api, Json, anonymous, ids_of, resource, statements
from tests.support.stores import on_both_stores

pytestmark = on_both_stores

JSON_STATE = b'{"format_version":"1.0","terraform_version":"1.11.4"}'

OUTPUTS = {
    "name": {"value": "net", "type": "string"},
    "password": {"value": "hunter2", "type": "string", "sensitive": True},
    "sizes": {"value": [1, 2], "type": ["list", "number"]},
}


def state(serial: int, lineage: str = "aaaa", **more: Any) -> bytes:
    return json.dumps({"version": 4, "serial": serial, "lineage": lineage, "resources": [], **more}).encode()


def announced(content: bytes, **attributes: Any) -> Json:
    """The request that creates a state version before its upload."""
    parsed = json.loads(content)
    md5 = hashlib.md5(content).hexdigest()
    return resource(
        "state-versions", {"serial": parsed["serial"], "lineage": parsed["lineage"], "md5": md5, **attributes}
    )


def inline(content: bytes, **attributes: Any) -> Json:
    """The request that creates a state version with its content."""
    return announced(content, state=base64.b64encode(content).decode(), **attributes)


@pytest.fixture
async def locked(api: Api) -> Api:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    return api


def _path(api: Api) -> str:
    return f"/workspaces/{api.workspace_id}/state-versions"


async def _current(api: Api) -> Json:
    return (await api.get(f"/workspaces/{api.workspace_id}/current-state-version"))["data"]


async def test_workspace_without_state_has_no_current_state(api: Api) -> None:
    # Contract notes: at init, "GET workspaces/:id/current-state-version (404 ok)".
    await api.get(f"/workspaces/{api.workspace_id}/current-state-version", 404)
    await api.get(f"/workspaces/{api.workspace_id}/current-state-version-outputs", 404)


async def test_state_is_created_then_uploaded_like_the_terraform_cli(locked: Api) -> None:
    # Contract notes: "POST workspaces/:id/state-versions (no `state` attribute); PUT json-state and state upload URLs".
    content = state(1)
    created = (await locked.post(_path(locked), announced(content)))["data"]
    assert created["attributes"]["status"] == "pending"
    await locked.get(f"/workspaces/{locked.workspace_id}/current-state-version", 404)
    for name, body in (("hosted-json-state-upload-url", JSON_STATE), ("hosted-state-upload-url", content)):
        answer = await anonymous(locked.http, "PUT", created["attributes"][name], content=body)
        assert answer.status_code == 200
    current = await _current(locked)
    assert (current["id"], current["attributes"]["status"]) == (created["id"], "finalized")
    download = await anonymous(locked.http, "GET", current["attributes"]["hosted-state-download-url"])
    assert download.content == content
    download = await anonymous(locked.http, "GET", current["attributes"]["hosted-json-state-download-url"])
    assert download.content == JSON_STATE
    redirect = await locked.http.get(f"/api/v2/state-versions/{created['id']}/download")
    assert (await anonymous(locked.http, "GET", redirect.headers["location"])).content == content


async def test_state_can_be_part_of_the_create_request(locked: Api) -> None:
    created = (await locked.post(_path(locked), inline(state(7))))["data"]
    assert created["attributes"]["status"] == "finalized"
    assert (await _current(locked))["attributes"]["serial"] == 7


async def test_state_changes_only_under_the_users_own_lock(api: Api) -> None:
    await api.post(_path(api), inline(state(1)), 409)
    run = await api.create_run()
    await api.post(_path(api), inline(state(1)), 409)
    # The id of a run does not bypass the lock: the run must hold the workspace.
    other = await api.create_run(plan_only=True)
    for run_id, status in (("run-0000000000000000", 409), (other["id"], 409), (run["id"], 201)):
        body = inline(state(1))
        body["data"]["relationships"] = {"run": {"data": {"type": "runs", "id": run_id}}}
        await api.post(_path(api), body, status)


@pytest.mark.parametrize("content", [state(4), state(6, "bbbb")], ids=["an older serial", "another lineage"])
async def test_state_out_of_sequence_is_409_unless_forced(locked: Api, content: bytes) -> None:
    first = (await locked.post(_path(locked), inline(state(5))))["data"]
    await locked.post(_path(locked), inline(content), 409)
    assert (await _current(locked))["id"] == first["id"]
    await locked.post(_path(locked), inline(content, force=True))


@pytest.mark.parametrize("wrong", [b"", b"{}", state(2), state(1, "bbbb")])
async def test_upload_with_other_md5_is_422_and_can_be_repeated(locked: Api, wrong: bytes) -> None:
    created = (await locked.post(_path(locked), announced(state(1))))["data"]
    url = created["attributes"]["hosted-state-upload-url"]
    assert (await anonymous(locked.http, "PUT", url, content=wrong)).status_code == 422
    assert locked.backend.objects.read("state", created["id"]) is None
    assert (await anonymous(locked.http, "PUT", url, content=state(1))).status_code == 200


async def test_repeated_upload_changes_nothing_and_other_content_is_409(locked: Api) -> None:
    # The Terraform CLI repeats a request whose response was lost.
    created = (await locked.post(_path(locked), announced(state(1))))["data"]
    url = created["attributes"]["hosted-state-upload-url"]
    for content, status in ((state(1), 200), (state(1), 200), (state(1, other=True), 409)):
        assert (await anonymous(locked.http, "PUT", url, content=content)).status_code == status
    assert locked.backend.objects.read("state", created["id"]) == state(1)


async def _announce(api: Api, content: bytes, **attributes: Any) -> str:
    created = (await api.post(_path(api), announced(content, **attributes)))["data"]
    return str(created["attributes"]["hosted-state-upload-url"])


async def _put(api: Api, url: str, content: bytes) -> int:
    return (await anonymous(api.http, "PUT", url, content=content)).status_code


async def test_second_of_two_pending_states_must_follow_the_first(locked: Api) -> None:
    # State Versions, "State Version Status": discarded, "superseded by a newer state version before it could be
    # uploaded".
    first, second, forced = (state(5, name=name) for name in ("first", "second", "forced"))
    urls = [await _announce(locked, content, force=content is forced) for content in (first, second, forced)]
    assert await _put(locked, urls[0], first) == 200
    assert await _put(locked, urls[1], second) == 409
    query = {"filter[organization][name]": "default", "filter[workspace][name]": "network"}
    listed = (await locked.get("/state-versions", **query))["data"]
    assert [item["attributes"]["status"] for item in listed] == ["pending", "discarded", "finalized"]
    assert await _put(locked, urls[2], forced) == 200
    download = (await _current(locked))["attributes"]["hosted-state-download-url"]
    assert (await anonymous(locked.http, "GET", download)).content == forced


async def test_download_of_an_empty_state_file_is_404(locked: Api) -> None:
    # Terraform reads an empty response as the absence of a state, and would create everything again.
    created = (await locked.post(_path(locked), inline(state(1))))["data"]
    locked.backend.objects.path("state", created["id"]).write_bytes(b"")
    response = await anonymous(locked.http, "GET", created["attributes"]["hosted-state-download-url"])
    assert (response.status_code, response.json()["errors"][0]["title"]) == (404, "not found")


async def test_lineage_defaults_to_that_of_the_content(locked: Api) -> None:
    await locked.post(_path(locked), inline(state(1)))
    other = state(2, "bbbb")
    assert await _put(locked, await _announce(locked, other, lineage=None), other) == 409
    assert (await _current(locked))["attributes"]["serial"] == 1


async def test_same_serial_with_other_content_is_409_unless_forced(
    locked: Api,
) -> None:
    await locked.post(_path(locked), inline(state(5)))
    await locked.post(_path(locked), inline(state(5, other=True)), 409)
    await locked.post(_path(locked), inline(state(5)))
    assert await _put(locked, await _announce(locked, state(5)), state(5)) == 200
    await locked.post(_path(locked), inline(state(5, other=True), force=True))


async def test_unchanged_state_keeps_saved_plans(locked: Api) -> None:
    await locked.post(_path(locked), inline(state(5)))
    saved = await locked.create_run(save_plan=True)
    locked.plan(saved)
    await locked.post(_path(locked), inline(state(5)))
    assert await locked.status(saved) == "planned_and_saved"
    await locked.post(_path(locked), inline(state(6)))
    assert await locked.status(saved) == "discarded"


async def test_unlock_is_refused_while_a_state_is_pending(locked: Api) -> None:
    # State Versions, "Create a State Version": "may not be unlocked normally until the state version is uploaded".
    # The Terraform CLI recognizes this text, and retries.
    url, path = await _announce(locked, state(1)), f"/workspaces/{locked.workspace_id}/actions"
    errors = (await locked.post(f"{path}/unlock", None, 409))["errors"]
    assert "latest state version is still pending" in errors[0]["detail"]
    await locked.post(f"{path}/force-unlock", None, 200)
    assert await _put(locked, url, state(1)) == 409  # another client may have locked the workspace since


async def test_state_without_serial_or_version_is_422(locked: Api) -> None:
    for attributes in ({}, {"serial": 1}, {"md5": "0" * 32}):
        await locked.post(_path(locked), resource("state-versions", attributes), 422)


async def test_apply_stores_its_state_with_its_run(api: Api) -> None:
    run = await api.applying()
    api.end(run, "apply", state=STATE)
    related = (await _current(api))["relationships"]
    assert related["run"]["data"]["id"] == run["id"]
    assert related["created-by"]["data"]["type"] == "users"


async def test_failed_apply_stores_its_partial_state(api: Api) -> None:
    # Contract notes, section 4: "stored as a state version after any exit, kills included".
    run = await api.applying()
    api.end(run, "apply", status="errored", state=STATE)
    assert (await api.status(run), (await _current(api))["attributes"]["serial"]) == ("errored", 1)


async def test_unchanged_state_creates_no_new_version(api: Api) -> None:
    for _ in range(2):
        api.end(await api.applying(), "apply", state=STATE)
    query = {"filter[organization][name]": "default", "filter[workspace][name]": "network"}
    assert len((await api.get("/state-versions", **query))["data"]) == 1


async def test_state_versions_are_listed_newest_first(locked: Api) -> None:
    ids = [(await locked.post(_path(locked), inline(state(serial))))["data"]["id"] for serial in (1, 2, 3)]
    query = {"filter[organization][name]": "default", "filter[workspace][name]": "network"}
    assert ids_of(await locked.get("/state-versions", **query)) == list(reversed(ids))
    await locked.get("/state-versions", 404)


async def test_sensitive_outputs_of_the_current_state_are_null(locked: Api) -> None:
    # "State Version Outputs": only the list of the current state hides them; go-tfe, TestStateVersionOutputs.
    await locked.post(_path(locked), inline(state(1, outputs=OUTPUTS)))
    current = await _current(locked)
    lists = [
        (await locked.get(f"/workspaces/{locked.workspace_id}/current-state-version-outputs"))["data"],
        (await locked.get(f"/state-versions/{current['id']}", include="outputs"))["included"],
    ]
    for items in lists:
        values = {item["attributes"]["name"]: item["attributes"]["value"] for item in items}
        assert values == {"name": "net", "password": None, "sizes": [1, 2]}
    assert [item["attributes"]["type"] for item in lists[0]] == ["string", "string", "array"]
    outputs = (await locked.get(f"/state-versions/{current['id']}/outputs"))["data"]
    values = {item["attributes"]["name"]: item["attributes"]["value"] for item in outputs}
    assert values == {"name": "net", "password": "hunter2", "sizes": [1, 2]}
    password = next(item for item in lists[0] if item["attributes"]["name"] == "password")
    alone = (await locked.get(f"/state-version-outputs/{password['id']}"))["data"]
    assert alone["attributes"]["value"] == "hunter2"


async def test_each_state_has_its_own_outputs(locked: Api) -> None:
    ids = []
    for serial in (1, 2):
        outputs = {"name": {"value": f"net-{serial}", "type": "string"}}
        await locked.post(_path(locked), inline(state(serial, outputs=outputs)))
        ids.append((await _current(locked))["relationships"]["outputs"]["data"][0]["id"])
    found = [(await locked.get(f"/state-version-outputs/{id_}"))["data"]["attributes"]["value"] for id_ in ids]
    assert found == ["net-1", "net-2"]
    query = {"filter[organization][name]": "default", "filter[workspace][name]": "network"}
    with statements(locked) as seen:
        listed = (await locked.get("/state-versions", **query))["data"]
    assert [item["relationships"]["outputs"]["data"][0]["id"] for item in listed] == ids[::-1]
    assert not any("state_outputs.value" in statement for statement in seen)
    with statements(locked) as seen:
        await locked.get(f"/state-version-outputs/{ids[0]}")
    assert not any("FROM state_versions" in statement for statement in seen)


async def test_null_output_is_shown_as_null(locked: Api) -> None:
    await locked.post(_path(locked), inline(state(1, outputs={"nothing": {"value": None, "type": "dynamic"}})))
    document = await locked.get(f"/workspaces/{locked.workspace_id}/current-state-version-outputs")
    assert document["data"][0]["attributes"]["value"] is None


# -- the JSON output format -------------------------------------------------------------------------------------------


async def test_json_state_is_accepted_once_in_terraforms_format(locked: Api) -> None:
    created = (await locked.post(_path(locked), announced(state(1))))["data"]
    url = created["attributes"]["hosted-json-state-upload-url"]
    for wrong in (b"", b"{", b"[]", b"{}", state(1), b'{"format_version": 1}'):
        assert (await anonymous(locked.http, "PUT", url, content=wrong)).status_code == 422, wrong
    for _ in range(2):
        assert (await anonymous(locked.http, "PUT", url, content=JSON_STATE)).status_code == 200
    assert (await anonymous(locked.http, "PUT", url, content=b'{"format_version":"2.0"}')).status_code == 409


async def test_state_without_json_state_has_no_url_for_it(locked: Api) -> None:
    await locked.post(_path(locked), inline(state(1)))
    assert (await _current(locked))["attributes"].get("hosted-json-state-download-url") is None


# -- roll back --------------------------------------------------------------------------------------------------------


def _rollback(id_: str) -> Json:
    related = {"rollback-state-version": {"data": {"type": "state-versions", "id": id_}}}
    return {"data": {"type": "state-versions", "relationships": related}}


async def test_rollback_copies_an_earlier_state(locked: Api) -> None:
    # State Versions API, "Rollback to a Previous State Version".
    first = (await locked.post(_path(locked), inline(state(1, outputs=OUTPUTS))))["data"]
    await locked.post(_path(locked), inline(state(5)))
    made = (await locked.send("PATCH", _path(locked), status=201, json=_rollback(first["id"])))["data"]
    current = await _current(locked)
    assert current["id"] == made["id"] != first["id"]
    assert (current["attributes"]["serial"], current["attributes"]["status"]) == (6, "finalized")
    content = await anonymous(locked.http, "GET", current["attributes"]["hosted-state-download-url"])
    assert content.json() == json.loads(state(6, outputs=OUTPUTS))
    shown = await locked.get(f"/workspaces/{locked.workspace_id}/current-state-version-outputs")
    assert [output["attributes"]["name"] for output in shown["data"]] == sorted(OUTPUTS)


async def test_rollback_keeps_every_digit_of_a_number(locked: Api) -> None:
    numbers = ["12345678901234567890123", "0.1234567890123456789", "-0", "1e-400", "1.50", "9" * 4_100]
    content = state(1, note="N").replace(b'"N"', f"[{', '.join(numbers)}]".encode())
    first = (await locked.post(_path(locked), inline(content)))["data"]
    await locked.send("PATCH", _path(locked), status=201, json=_rollback(first["id"]))
    url = (await _current(locked))["attributes"]["hosted-state-download-url"]
    copy = (await anonymous(locked.http, "GET", url)).content
    assert json.loads(copy, parse_int=str, parse_float=str)["note"] == numbers


async def test_rollback_requires_the_lock_and_a_state_of_the_workspace(locked: Api) -> None:
    first = (await locked.post(_path(locked), inline(state(1))))["data"]["id"]
    pending = (await locked.post(_path(locked), announced(state(2))))["data"]["id"]
    await locked.send("PATCH", _path(locked), status=409, json=_rollback(pending))
    await locked.send("PATCH", _path(locked), status=404, json=_rollback("sv-nosuch"))
    await locked.send("PATCH", _path(locked), status=422, json={"data": {"type": "state-versions"}})
    other = f"/workspaces/{await locked.create_workspace('other')}"
    await locked.post(f"{other}/actions/lock", None, 200)
    await locked.send("PATCH", f"{other}/state-versions", status=404, json=_rollback(first))
    await locked.post(f"/workspaces/{locked.workspace_id}/actions/force-unlock", None, 200)
    await locked.send("PATCH", _path(locked), status=409, json=_rollback(first))
    assert (await _current(locked))["id"] == first

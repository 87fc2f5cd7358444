"""Documents of the API instead of views, without values of variables and signed URLs."""

import json
from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, accepted, answer
from tests.support.tables import rows
from tests.tools.calls import ACTIONS, ORGANIZATION, PATHS, RUN_ID, WORKSPACE_ID, call, willing_api

SIGNED = [
    "https://archivist.terraform.io/v1/object/dmF1bHQ6djE6hunter2",
    "https://tfe.example.com/_archivist/v1/object/dmF1bHQ6djE6hunter2",
    "https://store.example.com/plans/1?X-Amz-Credential=a&X-Amz-Signature=hunter2",
    "https://store.example.com/plans/1?sv=2024&sig=hunter2",
]
VARIABLES = [{"key": "password", "value": '"hunter2"'}, {"key": "nested", "value": '{ a = "hunter2" }'}]


def _run() -> dict[str, Any]:
    return samples.run(variables=VARIABLES, message=f"see {SIGNED[0]} and abcd.atlasv1.hunter2")


def _included() -> list[dict[str, Any]]:
    return [
        {"id": f"plan-{number}", "type": "plans", "attributes": {"status": "finished", "log-read-url": address}}
        for number, address in enumerate(SIGNED)
    ]


def _api() -> FakeApi:
    run = _run()
    document = {"data": run, "included": _included(), "links": {"self": "https://tfe.example.com/api/v2/runs"}}
    api = FakeApi().on("POST", "/runs", answer({"data": run}, 201)).on("GET", f"/runs/{RUN_ID}", answer(document))
    for path in PATHS.values():
        api.on("POST", f"/runs/{RUN_ID}/actions/{path}", accepted())
    listed = answer({**samples.page(run, next_page=2), "included": _included()})
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", listed)
    return api.on("GET", f"/organizations/{ORGANIZATION}/runs", listed)


@pytest.mark.anyio
@rows("tool", ["create_run", "get_run_details", *ACTIONS])
async def test_run_is_the_document_of_the_api(tool: str) -> None:
    run = samples.run()
    assert await call(tool, api=willing_api(run), is_raw=True) == {"data": run}


@pytest.mark.anyio
@pytest.mark.parametrize("tool", ["list_runs_in_workspace", "list_runs_in_organization"])
async def test_list_is_the_document_of_the_api(tool: str) -> None:
    document = await call(tool, api=_api(), is_raw=True)
    assert document["meta"]["pagination"]["next-page"] == 2
    assert document["data"][0]["id"] == RUN_ID


@pytest.mark.anyio
@pytest.mark.parametrize(
    "tool", ["create_run", "get_run_details", "list_runs_in_workspace", "list_runs_in_organization", *ACTIONS]
)
async def test_document_contains_no_secret(tool: str) -> None:
    document = await call(tool, api=_api(), is_raw=True)
    assert "hunter2" not in json.dumps(document)
    run = document["data"][0] if isinstance(document["data"], list) else document["data"]
    assert [variable["key"] for variable in run["attributes"]["variables"]] == ["password", "nested"]
    assert document.get("links", {}).get("self", "https://tfe.example.com/api/v2/runs").endswith("/api/v2/runs")


@pytest.mark.anyio
async def test_document_of_the_client_is_not_modified() -> None:
    run = _run()
    before = json.dumps(run)
    await call("get_run_details", api=willing_api(run), is_raw=True)
    assert json.dumps(run) == before

"""Variables of a workspace. Source: HCP Terraform API, "Workspace Variables"."""

from typing import Any

import pytest
from sqlalchemy import select

from tests.local.support import Api, Json, resource
from tfruns.local.store.schema import RunRow

REGION = {"key": "region", "value": "eu", "category": "terraform"}


def _path(api: Api, variable_id: str = "") -> str:
    return f"/workspaces/{api.workspace_id}/vars" + (f"/{variable_id}" if variable_id else "")


async def _create(api: Api, status: int = 201, **attributes: Any) -> Json:
    document = await api.post(_path(api), resource("vars", REGION | attributes), status)
    return document["data"] if status == 201 else document["errors"][0]


async def _update(api: Api, variable: Json, status: int = 200, **attributes: Any) -> Json:
    return await api.send("PATCH", _path(api, variable["id"]), status=status, json=resource("vars", attributes))


async def test_variable_is_created_read_listed_updated_and_deleted(api: Api) -> None:
    variable = await _create(api, description="Where")
    assert (await api.get(_path(api, variable["id"])))["data"]["attributes"]["value"] == "eu"
    changed = (await _update(api, variable, value="us", description=None))["data"]["attributes"]
    assert (changed["key"], changed["value"], changed["description"]) == ("region", "us", None)
    assert [item["id"] for item in (await api.get(_path(api)))["data"]] == [variable["id"]]
    await api.send("DELETE", _path(api, variable["id"]), status=204)
    await api.get(_path(api, variable["id"]), 404)


async def test_sensitive_value_is_never_returned(api: Api) -> None:
    variable = await _create(api, sensitive=True, value="hunter2")
    for document in (await api.get(_path(api)), await api.get(_path(api, variable["id"]))):
        assert "hunter2" not in str(document)
    assert variable["attributes"]["value"] is None
    await _update(api, variable, 422, sensitive=False)
    assert (await _update(api, variable, value="hunter3"))["data"]["attributes"]["value"] is None


@pytest.mark.parametrize("attributes", [{"key": ""}, {"key": None}, {"category": None}, {"category": "shell"}])
async def test_variable_without_key_or_category_is_422(api: Api, attributes: dict[str, Any]) -> None:
    await _create(api, 422, **attributes)
    assert (await api.get(_path(api)))["data"] == []


async def test_key_is_unique_within_its_category(api: Api) -> None:
    await _create(api)
    assert (await _create(api, 422))["detail"] == "Key has already been taken"
    other = await _create(api, category="env")
    await _update(api, other, 422, category="terraform")
    assert (await api.get(_path(api, other["id"])))["data"]["attributes"]["category"] == "env"


async def test_variable_is_found_only_in_its_workspace(api: Api) -> None:
    variable = await _create(api)
    api.workspace_id = await api.create_workspace("storage")
    for method in ("GET", "DELETE"):
        await api.send(method, _path(api, variable["id"]), status=404)


async def test_run_keeps_the_variables_from_its_creation(api: Api) -> None:
    # Contract notes: "Configuration version and variables are fixed when the run is created."
    variable = await _create(api, sensitive=True)
    run = await api.create_run(variables=[{"key": "size", "value": "3"}])
    await _update(api, variable, value="us")
    with api.backend.database.read() as session:
        row = session.scalars(select(RunRow).where(RunRow.id == run["id"])).one()
    assert [(item["key"], item["value"]) for item in row.workspace_variables] == [("region", "eu")]
    assert row.variables == [{"key": "size", "value": "3"}]
    assert "region" not in str(await api.run(run))

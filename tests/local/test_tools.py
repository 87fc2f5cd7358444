"""Tools against the local backend itself: listing workspaces, uploading a directory, commenting."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.local.support import BASE_URL, Api
from tests.tools.calls import TOOLS
from tfruns.client.client import Client
from tfruns.errors import InvalidInput, NotFound, UnprocessableEntity
from tfruns.gate.pipeline import Gate
from tfruns.local.terraform.slug import unpack
from tfruns.policy import Policy
from tfruns.views.base import as_json
from tfruns.wire.run_params import RunParams

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Client]:
    token = api.http.headers["authorization"].removeprefix("Bearer ")
    async with Client(BASE_URL, token, http_transport=httpx2.ASGITransport(api.app)) as client:
        yield client


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path.resolve() / "root"
    root.mkdir()
    (root / "main.tf").write_text('resource "terraform_data" "a" {}\n')
    (root / "terraform.tfstate").write_text("{}")
    return root


async def call(client: Client, name: str, /, *allowed: Path, **arguments: Any) -> Any:
    gate = Gate(client, Policy(), allowed_directories=allowed)
    return as_json(await gate.call(TOOLS[name], arguments))


async def test_list_of_workspaces_shows_who_blocks_them(client: Client, api: Api) -> None:
    run = await api.create_run()
    locked = await api.create_workspace("network-locked", **{"auto-apply": True})
    await api.post(f"/workspaces/{locked}/actions/lock", {"reason": "mine"}, 200)
    await api.create_workspace("other")
    view = await call(client, "list_workspaces", organization="default", search="network")
    held, by_person = view["workspaces"]
    assert (held["id"], held["name"]) == (api.workspace_id, "network")
    assert (held["current_run"], held["status"], held["locked_by"]) == (run["id"], "plan_queued", "current_run")
    assert (by_person["id"], by_person["auto_apply"]) == (locked, True)
    assert by_person["locked_by"] not in {"unknown", "current_run"}
    assert (view["page"], view["next_page"], view["total_count"]) == (1, None, 2)


async def test_workspaces_tool_returns_pages(client: Client, api: Api) -> None:
    for number in range(4):
        await api.create_workspace(f"more-{number}")
    first = await call(client, "list_workspaces", organization="default", page_size=3)
    second = await call(client, "list_workspaces", organization="default", page_size=3, page_number=first["next_page"])
    assert [len(view["workspaces"]) for view in (first, second)] == [3, 2]
    assert second["next_page"] is None


async def test_uploaded_directory_is_used_by_a_run(client: Client, api: Api, root: Path, tmp_path: Path) -> None:
    view = await call(client, "upload_configuration", root, workspace_id="default/network", directory=str(root))
    version_id = view["configuration_version_id"]
    assert (view["status"], view["files"], view["excluded"]) == ("uploaded", 1, {"terraform_internal": 1})
    assert (await api.get(f"/workspaces/{api.workspace_id}/runs"))["data"] == []  # none was started
    unpack(api.backend.objects.path("configuration", version_id), tmp_path / "unpacked")
    assert [path.name for path in (tmp_path / "unpacked").iterdir()] == ["main.tf"]
    run = await client.runs.create(api.workspace_id, RunParams(configuration_version_id=version_id))
    assert run.configuration_version is not None
    assert run.configuration_version.id == version_id


async def test_speculative_configuration_makes_plan_only_runs(client: Client, api: Api, root: Path) -> None:
    view = await call(
        client, "upload_configuration", root, workspace_id=api.workspace_id, directory=str(root), speculative=True
    )
    params = RunParams(configuration_version_id=view["configuration_version_id"])
    assert (await client.runs.create(api.workspace_id, params)).plan_only is True


async def test_rejected_archive_is_an_error_with_the_servers_text(client: Client, api: Api, tmp_path: Path) -> None:
    version = await client.configuration_versions.create(api.workspace_id, auto_queue_runs=False)
    (tmp_path / "no-archive").write_bytes(b"not a tar")
    with (tmp_path / "no-archive").open("rb") as file:
        await client.configuration_versions.upload(version, file)
    with pytest.raises(UnprocessableEntity, match="not a gzip-compressed tar archive"):
        await client.configuration_versions.wait_until_processed(version.id)


async def test_working_directory_of_the_workspace_is_used(client: Client, api: Api, root: Path) -> None:
    workspace = await api.create_workspace("deep", **{"working-directory": "infra"})
    with pytest.raises(InvalidInput, match="'infra'"):
        await call(client, "upload_configuration", root, workspace_id=workspace, directory=str(root))
    (root / "infra").mkdir()
    (root / "infra" / "main.tf").write_text("")
    assert await call(client, "upload_configuration", root, workspace_id=workspace, directory=str(root))


async def test_comment_can_be_read(client: Client, api: Api) -> None:
    run = await api.create_run()
    view = await call(client, "comment_on_run", run_id=run["id"], body="looks\ngood")
    comments = [comment async for comment in client.comments.list_for_run(run["id"])]
    assert [(comment.id, comment.body) for comment in comments] == [(view["comment_id"], "looks\ngood")]
    with pytest.raises(NotFound):
        await call(client, "comment_on_run", run_id="run-absent", body="x")

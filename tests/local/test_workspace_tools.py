"""The tools for workspaces against the local backend, with two users."""

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from tests.gate.harness import Log
from tests.local.support import BASE_URL, Api
from tests.tools.calls import TOOLS
from tfruns.client.client import Client
from tfruns.errors import ConfirmationNeeded, Conflict, NotFound, UnprocessableEntity
from tfruns.gate.pipeline import Gate
from tfruns.local.api.authentication import create_admin
from tfruns.policy import Policy
from tfruns.views.base import as_json

pytestmark = pytest.mark.anyio


@pytest.fixture
async def client(api: Api) -> AsyncIterator[Client]:
    token = api.http.headers["authorization"].removeprefix("Bearer ")
    async with Client(BASE_URL, token, http_transport=httpx2.ASGITransport(api.app)) as client:
        yield client


@pytest.fixture
async def jane(api: Api) -> AsyncIterator[Client]:
    """The client of another user."""
    token = create_admin(api.backend, "jane")
    async with Client(BASE_URL, token, http_transport=httpx2.ASGITransport(api.app)) as client:
        yield client


async def call(client: Client, name: str, /, **arguments: Any) -> Any:
    return as_json(await Gate(client, Policy(), audit=Log()).call(TOOLS[name], arguments))


# -- locks ------------------------------------------------------------------------------------------------------------

NETWORK = {"workspace_id": "default/network"}


async def test_locked_workspace_keeps_runs_waiting_until_it_is_unlocked(client: Client, api: Api) -> None:
    view = await call(client, "set_workspace_lock", **NETWORK, action="lock", reason="Maintenance")
    assert (view["workspace_id"], view["locked"], view["locked_by"]) == (api.workspace_id, True, "admin")
    assert (view["locked_since"], view["reason"]) == ("2026-01-02T03:04:05Z", "Maintenance")
    run = await api.create_run()
    assert await api.status(run) == "pending"
    view = await call(client, "set_workspace_lock", **NETWORK, action="unlock")
    assert (view["locked_by"], view["follows"]) == (
        run["id"],
        f"The lock is removed. {run['id']} has started, and has locked the workspace itself.",
    )
    assert await api.status(run) == "plan_queued"


async def test_lock_of_another_user_is_named_and_only_removed_by_force(client: Client, jane: Client, api: Api) -> None:
    await call(jane, "set_workspace_lock", **NETWORK, action="lock", reason="Migration")
    api.clock.advance(60)
    for action in ("lock", "unlock"):
        with pytest.raises(Conflict) as refused:
            await call(client, "set_workspace_lock", **NETWORK, action=action)
        assert refused.value.cause == "Locked by the user jane, since 2026-01-02T03:04:05Z. Reason: «Migration»"
        assert refused.value.facts["locked_by"] == "jane"
    gate = Gate(client, Policy(), audit=Log())
    forced = {**NETWORK, "action": "force_unlock"}
    with pytest.raises(ConfirmationNeeded) as unconfirmed:
        await gate.call(TOOLS["set_workspace_lock"], forced)
    assert (await client.workspaces.read("default/network")).locked is True
    code = {"confirmation": unconfirmed.value.facts["confirmation"]}
    assert as_json(await gate.call(TOOLS["set_workspace_lock"], forced | code))["locked"] is False


async def test_workspace_that_a_run_holds_is_neither_locked_nor_unlocked(client: Client, api: Api) -> None:
    run = await api.create_run()
    for action in ("lock", "unlock"):
        with pytest.raises(Conflict) as refused:
            await call(client, "set_workspace_lock", **NETWORK, action=action)
        assert refused.value.cause.startswith(f"Locked by {run['id']}, since 2026-01-02T03:04:05Z.")
        assert refused.value.solution == f"Wait for {run['id']} to finish, or cancel or discard it."


# -- variables --------------------------------------------------------------------------------------------------------


async def test_variable_is_created_changed_and_deleted(client: Client, api: Api) -> None:
    def set_(**arguments: Any) -> Any:
        return call(client, "set_variable", **NETWORK, key="token", **arguments)

    assert (await set_(value="l0cal-secret-1", sensitive=True))["change"] == "created"
    assert (await set_(value="x", category="env", description="For CI"))["change"] == "created"
    assert (await set_(value="l0cal-secret-2"))["change"] == "updated"
    with pytest.raises(UnprocessableEntity, match="a sensitive variable stays sensitive"):
        await set_(value="l0cal-secret-3", sensitive=False)
    view = await call(client, "get_workspace_details", **NETWORK, part="variables")
    assert {row["category"]: row for row in view["rows"]} == {
        "terraform": {"key": "token", "category": "terraform", "sensitive": True},
        "env": {"key": "token", "category": "env", "value": "x", "description": "For CI"},
    }
    assert (await set_(delete=True, category="env"))["change"] == "deleted"
    with pytest.raises(NotFound):
        await set_(delete=True, category="env")


# -- workspaces -------------------------------------------------------------------------------------------------------


async def test_workspace_is_created_changed_and_deleted(client: Client) -> None:
    created = await call(client, "save_workspace", workspace_id="default/made", create=True, tags=["team:core"])
    assert (created["name"], created["organization"]) == ("made", "default")
    with pytest.raises(UnprocessableEntity, match="already exists"):
        await call(client, "save_workspace", workspace_id="default/made", create=True)
    changed = await call(client, "save_workspace", workspace_id="default/made", name="renamed", description="Mine")
    assert (changed["id"], changed["name"], changed["description"]) == (created["id"], "renamed", "Mine")
    gate = Gate(client, Policy(), audit=Log())
    with pytest.raises(ConfirmationNeeded) as refused:
        await gate.call(TOOLS["delete_workspace"], {"workspace_id": "default/renamed"})
    code = {"confirmation": refused.value.facts["confirmation"]}
    await gate.call(TOOLS["delete_workspace"], {"workspace_id": "default/renamed", **code})
    with pytest.raises(NotFound):
        await client.workspaces.read(created["id"])


async def test_locked_workspace_is_not_deleted(client: Client) -> None:
    await call(client, "set_workspace_lock", **NETWORK, action="lock")
    with pytest.raises(Conflict) as refused:
        await call(client, "delete_workspace", **NETWORK)
    assert refused.value.cause.startswith("Locked by the user admin")

"""Organizations, workspaces and locks. Source: HCP Terraform API, "Organizations", "Workspaces"."""

from typing import Any

from sqlalchemy import func, select

from tests.local.support import STATE, Api, ids_of, resource
from tests.support.stores import on_both_stores
from tfruns.local.service.phases import cancel_level
from tfruns.local.store.objects import KINDS_OF_PHASE
from tfruns.local.store.schema import Base

pytestmark = on_both_stores

NAMED = "/organizations/default/workspaces/network"


async def _update(api: Api, path: str, status: int = 200, /, **attributes: Any) -> Any:
    return await api.send("PATCH", path, status=status, json=resource("workspaces", attributes))


async def test_a_workspace_has_what_the_terraform_cli_looks_at(empty: Api) -> None:
    # Contract notes: the CLI panics without `permissions`; without entitlement-set.operations it runs locally.
    workspace_id = await empty.create_workspace()
    attributes = (await empty.get(f"/workspaces/{workspace_id}"))["data"]["attributes"]
    expected = {"name": "network", "execution-mode": "remote", "operations": True, "locked": False,
                "terraform-version": "1.11.4", "structured-run-output-enabled": True}  # fmt: skip
    assert {name: attributes[name] for name in expected} == expected
    assert {"can-queue-run", "can-queue-apply", "can-lock", "can-unlock", "can-update"} <= set(
        attributes["permissions"]
    )
    entitlements = (await empty.get("/organizations/default/entitlement-set"))["data"]["attributes"]
    assert entitlements["operations"] is True


async def test_a_workspace_is_read_by_id_and_by_name(api: Api) -> None:
    by_id, by_name = await api.get(f"/workspaces/{api.workspace_id}"), await api.get(NAMED)
    assert by_id == by_name
    await api.get("/organizations/default/workspaces/other", 404)
    await api.get("/organizations/other/workspaces/network", 404)


async def test_a_name_that_is_taken_is_422_but_free_in_another_organization(api: Api) -> None:
    body = resource("workspaces", {"name": "network"})
    await api.post("/organizations/default/workspaces", body, 422)
    await api.post("/organizations", resource("organizations", {"name": "other"}))
    await api.post("/organizations/other/workspaces", body)
    other = await api.create_workspace("storage")
    await _update(api, f"/workspaces/{other}", 422, name="network")
    await _update(api, f"/workspaces/{other}", name="storage")  # its own is no other's


async def test_an_update_changes_what_it_names_and_keeps_the_rest(api: Api) -> None:
    await _update(api, NAMED, **{"working-directory": "modules", "auto-apply": True})
    changed = await _update(api, NAMED, description="The network", **{"auto-apply": None})
    attributes = changed["data"]["attributes"]
    expected = {"working-directory": "modules", "auto-apply": True, "description": "The network", "name": "network"}
    assert {name: attributes[name] for name in expected} == expected


async def test_every_attribute_may_be_null_as_some_clients_send_it(api: Api) -> None:
    names = ("auto-apply", "terraform-version", "working-directory", "description", "allow-destroy-plan",
             "queue-all-runs", "speculative-enabled", "global-remote-state", "file-triggers-enabled",
             "trigger-prefixes", "trigger-patterns", "assessments-enabled", "source-name", "source-url")  # fmt: skip
    await _update(api, NAMED, **dict.fromkeys(names))
    await api.get(NAMED)
    await api.create_run(is_destroy=True)  # a null of allow-destroy-plan is no ban


async def test_workspaces_are_found_by_name_wildcard_and_tag(empty: Api) -> None:
    for name, tags in (("net-a", ["eu"]), ("net_b", ["us"]), ("storage", ["eu", "big"])):
        body = resource("workspaces", {"name": name}, tags={"data": [{"attributes": {"name": tag}} for tag in tags]})
        await empty.post("/organizations/default/workspaces", body)

    async def names(**query: str) -> list[str]:
        document = await empty.get("/organizations/default/workspaces", **query)
        assert document["meta"]["pagination"]["total-count"] == len(document["data"])
        return [item["attributes"]["name"] for item in document["data"]]

    assert await names() == ["net-a", "net_b", "storage"]
    assert await names(**{"search[name]": "NET"}) == ["net-a", "net_b"]
    assert await names(**{"search[name]": "t_"}) == ["net_b"]
    assert await names(**{"search[wildcard-name]": "net*"}) == ["net-a", "net_b"]
    assert await names(**{"search[wildcard-name]": "*_*"}) == ["net_b"]
    assert await names(**{"search[tags]": "eu"}) == ["net-a", "storage"]
    assert await names(**{"search[tags]": "eu,big"}) == ["storage"]
    assert await names(**{"search[name]": "", "search[tags]": ""}) == ["net-a", "net_b", "storage"]


async def test_workspaces_come_in_pages(empty: Api) -> None:
    ids = [await empty.create_workspace(f"w{n}") for n in range(3)]
    path, query = "/organizations/default/workspaces", {"page[size]": "2"}
    first, second = await empty.get(path, **query), await empty.get(path, **query, **{"page[number]": "2"})
    assert ids_of(first) + ids_of(second) == ids
    assert (first["meta"]["pagination"]["next-page"], second["meta"]["pagination"]["next-page"]) == (2, None)


async def test_what_belongs_to_a_workspace_comes_along_when_asked_for(api: Api) -> None:
    run = await api.create_run()
    document = await api.get(NAMED, include="organization,current_run,current_run.plan")
    assert {item["type"] for item in document["included"]} == {"organizations", "runs", "plans"}
    assert run["id"] in {item["id"] for item in document["included"]}


# -- locks ------------------------------------------------------------------------------------------------------------


async def test_a_lock_is_taken_shown_and_released(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}/actions"
    locked = (await api.post(f"{path}/lock", {"reason": "Repairs", "type": ""}, 200))["data"]
    assert (locked["attributes"]["locked"], locked["attributes"]["locked-reason"]) == (True, "Repairs")
    user = (await api.get("/account/details"))["data"]
    assert locked["relationships"]["locked-by"]["data"] == {"type": "users", "id": user["id"]}
    await api.post(f"{path}/lock", None, 409)
    unlocked = (await api.post(f"{path}/unlock", None, 200))["data"]["attributes"]
    assert (unlocked["locked"], unlocked["locked-reason"]) == (False, "")
    await api.post(f"{path}/unlock", None, 409)


async def test_a_workspace_that_a_run_holds_can_be_neither_locked_nor_unlocked(api: Api) -> None:
    # Contract notes: "a workspace that a run holds cannot be locked"; 409 unlock: the detail names the run.
    run = await api.create_run()
    path = f"/workspaces/{api.workspace_id}/actions"
    await api.post(f"{path}/lock", None, 409)
    for action in ("unlock", "force-unlock"):
        errors = (await api.post(f"{path}/{action}", None, 409))["errors"]
        assert errors[0]["title"] == "conflict"
        assert errors[0]["detail"] == (
            f"Unable to unlock workspace. The workspace is locked by Run {run['id']} "
            "and may not be unlocked except by them."
        )


async def test_a_force_unlock_lets_the_next_run_go(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}/actions"
    await api.post(f"{path}/lock", None, 200)
    run = await api.create_run()
    await api.post(f"{path}/force-unlock", None, 200)
    assert await api.status(run) == "plan_queued"


# -- delete -----------------------------------------------------------------------------------------------------------


def _rows(api: Api) -> dict[str, int]:
    """How many rows each table has, of those that belong to a workspace."""
    with api.backend.database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name not in {"organizations", "users", "tokens"}
        }


def _objects(api: Api) -> list[str]:
    root = api.backend.objects.path("x", "x").parents[1]
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def _busy(api: Api) -> Any:
    """A workspace with something in every table and an object of every kind; its apply is under way."""
    done = await api.applying()
    state = STATE.replace(b'"outputs":{}', b'"outputs":{"a":{"value":1,"type":"number"}}')
    api.end(done, "apply", state=state)
    await api.post(f"/runs/{done['id']}/comments", resource("comments", {"body": "Done"}))
    await api.post(f"/workspaces/{api.workspace_id}/vars", resource("vars", {"key": "a", "category": "env"}))
    related = (await api.run(done))["relationships"]
    for kind in KINDS_OF_PHASE:
        for phase in ("plan", "apply"):
            api.backend.objects.write(kind, related[phase]["data"]["id"], b"{}")
    run = await api.applying()
    assert all(_rows(api).values())
    return run


async def test_a_workspace_is_deleted_with_all_that_belongs_to_it_and_nothing_else(api: Api) -> None:
    # Workspaces API, "Force Delete a workspace".
    other = await api.create_workspace("other")
    await api.configured(other)
    kept = await api.create_run(other)
    rows, objects = _rows(api), set(_objects(api))
    busy = await api.create_workspace("busy")
    await api.configured(busy)
    api.workspace_id, network = busy, api.workspace_id
    await _busy(api)
    await api.send("DELETE", f"/workspaces/{busy}", status=204)
    assert _rows(api) == rows
    assert set(_objects(api)) == objects
    assert await api.status(kept) == "plan_queued"
    await api.get(f"/workspaces/{network}")


async def test_an_organization_is_deleted_with_all_that_belongs_to_it(api: Api) -> None:
    await _busy(api)
    await api.send("DELETE", "/organizations/default", status=204)
    assert not any(_rows(api).values())
    assert _objects(api) == []


async def test_what_is_under_way_in_a_workspace_that_is_deleted_ends_harmlessly(api: Api) -> None:
    run = await api.applying()
    await api.send("DELETE", NAMED, status=204)
    with api.backend.database.read() as session:
        assert cancel_level(session, run["id"]) == 2  # its process is to be killed
    api.end(run, "apply", status="canceled", state=STATE)
    assert not any(_rows(api).values())
    await api.get(f"/runs/{run['id']}", 404)


async def test_a_safe_delete_is_refused_while_something_would_be_lost(api: Api) -> None:
    await api.post(f"{NAMED}/actions/safe-delete", None, 204)
    api.workspace_id = await api.create_workspace()
    await api.configured()
    run = await api.applying()
    managed = b'"resources":[{"mode":"managed","type":"terraform_data","name":"a","instances":[{}]}]'
    api.end(run, "apply", state=STATE.replace(b'"resources":[]', managed))
    errors = (await api.post(f"{NAMED}/actions/safe-delete", None, 409))["errors"]
    assert "still managing resources" in errors[0]["detail"]
    await api.send("DELETE", NAMED, status=204)


async def test_a_workspace_that_a_run_holds_is_not_safe_to_delete(api: Api) -> None:
    run = await api.create_run()
    await api.post(f"{NAMED}/actions/safe-delete", None, 409)
    await api.act(run, "cancel")
    await api.post(f"{NAMED}/actions/safe-delete", None, 204)


async def test_a_locked_workspace_is_not_safe_to_delete(api: Api) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    await api.post(f"/workspaces/{api.workspace_id}/actions/safe-delete", None, 409)


async def test_an_organization_is_created_listed_and_deleted(api: Api) -> None:
    await api.post("/organizations", resource("organizations", {"name": "other", "email": "a@example.com"}))
    await api.post("/organizations", resource("organizations", {"name": "other"}), 422)
    assert ids_of(await api.get("/organizations")) == ["default", "other"]
    assert (await api.get("/organizations/other"))["data"]["attributes"]["email"] == "a@example.com"
    await api.send("DELETE", "/organizations/other", status=204)
    assert ids_of(await api.get("/organizations")) == ["default"]

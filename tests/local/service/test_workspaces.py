"""Organizations, workspaces and locks. Source: HCP Terraform API, "Organizations", "Workspaces"."""

from typing import Any

import pytest
from sqlalchemy import func, select

from tests.local.support import STATE, Api, ids_of, resource
from tests.support.stores import on_both_stores
from tests.support.tables import rows
from tfruns.errors import NotFound
from tfruns.local.cancel_level import CancelLevel
from tfruns.local.service.phases import read_cancel_level
from tfruns.local.store.objects import KINDS_OF_PHASE
from tfruns.local.store.schema import Base

pytestmark = on_both_stores

NAMED = "/organizations/default/workspaces/network"


async def _update(api: Api, path: str, status: int = 200, /, **attributes: Any) -> Any:
    return await api.send("PATCH", path, status=status, json=resource("workspaces", attributes))


async def test_workspace_has_what_the_terraform_cli_reads(empty: Api) -> None:
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


async def test_workspace_is_read_by_id_and_by_name(api: Api) -> None:
    by_id, by_name = await api.get(f"/workspaces/{api.workspace_id}"), await api.get(NAMED)
    assert by_id == by_name
    await api.get("/organizations/default/workspaces/other", 404)
    await api.get("/organizations/other/workspaces/network", 404)


async def test_workspace_name_is_unique_within_its_organization(api: Api) -> None:
    body = resource("workspaces", {"name": "network"})
    await api.post("/organizations/default/workspaces", body, 422)
    await api.post("/organizations", resource("organizations", {"name": "other"}))
    await api.post("/organizations/other/workspaces", body)
    other = await api.create_workspace("storage")
    await _update(api, f"/workspaces/{other}", 422, name="network")
    await _update(api, f"/workspaces/{other}", name="storage")  # its own name is not taken


async def test_latest_sets_the_installed_version_of_terraform(api: Api) -> None:
    for latest in ("latest", ""):
        await _update(api, NAMED, **{"terraform-version": "1.10.0"})
        changed = await _update(api, NAMED, **{"terraform-version": latest})
        assert changed["data"]["attributes"]["terraform-version"] == "1.11.4"


async def test_update_changes_only_the_given_attributes(api: Api) -> None:
    await _update(api, NAMED, **{"working-directory": "modules", "auto-apply": True})
    changed = await _update(api, NAMED, description="The network", **{"auto-apply": None})
    attributes = changed["data"]["attributes"]
    expected = {"working-directory": "modules", "auto-apply": True, "description": "The network", "name": "network"}
    assert {name: attributes[name] for name in expected} == expected


async def test_every_attribute_can_be_null(api: Api) -> None:
    names = ("auto-apply", "terraform-version", "working-directory", "description", "allow-destroy-plan",
             "queue-all-runs", "speculative-enabled", "global-remote-state", "file-triggers-enabled",
             "trigger-prefixes", "trigger-patterns", "assessments-enabled", "source-name", "source-url")  # fmt: skip
    await _update(api, NAMED, **dict.fromkeys(names))
    await api.get(NAMED)
    await api.create_run(is_destroy=True)  # allow-destroy-plan is null, which does not forbid it


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


async def test_workspaces_are_found_by_tag_values_and_missing_tags(empty: Api) -> None:
    # Workspaces API, "List workspaces": search[exclude-tags], filter[tagged][i][key], filter[tagged][i][value].
    for name, tags in (("a", {"env": "prod", "app": "web"}), ("b", {"env": "test"}), ("c", {"flat:tag": ""})):
        bindings = [{"attributes": {"key": key, "value": value}} for key, value in tags.items()]
        body = resource("workspaces", {"name": name}, **{"tag-bindings": {"data": bindings}})
        await empty.post("/organizations/default/workspaces", body)

    async def names(**query: str) -> str:
        document = await empty.get("/organizations/default/workspaces", **query)
        return "".join(item["attributes"]["name"] for item in document["data"])

    assert await names(**{"search[tags]": "env"}) == "ab"
    assert await names(**{"search[tags]": "env:prod"}) == "a"
    assert await names(**{"search[tags]": "flat:tag"}) == "c"
    assert await names(**{"search[exclude-tags]": "app,flat:tag"}) == "b"
    assert await names(**{"filter[tagged][0][key]": "env", "filter[tagged][0][value]": "test"}) == "b"
    assert await names(**{"filter[tagged][0][key]": "env", "filter[tagged][1][value]": "web"}) == "a"
    assert await names(**{"filter[tagged][0][key]": "app", "filter[tagged][0][value]": "prod"}) == ""


async def test_workspaces_are_filtered_and_sorted_by_current_run(api: Api) -> None:
    path = "/organizations/default/workspaces"
    later = await api.create_workspace("a-later")
    run = await api.applying()
    api.clock.advance(10)
    await api.configured(later)
    await api.create_run(later)
    api.clock.advance(10)
    api.end(run, "apply", state=STATE)

    async def ids(**query: str) -> list[str]:
        return ids_of(await api.get(path, **query))

    assert await ids(**{"filter[current-run][status]": "applied,errored"}) == [api.workspace_id]
    assert await ids(**{"filter[current-run][status]": "planned"}) == []
    assert await ids(sort="-name") == [api.workspace_id, later]
    assert await ids(sort="current-run.created-at") == [api.workspace_id, later]
    assert await ids(sort="-current-run.created-at") == [later, api.workspace_id]
    assert await ids(sort="latest-change-at") == [later, api.workspace_id]
    await api.get(path, 400, sort="color")


async def test_tag_bindings_are_listed_added_and_replaced(api: Api) -> None:
    # The Terraform CLI's `tags` at init: GET tag-bindings, then PATCH them; a PATCH of the workspace replaces them.
    path = f"/workspaces/{api.workspace_id}"

    def items(**tags: str) -> list[Any]:
        return [{"type": "tag-bindings", "attributes": {"key": k, "value": v}} for k, v in tags.items()]

    def pairs(document: Any) -> dict[str, str]:
        return {item["attributes"]["key"]: item["attributes"]["value"] for item in document["data"]}

    assert pairs(await api.get(f"{path}/tag-bindings")) == {}
    body = {"data": items(env="prod", app="web")}
    assert pairs(await api.send("PATCH", f"{path}/tag-bindings", status=200, json=body)) == {
        "app": "web",
        "env": "prod",
    }
    await api.send("PATCH", f"{path}/tag-bindings", status=200, json={"data": items(env="test")})
    for name in ("tag-bindings", "effective-tag-bindings"):
        document = await api.get(f"{path}/{name}")
        assert pairs(document) == {"app": "web", "env": "test"}
        assert {item["type"] for item in document["data"]} == {name}
    await _update(api, path, description="Still tagged")
    assert pairs(await api.get(f"{path}/tag-bindings")) == {"app": "web", "env": "test"}
    body = resource("workspaces", {}, **{"tag-bindings": {"data": items(app="db")}})
    await api.send("PATCH", path, status=200, json=body)
    assert pairs(await api.get(f"{path}/tag-bindings")) == {"app": "db"}


async def test_flat_tags_are_added_listed_and_removed_by_id_or_name(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}/relationships/tags"
    names = [{"type": "tags", "attributes": {"name": name}} for name in ("a", "b", "c")]
    await api.post(path, {"data": names}, 204)
    listed = (await api.get(path))["data"]
    assert [item["attributes"]["name"] for item in listed] == ["a", "b", "c"]
    gone = [{"type": "tags", "id": listed[0]["id"]}, names[1], {"type": "tags", "attributes": {"name": "unknown"}}]
    await api.send("DELETE", path, status=204, json={"data": gone})
    assert [item["attributes"]["name"] for item in (await api.get(path))["data"]] == ["c"]


@rows("data", [None, 5, {}, [1], [{}], [{"id": {}}], [{"attributes": {"name": 5}}]])
@rows(("method", "name"), [("PATCH", "tag-bindings"), ("POST", "relationships/tags"),
                                              ("DELETE", "relationships/tags")])  # fmt: skip
async def test_malformed_list_of_tags_is_never_a_server_error(api: Api, method: str, name: str, data: Any) -> None:
    path = f"/api/v2/workspaces/{api.workspace_id}/{name}"
    answer = await api.http.request(method, path, json={"data": data})
    assert answer.status_code < 500


async def test_id_of_a_tag_must_be_a_string(api: Api) -> None:
    body = {"data": [{"type": "tags", "id": 5}]}
    response = await api.post(f"/workspaces/{api.workspace_id}/relationships/tags", body, 422)
    assert response["errors"][0]["detail"] == "The id of a tag or a workspace must be a string."


async def test_all_workspaces_belong_to_the_only_project(api: Api) -> None:
    path = "/organizations/default/projects"
    (project,) = (await api.get(path))["data"]
    assert (project["attributes"]["name"], project["attributes"]["workspace-count"]) == ("Default Project", 1)
    assert project["relationships"]["organization"]["data"] == {"type": "organizations", "id": "default"}
    assert (await api.get(f"/projects/{project['id']}"))["data"] == project
    linkage = {"type": "projects", "id": project["id"]}
    workspace = await api.get(NAMED, include="project")
    assert workspace["data"]["relationships"]["project"]["data"] == linkage
    assert workspace["included"] == [project]
    organization = (await api.get("/organizations/default"))["data"]
    assert organization["relationships"]["default-project"]["data"] == linkage
    for query, number in (({"q": "default"}, 1), ({"q": "other"}, 0), ({"filter[names]": "x, default project"}, 1),
                          ({"filter[names]": "other"}, 0), ({"page[number]": "2"}, 0)):  # fmt: skip
        assert len((await api.get(path, **query))["data"]) == number
    await api.get("/projects/prj-0000000000000000", 404)


async def test_another_project_for_a_workspace_is_404(api: Api) -> None:
    project = (await api.get("/organizations/default"))["data"]["relationships"]["default-project"]["data"]
    for linkage, status in ((project, 201), ({"type": "projects", "id": "prj-0000000000000000"}, 404)):
        body = resource("workspaces", {"name": "storage"}, project={"data": linkage})
        await api.post("/organizations/default/workspaces", body, status)
    path = "/organizations/default/workspaces"
    assert len((await api.get(path, **{"filter[project][id]": project["id"]}))["data"]) == 2
    assert (await api.get(path, **{"filter[project][id]": "prj-0000000000000000"}))["data"] == []


async def test_workspace_has_the_number_of_its_resources(api: Api) -> None:
    managed = b'"resources":[{"mode":"managed","instances":[{},{}]},{"mode":"data","instances":[{}]}]'
    api.end(await api.applying(), "apply", state=STATE.replace(b'"resources":[]', managed))
    assert (await api.get(NAMED))["data"]["attributes"]["resource-count"] == 2


async def test_list_of_workspaces_has_pages(empty: Api) -> None:
    ids = [await empty.create_workspace(f"w{n}") for n in range(3)]
    path, query = "/organizations/default/workspaces", {"page[size]": "2"}
    first, second = await empty.get(path, **query), await empty.get(path, **query, **{"page[number]": "2"})
    assert ids_of(first) + ids_of(second) == ids
    assert (first["meta"]["pagination"]["next-page"], second["meta"]["pagination"]["next-page"]) == (2, None)


async def test_related_resources_of_a_workspace_can_be_included(api: Api) -> None:
    api.end(await api.applying(), "apply", state=STATE)
    run = await api.create_run()
    kinds = {"organization": "organizations", "project": "projects", "current_run": "runs", "current_run.plan": "plans",
             "current_configuration_version": "configuration-versions",
             "current_state_version": "state-versions"}  # fmt: skip
    document = await api.get(NAMED, include=",".join(kinds))
    assert {item["type"] for item in document["included"]} == set(kinds.values())
    assert run["id"] in {item["id"] for item in document["included"]}


# -- locks ------------------------------------------------------------------------------------------------------------


async def test_workspace_is_locked_and_unlocked(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}/actions"
    locked = (await api.post(f"{path}/lock", {"reason": "Repairs", "type": ""}, 200))["data"]
    assert (locked["attributes"]["locked"], locked["attributes"]["locked-reason"]) == (True, "Repairs")
    user = (await api.get("/account/details"))["data"]
    assert locked["relationships"]["locked-by"]["data"] == {"type": "users", "id": user["id"]}
    await api.post(f"{path}/lock", None, 409)
    unlocked = (await api.post(f"{path}/unlock", None, 200))["data"]["attributes"]
    assert (unlocked["locked"], unlocked["locked-reason"]) == (False, "")
    await api.post(f"{path}/unlock", None, 409)


async def test_workspace_that_a_run_holds_cannot_change_its_lock(api: Api) -> None:
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


async def test_force_unlock_starts_the_next_run(api: Api) -> None:
    path = f"/workspaces/{api.workspace_id}/actions"
    await api.post(f"{path}/lock", None, 200)
    run = await api.create_run()
    await api.post(f"{path}/force-unlock", None, 200)
    assert await api.status(run) == "plan_queued"


# -- delete -----------------------------------------------------------------------------------------------------------


def _rows(api: Api) -> dict[str, int]:
    """The number of rows per table that belong to a workspace."""
    with api.backend.database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Base.metadata.tables.items()
            if name not in {"claims", "organizations", "users", "tokens"}
        }


def _objects(api: Api) -> list[str]:
    root = api.backend.objects.path("x", "x").parents[1]
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def _busy(api: Api) -> Any:
    """A workspace with rows in every table and objects of every kind, during an apply."""
    done = await api.applying()
    state = STATE.replace(b'"outputs":{}', b'"outputs":{"a":{"value":1,"type":"number"}}')
    api.end(done, "apply", state=state)
    await api.post(f"/runs/{done['id']}/comments", resource("comments", {"body": "Done"}))
    await api.post(f"/workspaces/{api.workspace_id}/vars", resource("vars", {"key": "a", "category": "env"}))
    consumers = {"data": [{"type": "workspaces", "id": await api.create_workspace("consumer")}]}
    await api.post(f"/workspaces/{api.workspace_id}/relationships/remote-state-consumers", consumers, 204)
    related = (await api.run(done))["relationships"]
    for kind in KINDS_OF_PHASE:
        for phase in ("plan", "apply"):
            api.backend.objects.write(kind, related[phase]["data"]["id"], b"{}")
    run = await api.applying()
    assert all(_rows(api).values())
    return run


async def test_deleting_a_workspace_deletes_only_its_own_rows(api: Api) -> None:
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
    await api.send("DELETE", "/organizations/default/workspaces/consumer", status=204)
    assert _rows(api) == rows
    assert set(_objects(api)) == objects
    assert await api.status(kept) == "plan_queued"
    await api.get(f"/workspaces/{network}")


async def test_deleting_an_organization_deletes_its_workspaces(api: Api) -> None:
    await _busy(api)
    await api.send("DELETE", "/organizations/default", status=204)
    assert not any(_rows(api).values())
    assert _objects(api) == []


async def test_run_in_a_deleted_workspace_finishes_without_effect(api: Api) -> None:
    run = await api.applying()
    await api.send("DELETE", NAMED, status=204)
    with api.backend.database.read() as session:
        assert read_cancel_level(session, run["id"]) is CancelLevel.KILL
    with pytest.raises(NotFound):
        api.end(run, "apply", status="canceled", state=STATE)
    assert not any(_rows(api).values())
    await api.get(f"/runs/{run['id']}", 404)


async def test_safe_delete_is_rejected_while_resources_exist(api: Api) -> None:
    await api.post(f"{NAMED}/actions/safe-delete", None, 204)
    api.workspace_id = await api.create_workspace()
    await api.configured()
    run = await api.applying()
    managed = b'"resources":[{"mode":"managed","type":"terraform_data","name":"a","instances":[{}]}]'
    api.end(run, "apply", state=STATE.replace(b'"resources":[]', managed))
    errors = (await api.post(f"{NAMED}/actions/safe-delete", None, 409))["errors"]
    assert "still managing resources" in errors[0]["detail"]
    await api.send("DELETE", NAMED, status=204)


async def test_safe_delete_is_refused_while_a_run_holds_the_workspace(api: Api) -> None:
    run = await api.create_run()
    await api.post(f"{NAMED}/actions/safe-delete", None, 409)
    await api.act(run, "cancel")
    await api.post(f"{NAMED}/actions/safe-delete", None, 204)


async def test_safe_delete_is_refused_for_a_locked_workspace(api: Api) -> None:
    await api.post(f"/workspaces/{api.workspace_id}/actions/lock", None, 200)
    await api.post(f"/workspaces/{api.workspace_id}/actions/safe-delete", None, 409)


async def test_organization_is_created_listed_and_deleted(api: Api) -> None:
    await api.post("/organizations", resource("organizations", {"name": "other", "email": "a@example.com"}))
    await api.post("/organizations", resource("organizations", {"name": "other"}), 422)
    assert ids_of(await api.get("/organizations")) == ["default", "other"]
    assert (await api.get("/organizations/other"))["data"]["attributes"]["email"] == "a@example.com"
    await api.send("DELETE", "/organizations/other", status=204)
    assert ids_of(await api.get("/organizations")) == ["default"]

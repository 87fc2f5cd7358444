"""Every method of the other resources uses the documented path and parses the response."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.support.api import FakeApi, answer, client_for, error, query
from tests.support.samples import RUN_ID, WORKSPACE_ID, page, user, workspace
from tests.support.tables import rows
from tfruns.client.client import Client
from tfruns.client.listing import Listing
from tfruns.errors import InvalidInput, NotFound, Unauthorized
from tfruns.wire.base import Resource
from tfruns.wire.plans import Apply, Plan


def resource(type_: str, id_: str, **attributes: Any) -> dict[str, Any]:
    return {
        "id": id_,
        "type": type_,
        "attributes": {name.replace("_", "-"): value for name, value in attributes.items()},
    }


PLAN = resource("plans", "plan-8F5JFydVYAmtTjET", status="finished", has_changes=True, resource_additions=1)
APPLY = resource("applies", "apply-47MBvjwzBG8YKc2v", status="unreachable")
ESTIMATE = resource("cost-estimates", "ce-BPvFFrYCqRV6qVBK", status="finished", delta_monthly_cost="25.488")
CHECK = resource("policy-checks", "polchk-9VYRc9bpfJEsnwum", status="passed", result={"passed": 1})
STAGE = resource("task-stages", "ts-8tL3f1o2Vz5Zzq9a", status="running", stage="post_plan")
VERSION = resource("configuration-versions", "cv-n4XQPBa2QnecZJ4G", status="uploaded", speculative=False)
ORGANIZATION = resource("organizations", "acme", name="acme")
ENTITLEMENTS = resource("entitlement-sets", "org-WV6DfwfxxXvLfvfs", operations=True)
COMMENT = resource("comments", "wsc-JdFX3u8o114F4CWf", body="fine")
EVENT = resource("run-events", "re-8sXcrdLZk8RGVrZo", action="queued", created_at="2026-01-02T03:04:05Z")

_READS: list[tuple[str, Callable[[Client], Awaitable[Resource]], dict[str, Any], dict[str, str]]] = [
    ("/plans/plan-8F5JFydVYAmtTjET", lambda c: c.plans.read("plan-8F5JFydVYAmtTjET"), PLAN, {}),
    ("/applies/apply-47MBvjwzBG8YKc2v", lambda c: c.applies.read("apply-47MBvjwzBG8YKc2v"), APPLY, {}),
    ("/cost-estimates/ce-BPvFFrYCqRV6qVBK", lambda c: c.cost_estimates.read("ce-BPvFFrYCqRV6qVBK"), ESTIMATE, {}),
    ("/policy-checks/polchk-9VYRc9bpfJEsnwum", lambda c: c.policy_checks.read("polchk-9VYRc9bpfJEsnwum"), CHECK, {}),
    ("/task-stages/ts-8tL3f1o2Vz5Zzq9a", lambda c: c.task_stages.read("ts-8tL3f1o2Vz5Zzq9a"), STAGE, {}),
    (
        "/task-stages/ts-8tL3f1o2Vz5Zzq9a",
        lambda c: c.task_stages.read("ts-8tL3f1o2Vz5Zzq9a", include=["task_results", "policy_evaluations"]),
        STAGE,
        {"include": "task_results,policy_evaluations"},
    ),
    (
        "/configuration-versions/cv-n4XQPBa2QnecZJ4G",
        lambda c: c.configuration_versions.read("cv-n4XQPBa2QnecZJ4G"),
        VERSION,
        {},
    ),
    ("/organizations/acme/entitlement-set", lambda c: c.organizations.read_entitlements("acme"), ENTITLEMENTS, {}),
    ("/account/details", lambda c: c.account.read(), user(), {}),
    (f"/workspaces/{WORKSPACE_ID}", lambda c: c.workspaces.read(WORKSPACE_ID), workspace(), {}),
    ("/organizations/acme/workspaces/network", lambda c: c.workspaces.read("acme/network"), workspace(), {}),
    (
        "/organizations/acme/workspaces/network",
        lambda c: c.workspaces.read("acme/network", include=["current_run"]),
        workspace(),
        {"include": "current_run"},
    ),
]

_LISTS: list[tuple[str, Callable[[Client], Listing[Any]], dict[str, Any], dict[str, str]]] = [
    (f"/runs/{RUN_ID}/comments", lambda c: c.comments.list_for_run(RUN_ID), COMMENT, {}),
    (f"/runs/{RUN_ID}/run-events", lambda c: c.run_events.list_for_run(RUN_ID), EVENT, {}),
    (
        f"/runs/{RUN_ID}/run-events",
        lambda c: c.run_events.list_for_run(RUN_ID, include=["actor", "comment"]),
        EVENT,
        {"include": "actor,comment"},
    ),
    (f"/runs/{RUN_ID}/policy-checks", lambda c: c.policy_checks.list_for_run(RUN_ID), CHECK, {}),
    (f"/runs/{RUN_ID}/task-stages", lambda c: c.task_stages.list_for_run(RUN_ID), STAGE, {}),
    (
        f"/workspaces/{WORKSPACE_ID}/configuration-versions",
        lambda c: c.configuration_versions.list_for_workspace(WORKSPACE_ID),
        VERSION,
        {},
    ),
    ("/organizations", lambda c: c.organizations.list(), ORGANIZATION, {}),
    ("/organizations/acme/workspaces", lambda c: c.workspaces.list_for_organization("acme"), workspace(), {}),
    (
        "/organizations/acme/workspaces",
        lambda c: c.workspaces.list_for_organization("acme", search="net", include=["current_run"]),
        workspace(),
        {"search[name]": "net", "include": "current_run"},
    ),
]


@pytest.mark.anyio
@rows(("path", "read", "document", "sent"), _READS)
async def test_each_resource_is_read_at_its_documented_path(
    path: str, read: Callable[[Client], Awaitable[Resource]], document: dict[str, Any], sent: dict[str, str]
) -> None:
    api = FakeApi().on("GET", path, answer({"data": document}))
    got = await read(client_for(api))
    (request,) = api.requests
    assert query(request) == sent
    assert got.id == document["id"]
    assert got.document == {"data": document}


@pytest.mark.anyio
@rows(("path", "listing", "document", "sent"), _LISTS)
async def test_each_list_is_read_at_its_documented_path(
    path: str, listing: Callable[[Client], Listing[Any]], document: dict[str, Any], sent: dict[str, str]
) -> None:
    api = FakeApi().on("GET", path, answer(page(document)))
    got = await listing(client_for(api)).page(2, size=5)
    (request,) = api.requests
    assert query(request) == {**sent, "page[number]": "2", "page[size]": "5"}
    assert [item.id for item in got.items] == [document["id"]]


@pytest.mark.anyio
@rows(("path", "read", "document", "sent"), _READS)
async def test_each_missing_resource_is_a_404_that_may_be_hidden(
    path: str, read: Callable[[Client], Awaitable[Resource]], document: dict[str, Any], sent: dict[str, str]
) -> None:
    api = FakeApi().on("GET", path, error(404, "not found"))
    with pytest.raises(NotFound, match="not found") as caught:
        await read(client_for(api))
    assert "hidden from this token" in caught.value.cause


@pytest.mark.anyio
@rows(("path", "read", "document", "sent"), _READS)
async def test_each_resource_may_have_unknown_statuses_and_fields(
    path: str, read: Callable[[Client], Awaitable[Resource]], document: dict[str, Any], sent: dict[str, str]
) -> None:
    newer = {**document, "attributes": {**document["attributes"], "status": "brand_new", "new-field": {"a": [1]}}}
    api = FakeApi().on("GET", path, answer({"data": newer}))
    assert (await read(client_for(api))).id == document["id"]


_WRONG: list[Callable[[Client, str], Any]] = [
    lambda c, id_: c.plans.read(id_),
    lambda c, id_: c.plans.read_json(id_),
    lambda c, id_: c.applies.read(id_),
    lambda c, id_: c.cost_estimates.read(id_),
    lambda c, id_: c.policy_checks.read(id_),
    lambda c, id_: c.task_stages.read(id_),
    lambda c, id_: c.configuration_versions.read(id_),
    lambda c, id_: c.workspaces.read(id_),
]


@pytest.mark.anyio
@rows("id_", ["", "..", "../account/details", "plan-1/../..", "plan-1?x=1", "plan-é", "user-1/x/y"])
@rows("read", _WRONG)
async def test_no_id_can_change_the_path(read: Callable[[Client, str], Any], id_: str) -> None:
    api = FakeApi()
    with pytest.raises(InvalidInput):
        await read(client_for(api), id_)
    assert api.requests == []


@rows("run", ["", "../account/details", "run-1/comments", "ws-1234"])
def test_list_of_an_invalid_run_is_refused_immediately(run: str) -> None:
    client = client_for(FakeApi())
    for resources in (client.comments, client.run_events, client.policy_checks, client.task_stages):
        with pytest.raises(InvalidInput):
            resources.list_for_run(run)


@pytest.mark.anyio
async def test_account_with_an_invalid_token_is_unauthorized() -> None:
    api = FakeApi().on("GET", "/account/details", error(401, "unauthorized"))
    with pytest.raises(Unauthorized, match="unauthorized"):
        await client_for(api).account.read()


@pytest.mark.anyio
async def test_plan_and_apply_have_counts_and_statuses() -> None:
    api = FakeApi().on("GET", "/plans/plan-8F5JFydVYAmtTjET", answer({"data": PLAN}))
    api.on("GET", "/applies/apply-47MBvjwzBG8YKc2v", answer({"data": APPLY}))
    client = client_for(api)
    plan, apply = await client.plans.read("plan-8F5JFydVYAmtTjET"), await client.applies.read("apply-47MBvjwzBG8YKc2v")
    assert isinstance(plan, Plan)
    assert (plan.status, plan.has_changes, plan.resource_additions) == ("finished", True, 1)
    assert isinstance(apply, Apply)
    assert apply.status == "unreachable"


@pytest.mark.anyio
@pytest.mark.parametrize(("is_redacted", "form"), [(False, "json-output"), (True, "json-output-redacted")])
async def test_plan_json_is_read_in_both_forms(is_redacted: bool, form: str) -> None:
    api = FakeApi().on("GET", f"/plans/plan-8F5JFydVYAmtTjET/{form}", answer({"format_version": "1.2"}))
    got = await client_for(api).plans.read_json("plan-8F5JFydVYAmtTjET", is_redacted=is_redacted)
    assert got == b'{"format_version": "1.2"}'


@pytest.mark.anyio
async def test_workspace_lock_names_its_owner() -> None:
    held = workspace(locked=True, locked_by=("users", "user-1"), current_run=("runs", "run-1"))
    api = FakeApi().on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": held}))
    got = await client_for(api).workspaces.read(WORKSPACE_ID)
    assert got.locked_by is not None
    assert (got.locked_by.type, got.locked_by.id) == ("users", "user-1")
    assert got.current_run is not None
    assert got.current_run.id == "run-1"


@pytest.mark.anyio
async def test_workspace_id_is_resolved_without_a_request() -> None:
    api = FakeApi()
    assert await client_for(api).workspaces.resolve(WORKSPACE_ID) == WORKSPACE_ID
    assert api.requests == []

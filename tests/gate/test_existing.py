"""Errors about ids and names that do not exist: they list what exists, within the scope."""

from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, error, query
from tests.support.tables import rows
from tests.tools.calls import RUN_ID, call, failure_of
from tfruns.errors import NotFound, OutOfScope
from tfruns.policy import Confirm, Policy
from tfruns.scope import parse_scope

pytestmark = pytest.mark.anyio

NAMES = ["practice", "prod-a", "prod-b"]


def api_of(names: list[str] = NAMES, *, total: int | None = None, organization: str = "acme") -> FakeApi:
    """An API with one organization and these workspaces, of which the list shows at most a hundred."""
    api = FakeApi()
    item = {"id": organization, "type": "organizations", "attributes": {"name": organization}}
    api.on("GET", "/organizations", answer(samples.page(item, total=1)))

    def listed(request: httpx2.Request) -> httpx2.Response:
        search = query(request).get("search[name]", "")
        found = [samples.workspace(_id(name), name=name) for name in names if search in name]
        number = len(found) if search else total or len(found)
        return answer(samples.page(*found[:100], total=number, next_page=2 if number > 100 else None))

    api.on("GET", f"/organizations/{organization}/workspaces", listed)
    for name in names:
        workspace = samples.workspace(_id(name), name=name)
        api.on("GET", f"/organizations/{organization}/workspaces/{name}", answer({"data": workspace}))
        api.on("GET", f"/workspaces/{_id(name)}", answer({"data": workspace}))
    run = samples.run(status="errored", workspace_id=_id("prod-a"))
    page = samples.page(run) | {"included": [samples.workspace(_id("prod-a"), name="prod-a")]}
    return api.on("GET", f"/organizations/{organization}/runs", answer(page))


def _id(name: str) -> str:
    return f"ws-{name.replace('-', ''):0<16}"


ALL = "There are: practice, prod-a, prod-b."
LATEST = f"The latest runs in acme: {RUN_ID} (errored in prod-a)."


@rows(
    ("tool", "arguments", "message"),
    [
        ("create_run", {"workspace_id": "acme/nosuch"}, f'No workspace "nosuch" in acme. {ALL}'),
        ("list_runs_in_workspace", {"workspace_id": "nosuch"}, f'No workspace "nosuch" in acme. {ALL}'),
        ("list_runs_in_workspace", {"workspace_id": "ws-Nosuch"}, f'No workspace "ws-Nosuch" in acme. {ALL}'),
        ("create_run", {"workspace_id": "nobody/prod-a"}, 'No organization "nobody". There are: acme.'),
        ("list_workspaces", {"organization": "nobody"}, 'No organization "nobody". There are: acme.'),
        ("list_runs_in_organization", {"organization": "nobody"}, 'No organization "nobody". There are: acme.'),
        ("get_run_details", {"run_id": "run-Nosuch"}, f"Run run-Nosuch was not found. {LATEST}"),
        (
            "save_workspace",
            {"workspace_id": "acme/nosuch", "description": "x"},
            f'No workspace "nosuch" in acme. {ALL}',
        ),
        (
            "save_workspace",
            {"workspace_id": "nobody/new", "create": True},
            'No organization "nobody". There are: acme.',
        ),
        ("apply_run", {"run_id": "run-Nosuch"}, f"Run run-Nosuch was not found. {LATEST}"),
        ("wait_for_run", {"run_id": "run-Nosuch"}, f"Run run-Nosuch was not found. {LATEST}"),
        (
            "list_runs_in_organization",
            {"filter_workspace_names": "prod-a,nosuch", "filter_status": "applied"},
            f'No workspace "nosuch" in acme. {ALL}',
        ),
        (
            "list_runs_in_organization",
            {"filter_workspace_names": "stage-*"},
            f'No workspace matches "stage-*" in acme. {ALL}',
        ),
    ],
)
async def test_wrong_name_is_answered_with_what_exists(tool: str, arguments: dict[str, Any], message: str) -> None:
    api = api_of()
    if "filter_status" in arguments:
        api.off("GET", "/organizations/acme/runs").on("GET", "/organizations/acme/runs", answer(samples.page()))
    found = await failure_of(tool, arguments, api=api)
    assert isinstance(found, NotFound)
    assert found.message == message
    assert found.status == 404
    assert api.sent("POST", "/runs") == []


async def test_closest_names_come_first_if_there_are_many() -> None:
    names = [f"team-{number:03}" for number in range(100)] + ["network-production"]
    found = await failure_of("create_run", {"workspace_id": "acme/network-prodution"}, api=api_of(names, total=250))
    assert found.message == (
        'No workspace "network-prodution" in acme. There are: network-production, team-000, team-001, team-002, '
        "team-003, team-004, team-005, team-006, team-007, team-008 and 240 more."
    )
    assert [step.tool for step in found.next_actions] == ["list_workspaces"]


async def test_configuration_versions_of_the_workspace_are_listed() -> None:
    api = api_of().on("POST", "/runs", error(422, "unprocessable entity", "Configuration version is missing"))
    own = samples.configuration_version()
    api.on("GET", f"/workspaces/{_id('prod-a')}/configuration-versions", answer(samples.page(own, total=1)))
    arguments = {"workspace_id": "prod-a", "params": {"configuration_version_id": "cv-Nosuch"}}
    found = await failure_of("create_run", arguments, api=api)
    assert found.message == f"No configuration version cv-Nosuch. The newest of this workspace: {own['id']}."


async def test_error_about_something_else_stays_as_it_is() -> None:
    api = api_of().on("POST", "/runs", error(404, "not found"))
    found = await failure_of("create_run", {"workspace_id": "prod-a"}, api=api)
    assert found.message == "The API returned 404 for POST /api/v2/runs: not found"


async def test_scope_limits_what_is_told() -> None:
    for limits, told in (
        ({"workspaces": "acme/prod-*"}, "There are: prod-a, prod-b."),
        ({"workspaces": "acme/prod-a"}, "There are: prod-a."),
        ({"workspaces": _id("prod-b")}, "There are: prod-b."),
        ({"organizations": "acme"}, ALL),
    ):
        policy = Policy(confirm=Confirm.NEVER, scope=parse_scope(**limits))
        for wrong in ("acme/nosuch", "rival/secrets", "ws-Nosuch", "acme/practice"):
            if wrong == "acme/practice" and "organizations" in limits:
                continue  # it is in the scope
            found = await failure_of("create_run", {"workspace_id": wrong}, api=api_of(), policy=policy)
            assert isinstance(found, OutOfScope)
            assert found.message == f"No such workspace in the scope of this server. {told}", (limits, wrong)
            changed = {"workspace_id": wrong, "description": "x"}
            assert (await failure_of("save_workspace", changed, api=api_of(), policy=policy)).message == found.message


async def test_scope_limits_the_runs_that_are_told() -> None:
    other = samples.run("run-Practice", workspace_id=_id("practice"))
    api = api_of().off("GET", "/organizations/acme/runs")
    api.on("GET", "/organizations/acme/runs", answer(samples.page(other, samples.run(workspace_id=_id("prod-a")))))
    policy = Policy(confirm=Confirm.NEVER, scope=parse_scope(workspaces="acme/prod-*"))
    found = await failure_of("get_run_details", {"run_id": "run-Nosuch"}, api=api, policy=policy)
    assert "run-Practice" not in str(found.as_dict())
    assert RUN_ID in found.message


async def test_wildcards_select_the_workspaces_of_a_list() -> None:
    api = api_of()
    await call("list_runs_in_organization", {"filter_workspace_names": "prod-*,practice"}, api=api)
    (request,) = api.sent("GET", "/organizations/acme/runs")
    assert query(request)["filter[workspace_names]"] == "practice,prod-a,prod-b"
    view = await call("list_workspaces", {"search": "prod-?"}, api=api)
    assert ([row["name"] for row in view["workspaces"]], view["total_count"]) == (["prod-a", "prod-b"], 2)


async def test_pattern_for_one_workspace_leads_to_the_list_of_several() -> None:
    api = api_of()
    for policy in (Policy(), Policy(scope=parse_scope("acme"))):
        found = await failure_of("list_runs_in_workspace", {"workspace_id": "prod-*"}, api=api, policy=policy)
        assert found.message == "One workspace is needed, not a pattern."
        (step,) = found.next_actions
        assert (step.tool, step.arguments) == ("list_runs_in_organization", {"filter_workspace_names": "prod-*"})
    assert [step.tool for step in (await failure_of("apply_run", {"run_id": "prod-a"}, api=api)).next_actions] == [
        "list_runs_in_organization"
    ]
    assert api.requests == []

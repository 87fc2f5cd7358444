"""Runs: the exact request of each operation, and its result."""

from typing import Any

import pytest

from tests.support.api import ADDRESS, FakeApi, accepted, answer, body, client_for, error, query
from tests.support.clock import FakeClock
from tests.support.samples import RUN_ID, WORKSPACE_ID, page, run, workspace
from tests.support.tables import rows
from tfruns.client.client import Client
from tfruns.client.run_filters import RunFilters
from tfruns.errors import InvalidInput, NotFound, OutcomeUnknown
from tfruns.vocabulary import RunAction, RunOperation, RunSource, StatusGroup
from tfruns.wire.run_params import RunParams
from tfruns.wire.runs import Run

CV_ID = "cv-n4XQPBa2QnecZJ4G"


def creating() -> FakeApi:
    api = FakeApi().on("POST", "/runs", answer({"data": run()}, 201))
    api.on("GET", "/organizations/acme/workspaces/network", answer({"data": workspace()}))
    return api


async def sent_for(params: RunParams | None) -> dict[str, Any]:
    api = creating()
    await client_for(api).runs.create(WORKSPACE_ID, params)
    (request,) = api.requests
    sent: dict[str, Any] = body(request)
    return sent


# -- create -----------------------------------------------------------------------------------------------------------

# Run API, "Create a Run": every option, by the client's name, with its value and what is on the wire.
_OPTIONS: list[tuple[str, Any, str, Any]] = [
    ("message", "Nightly", "message", "Nightly"),
    ("message", "", "message", ""),
    ("auto_apply", True, "auto-apply", True),
    ("auto_apply", False, "auto-apply", False),
    ("is_destroy", True, "is-destroy", True),
    ("is_destroy", False, "is-destroy", False),
    ("refresh", False, "refresh", False),
    ("refresh_only", True, "refresh-only", True),
    ("plan_only", True, "plan-only", True),
    ("plan_only", False, "plan-only", False),
    ("allow_empty_apply", True, "allow-empty-apply", True),
    ("allow_config_generation", True, "allow-config-generation", True),
    ("save_plan", True, "save-plan", True),
    ("debugging_mode", True, "debugging-mode", True),
    ("target_addrs", ["module.a.b[0]"], "target-addrs", ["module.a.b[0]"]),
    ("target_addrs", [], "target-addrs", []),
    ("replace_addrs", ["a.b"], "replace-addrs", ["a.b"]),
    ("policy_paths", ["p.sentinel"], "policy-paths", ["p.sentinel"]),
    ("invoke_action_addrs", ["action.a.b"], "invoke-action-addrs", ["action.a.b"]),
    ("variables", [{"key": "n", "value": "2"}], "variables", [{"key": "n", "value": "2"}]),
    ("variables", [{"key": "s", "value": '"text"'}], "variables", [{"key": "s", "value": '"text"'}]),
]


@pytest.mark.anyio
@rows(("name", "value", "wire_name", "wire_value"), _OPTIONS, ids=str)
async def test_each_option_is_sent_by_its_own_name_and_alone(
    name: str, value: Any, wire_name: str, wire_value: Any
) -> None:
    sent = await sent_for(RunParams(**{name: value}))
    assert sent["data"]["attributes"] == {wire_name: wire_value}


@pytest.mark.anyio
@rows("params", [None, RunParams(), RunParams(message=None, auto_apply=None)], ids=str)
async def test_omitted_options_are_not_sent(params: RunParams | None) -> None:
    assert await sent_for(params) == {
        "data": {
            "type": "runs",
            "attributes": {},
            "relationships": {"workspace": {"data": {"type": "workspaces", "id": WORKSPACE_ID}}},
        }
    }


@pytest.mark.anyio
async def test_configuration_version_is_sent_as_a_relationship() -> None:
    sent = await sent_for(RunParams(configuration_version_id=CV_ID, message="m"))
    assert sent["data"]["attributes"] == {"message": "m"}
    assert sent["data"]["relationships"] == {
        "workspace": {"data": {"type": "workspaces", "id": WORKSPACE_ID}},
        "configuration-version": {"data": {"type": "configuration-versions", "id": CV_ID}},
    }


@pytest.mark.anyio
async def test_terraform_version_is_sent_with_plan_only() -> None:
    sent = await sent_for(RunParams(plan_only=True, terraform_version="1.9.0"))
    assert sent["data"]["attributes"] == {"plan-only": True, "terraform-version": "1.9.0"}


@rows(
    "options",
    [
        {"is_destroy": True, "refresh_only": True},
        {"terraform_version": "1.9.0"},
        {"terraform_version": "1.9.0", "plan_only": False},
        {"allow_empty_apply": True, "plan_only": True},
        {"variables": [{"key": "s", "value": "text without quotes"}]},
    ],
    ids=str,
)
def test_incompatible_options_cannot_be_constructed(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        RunParams(**options)


@pytest.mark.anyio
async def test_new_run_is_returned_as_the_api_shows_it() -> None:
    created = await client_for(creating()).runs.create(WORKSPACE_ID, RunParams(message="Custom message"))
    assert isinstance(created, Run)
    assert (created.id, created.status, created.message) == (RUN_ID, "pending", "Custom message")
    assert created.workspace is not None
    assert created.workspace.id == WORKSPACE_ID


@pytest.mark.anyio
@rows(
    ("given", "organization"),
    [
        ("acme/network", None),
        ("network", "acme"),
        (f"{ADDRESS}/app/acme/workspaces/network", None),
        (f"{ADDRESS}/app/acme/workspaces/network/runs", None),
    ],
)
async def test_workspace_name_is_resolved_first(given: str, organization: str | None) -> None:
    api = creating()
    await client_for(api, organization=organization).runs.create(given)
    assert [request.method for request in api.requests] == ["GET", "POST"]
    sent = body(api.requests[1])
    assert sent["data"]["relationships"]["workspace"]["data"]["id"] == WORKSPACE_ID


@pytest.mark.anyio
async def test_missing_workspace_fails_before_a_run_is_created() -> None:
    api = FakeApi().on("POST", "/runs", answer({"data": run()}, 201))
    with pytest.raises(NotFound):
        await client_for(api).runs.create("acme/absent")
    assert api.sent("POST") == []


@pytest.mark.anyio
@rows("given", ["", "../runs", "ws-1/../..", "a/b/c", "https://other.example.com/app/a/workspaces/b"])
async def test_invalid_workspace_is_refused_before_sending(given: str) -> None:
    api = creating()
    with pytest.raises(InvalidInput):
        await client_for(api).runs.create(given)
    assert api.requests == []


@pytest.mark.anyio
@rows("given", ["", "cv-", "cv-../x", "run-1234", "latest"])
async def test_invalid_configuration_version_is_refused_before_sending(given: str) -> None:
    api = creating()
    with pytest.raises(InvalidInput, match="configuration_version_id"):
        await client_for(api).runs.create("acme/network", RunParams(configuration_version_id=given))
    assert api.requests == []


@pytest.mark.anyio
async def test_client_does_not_keep_variable_values() -> None:
    client = client_for(creating())
    params = RunParams(variables=[{"key": "password", "value": '"hunter2"'}])
    await client.runs.create(WORKSPACE_ID, params)
    assert "hunter2" not in repr(vars(client.runs))


# -- lists ------------------------------------------------------------------------------------------------------------

_FILTERS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({}, {}),
    ({"operation": "plan"}, {"filter[operation]": "plan_only"}),
    ({"operation": "plan,apply"}, {"filter[operation]": "plan_only,plan_and_apply"}),
    ({"operation": list(RunOperation)}, {"filter[operation]": ",".join(RunOperation)}),
    ({"status": "pending, planning,applying"}, {"filter[status]": "pending,planning,applying"}),
    ({"status": ["brand_new"]}, {"filter[status]": "brand_new"}),
    ({"source": "tfe-ui,tfe-api"}, {"filter[source]": "tfe-ui,tfe-api"}),
    ({"source": RunSource.TERRAFORM_CLOUD}, {"filter[source]": "terraform+cloud"}),
    ({"status_group": "running"}, {"filter[status_group]": "non_final"}),
    ({"status_group": "running,pending"}, {"filter[status_group]": "non_final"}),
    ({"status_group": StatusGroup.DISCARDABLE}, {"filter[status_group]": "discardable"}),
    ({"timeframe": "2026"}, {"filter[timeframe]": "2026"}),
    ({"timeframe": "year"}, {"filter[timeframe]": "year"}),
    ({"agent_pool_names": "a,b"}, {"filter[agent_pool_names]": "a,b"}),
    ({"user": "operator"}, {"search[user]": "operator"}),
    ({"commit": "abc123"}, {"search[commit]": "abc123"}),
    ({"search": "fix & more?"}, {"search[basic]": "fix & more?"}),
    ({"status": "", "search": "  ", "operation": []}, {}),
]


@pytest.mark.anyio
@rows(("filters", "sent"), _FILTERS, ids=str)
@rows("path", [f"/workspaces/{WORKSPACE_ID}/runs", "/organizations/acme/runs"])
async def test_filters_reach_the_api_with_its_parameter_names(
    path: str, filters: dict[str, Any], sent: dict[str, str]
) -> None:
    api = FakeApi().on("GET", path, answer(page(run())))
    runs = client_for(api).runs
    asked = RunFilters(**filters)
    in_workspace = "workspaces" in path
    listing = (
        runs.list_for_workspace(WORKSPACE_ID, asked) if in_workspace else runs.list_for_organization("acme", asked)
    )
    await listing.page()
    assert query(api.requests[0]) == {**sent, "page[number]": "1", "page[size]": "20"}


@pytest.mark.anyio
async def test_organization_list_can_be_filtered_by_workspaces() -> None:
    api = FakeApi().on("GET", "/organizations/acme/runs", answer(page(run())))
    await client_for(api).runs.list_for_organization("acme", RunFilters(workspace_names=["a", "b"])).page()
    assert query(api.requests[0])["filter[workspace_names]"] == "a,b"


@rows(
    "filters",
    [{"operation": "explode"}, {"source": "moon"}, {"status_group": "odd"}, {"timeframe": "soon"}],
    ids=str,
)
def test_unknown_filter_is_refused_immediately(filters: dict[str, Any]) -> None:
    api = FakeApi()
    runs = client_for(api).runs
    with pytest.raises(InvalidInput):
        runs.list_for_workspace(WORKSPACE_ID, RunFilters(**filters))
    with pytest.raises(InvalidInput):
        runs.list_for_organization("acme", RunFilters(**filters))


def test_workspace_list_cannot_be_filtered_by_workspaces() -> None:
    with pytest.raises(InvalidInput, match="workspace_names"):
        client_for(FakeApi()).runs.list_for_workspace(WORKSPACE_ID, RunFilters(workspace_names="a"))


@rows("organization", ["", " ", "..", "a/b", "a b", "../acme"])
def test_invalid_organization_is_refused_immediately(organization: str) -> None:
    with pytest.raises(InvalidInput):
        client_for(FakeApi()).runs.list_for_organization(organization)


@pytest.mark.anyio
async def test_list_by_workspace_name_resolves_it_when_read() -> None:
    api = FakeApi().on("GET", "/organizations/acme/workspaces/network", answer({"data": workspace()}))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(page(run())))
    listing = client_for(api).runs.list_for_workspace("acme/network")
    assert api.requests == []
    assert [item.id for item in (await listing.page()).items] == [RUN_ID]


# -- read -------------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows(
    "given",
    [
        RUN_ID,
        f" {RUN_ID}\n",
        f"{ADDRESS}/app/acme/workspaces/network/runs/{RUN_ID}",
        f"{ADDRESS}/app/acme/workspaces/network/runs/{RUN_ID}?tab=plan#log",
        f"{ADDRESS}/app/acme/network/runs/{RUN_ID}/",
    ],
)
async def test_run_is_read_by_id_or_browser_address(given: str) -> None:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": run()}))
    assert (await client_for(api).runs.read(given)).id == RUN_ID


@pytest.mark.anyio
async def test_run_is_read_with_included_resources() -> None:
    document = {"data": run(), "included": [workspace(name="network")]}
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer(document))
    got = await client_for(api).runs.read(RUN_ID, include=["workspace", "plan"])
    assert query(api.requests[0]) == {"include": "workspace,plan"}
    assert got.document == document


@pytest.mark.anyio
@rows(
    "given",
    [
        "",
        "run-",
        "../account/details",
        "run-1/../../account/details",
        "run-1%2f..",
        "run-1?include=x",
        "ws-1234",
        f"https://other.example.com/app/acme/workspaces/network/runs/{RUN_ID}",
        f"{ADDRESS}:8443/app/acme/workspaces/network/runs/{RUN_ID}",
        f"{ADDRESS}/app/acme/workspaces/network",
    ],
)
@rows("verb", ["read", *RunAction])
async def test_invalid_run_reference_is_refused_before_sending(verb: str, given: str) -> None:
    api = FakeApi()
    with pytest.raises(InvalidInput):
        await getattr(client_for(api).runs, verb)(given)
    assert api.requests == []


@pytest.mark.anyio
async def test_missing_run_may_be_hidden() -> None:
    with pytest.raises(NotFound) as caught:
        await client_for(FakeApi().on("GET", f"/runs/{RUN_ID}", error(404, "not found"))).runs.read(RUN_ID)
    assert "hidden from this token" in caught.value.cause
    assert "Verify the id" in caught.value.solution


# -- actions ----------------------------------------------------------------------------------------------------------

_PATHS = {
    RunAction.APPLY: "apply",
    RunAction.DISCARD: "discard",
    RunAction.CANCEL: "cancel",
    RunAction.FORCE_CANCEL: "force-cancel",
    RunAction.FORCE_EXECUTE: "force-execute",
}
_WITH_COMMENT = [action for action in RunAction if action is not RunAction.FORCE_EXECUTE]


def acting(action: RunAction) -> FakeApi:
    """An API that accepts the action, and shows the run unchanged."""
    api = FakeApi().on("POST", f"/runs/{RUN_ID}/actions/{_PATHS[action]}", accepted())
    return api.on("GET", f"/runs/{RUN_ID}", answer({"data": run()}))


async def act(client: Client, action: RunAction, **options: Any) -> Run:
    found: Run = await getattr(client.runs, action.value)(RUN_ID, **options)
    return found


@pytest.mark.anyio
@rows("action", RunAction)
async def test_action_is_one_post_with_an_empty_body(action: RunAction) -> None:
    api = acting(action)
    await act(client_for(api), action)
    request = api.requests[0]
    assert [sent.method for sent in api.requests] == ["POST", "GET"]
    assert body(request) == {}
    assert request.headers["content-type"] == "application/vnd.api+json"


@pytest.mark.anyio
@rows("action", RunAction)
async def test_action_returns_the_run_as_read_afterwards(action: RunAction) -> None:
    api = FakeApi().on("POST", f"/runs/{RUN_ID}/actions/{_PATHS[action]}", accepted())
    api.on("GET", f"/runs/{RUN_ID}", answer({"data": run(status="a_new_status")}))
    found = await act(client_for(api), action)
    assert (found.id, found.status) == (RUN_ID, "a_new_status")


@pytest.mark.anyio
@rows("action", RunAction)
async def test_accepted_action_is_not_retryable_if_the_run_cannot_be_read(action: RunAction) -> None:
    api = FakeApi().on("POST", f"/runs/{RUN_ID}/actions/{_PATHS[action]}", accepted())
    api.on("GET", f"/runs/{RUN_ID}", error(503, "maintenance"))
    with pytest.raises(OutcomeUnknown, match=f"The {action.value} was accepted, but") as caught:
        await act(client_for(api, FakeClock()), action)
    assert caught.value.facts == {"accepted": True}
    assert not caught.value.is_retryable
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
@rows("action", RunAction)
async def test_action_without_a_read_is_one_request(action: RunAction) -> None:
    api = acting(action)
    await client_for(api).runs.act(RUN_ID, action)
    assert [sent.method for sent in api.requests] == ["POST"]


@pytest.mark.anyio
@rows("action", _WITH_COMMENT)
async def test_comment_is_sent_unchanged(action: RunAction) -> None:
    api = acting(action)
    await act(client_for(api), action, comment='Looks "good" to me\n✓')
    assert body(api.requests[0]) == {"comment": 'Looks "good" to me\n✓'}


@pytest.mark.anyio
@rows("action", _WITH_COMMENT)
@rows("comment", ["", None])
async def test_empty_comment_is_not_sent(action: RunAction, comment: str | None) -> None:
    api = acting(action)
    await act(client_for(api), action, comment=comment)
    assert body(api.requests[0]) == {}


@pytest.mark.anyio
async def test_action_accepts_a_browser_address() -> None:
    api = acting(RunAction.APPLY)
    await client_for(api).runs.apply(f"{ADDRESS}/app/acme/workspaces/network/runs/{RUN_ID}")
    assert len(api.sent("POST")) == 1

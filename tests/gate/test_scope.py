"""The scope of a server, for every tool and every form of reference."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import ADDRESS, FakeApi, answer, body, query
from tests.support.tables import rows
from tests.tools.calls import ORGANIZATION, REQUIRED, RUN_ID, TOOLS, WORKSPACE_ID, call, failure_of, willing_api
from tests.tools.schemas import named_arguments
from tfruns.errors import InvalidInput, NotFound, OutOfScope, TfrunsError
from tfruns.policy import Confirm, Policy
from tfruns.scope import Scope, WorkspaceLocation, parse_scope
from tfruns.tool import Role

OTHER_WORKSPACE = "ws-0therWorkspace001"
OTHER_RUN = "run-0therRun00000001"
CONFIGURATION = "cv-n4XQPBa2QnecZJ4G"


def limited(organizations: str | None = None, workspaces: str | None = None) -> Policy:
    return Policy(confirm=Confirm.NEVER, scope=parse_scope(organizations, workspaces))


def api_of_two(run: dict[str, Any] | None = None) -> FakeApi:
    """An API with one run in acme/network and another in rival/secrets."""
    api = willing_api(run)
    own, other = samples.workspace(), samples.workspace(OTHER_WORKSPACE, name="secrets")
    other["relationships"]["organization"]["data"]["id"] = "rival"
    for workspace, organization in ((own, ORGANIZATION), (other, "rival")):
        api.on("GET", f"/workspaces/{workspace['id']}", answer({"data": workspace}))
        api.on(
            "GET",
            f"/organizations/{organization}/workspaces/{workspace['attributes']['name']}",
            answer({"data": workspace}),
        )
    elsewhere = samples.run(OTHER_RUN, workspace_id=OTHER_WORKSPACE)
    api.on("GET", f"/runs/{OTHER_RUN}", answer({"data": elsewhere}))
    api.on("GET", f"/workspaces/{OTHER_WORKSPACE}/runs", answer(samples.page(elsewhere, total=1)))
    api.on("GET", "/organizations/rival/runs", answer(samples.page(elsewhere)))
    return api


# -- every tool -------------------------------------------------------------------------------------------------------


@rows("name", TOOLS)
def test_every_reference_argument_has_a_role(name: str) -> None:
    arguments = named_arguments(TOOLS[name].input_schema)
    words = ("run_id", "workspace", "organization", "configuration_version", "project", "plan_id", "apply_id")
    places = {argument for argument in arguments if any(word in argument for word in words)}
    nested = {"params.configuration_version_id"} if Role.RUN_OPTIONS in TOOLS[name].roles.values() else set()
    assert places - nested <= set(TOOLS[name].roles)
    assert places, "it reaches something, and nobody can say what"


@pytest.mark.anyio
@rows("name", TOOLS)
async def test_no_tool_reaches_outside_the_scope(name: str) -> None:
    outside = {Role.RUN: OTHER_RUN, Role.WORKSPACE: OTHER_WORKSPACE, Role.ORGANIZATION: "rival"}
    for argument in REQUIRED[name]:
        if (role := TOOLS[name].roles.get(argument)) in outside:
            api = api_of_two()
            arguments = REQUIRED[name] | {argument: outside[role]}
            assert isinstance(await failure_of(name, arguments, api=api, policy=limited("acme")), OutOfScope)
            assert {request.method for request in api.requests} <= {"GET"}
            for path in (f"/workspaces/{OTHER_WORKSPACE}/runs", "/organizations/rival/runs"):
                assert api.sent("GET", path) == []


NAMED = {(argument, role) for tool in TOOLS.values() for argument, role in tool.roles.items()}
MISSING = {Role.RUN: "run-M1ss1ng000000001", Role.WORKSPACE: "ws-M1ss1ng000000001", Role.ORGANIZATION: "nobody"}


def steps(api: FakeApi, named: str) -> list[tuple[str, str]]:
    """The requests in order, without the names that the caller gave."""
    last = named.rpartition("/")[2]
    return [(request.method, str(request.url).replace(last, "…")) for request in api.requests]


@pytest.mark.anyio
@rows("is_raw", [False, True])
@rows("policy", [limited("acme"), limited(workspaces="acme/net*")], ids=["names", "wildcards"])
async def test_outside_and_missing_are_indistinguishable(policy: Policy, is_raw: bool) -> None:
    outside = {Role.RUN: OTHER_RUN, Role.WORKSPACE: OTHER_WORKSPACE, Role.ORGANIZATION: "rival"}
    named = [("by name", "workspace_id", "rival/secrets", "rival/nothing")]
    named += [("", argument, outside[kind], MISSING[kind]) for argument, kind in NAMED if kind in outside]
    tried = 0
    for name, required in REQUIRED.items():
        for _, argument, existing, missing in named:
            if argument not in required:
                continue
            answers = []
            for value in (existing, missing):
                api = api_with_names()
                error = await failure_of(name, required | {argument: value}, api=api, policy=policy, is_raw=is_raw)
                answers.append((json.dumps(error.as_dict()).encode(), str(error), type(error), steps(api, value)))
            assert answers[0] == answers[1], f"{name} tells {existing} from {missing}"
            tried += 1
    assert tried > len(TOOLS)


def api_with_names() -> FakeApi:
    """An API with two workspaces, which includes the workspace of a run on request."""
    api = api_of_two()
    api.off("GET", f"/runs/{OTHER_RUN}")
    other = samples.workspace(OTHER_WORKSPACE, name="secrets")
    other["relationships"]["organization"]["data"]["id"] = "rival"
    document = {"data": samples.run(OTHER_RUN, workspace_id=OTHER_WORKSPACE), "included": [other]}
    return api.on("GET", f"/runs/{OTHER_RUN}", answer(document))


@pytest.mark.anyio
@rows("name", TOOLS)
@rows(
    "policy",
    [
        limited("acme"),
        limited("ac*,other"),
        limited(workspaces="acme/network"),
        limited(workspaces="acme/net*"),
        limited(workspaces=WORKSPACE_ID),
        limited("acme", f"{WORKSPACE_ID},acme/x"),
    ],
)
async def test_every_tool_reaches_inside_the_scope(name: str, policy: Policy) -> None:
    assert await call(name, api=api_of_two(), policy=policy)


# -- ways around ------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows(
    "run_id",
    [
        OTHER_RUN,
        f" {OTHER_RUN}\n",
        f"{ADDRESS}/app/rival/workspaces/secrets/runs/{OTHER_RUN}",
        f"{ADDRESS}/app/acme/workspaces/network/runs/{OTHER_RUN}",  # the id says where it is, not the address
        f"{ADDRESS}/app/acme/workspaces/network/runs/{RUN_ID}/../runs/{OTHER_RUN}",
        f"{ADDRESS}/app/acme/workspaces/network/runs/%72un-{OTHER_RUN[4:]}",
        f"{RUN_ID}/../{OTHER_RUN}",
        f"{RUN_ID}%2f..%2f{OTHER_RUN}",
        f"{RUN_ID},{OTHER_RUN}",
        f"{RUN_ID}?run={OTHER_RUN}",
    ],
)
@rows("tool", ["get_run_details", "apply_run", "cancel_run"])
async def test_no_form_of_a_run_reference_leads_outside(tool: str, run_id: str) -> None:
    api = api_of_two()
    try:
        await call(tool, {"run_id": run_id}, api=api, policy=limited("acme"))
    except (OutOfScope, InvalidInput):
        assert api.sent("POST") == []
    else:
        # Only what names the inner run may get this far, and only that one is touched.
        assert {request.url.path for request in api.sent("POST")} <= {
            f"/api/v2/runs/{RUN_ID}/actions/{tool.removesuffix('_run')}"
        }
        assert api.sent("GET", f"/runs/{OTHER_RUN}") == []


@pytest.mark.anyio
@rows(
    "workspace",
    [
        OTHER_WORKSPACE,
        "rival/secrets",
        " rival/secrets ",
        f"{ADDRESS}/app/rival/workspaces/secrets",
        f"{ADDRESS}/app/%72ival/workspaces/secrets/runs",
        "acme/../rival/secrets",
        "acme/network/../../rival/workspaces/secrets",
        "ACME/network",
        "acme/NETWORK",
    ],
)
@rows("tool", ["create_run", "list_runs_in_workspace"])
async def test_no_form_of_a_workspace_reference_leads_outside(tool: str, workspace: str) -> None:
    api = api_of_two()
    refusal = await failure_of(tool, {"workspace_id": workspace}, api=api, policy=limited(workspaces="acme/network"))
    assert isinstance(refusal, OutOfScope | InvalidInput | NotFound)
    assert api.sent("POST") == []
    assert api.sent("GET", "/runs") == []


@pytest.mark.anyio
@rows("organization", ["rival", "Acme", "ACME", "acme2", "xacme", " rival", "ac*", "acme/../rival"])
async def test_organization_name_must_match_exactly(organization: str) -> None:
    api = api_of_two()
    arguments = {"organization": organization}
    refusal = await failure_of("list_runs_in_organization", arguments, api=api, policy=limited("acme"))
    assert isinstance(refusal, OutOfScope | InvalidInput)
    assert api.requests == []


@pytest.mark.anyio
async def test_alias_of_a_workspace_is_compared_by_its_real_name() -> None:
    # The API may answer for another spelling, or for a name that the workspace had once.
    api = api_of_two()
    api.on("GET", "/organizations/acme/workspaces/old", answer({"data": samples.workspace(name="renamed")}))
    refusal = await failure_of(
        "create_run", {"workspace_id": "acme/old"}, api=api, policy=limited(workspaces="acme/old")
    )
    assert isinstance(refusal, OutOfScope)
    assert api.sent("POST") == []


@pytest.mark.anyio
async def test_resolved_workspace_is_the_one_that_is_used() -> None:
    api = api_of_two()
    inside, outside = samples.workspace(), samples.workspace(OTHER_WORKSPACE)
    api.on("GET", "/organizations/acme/workspaces/swapped", answer({"data": inside}), answer({"data": outside}))
    await call("create_run", {"workspace_id": "acme/swapped"}, api=api, policy=limited("acme"))
    (request,) = api.sent("POST")
    assert body(request)["data"]["relationships"]["workspace"]["data"]["id"] == WORKSPACE_ID


@pytest.mark.anyio
async def test_run_with_unknown_location_is_outside() -> None:
    run = samples.run()
    del run["relationships"]["workspace"]
    assert isinstance(await failure_of("apply_run", api=willing_api(run), policy=limited("acme")), OutOfScope)
    homeless = samples.workspace()
    del homeless["relationships"]["organization"]
    api = willing_api(has_workspace=False).on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": homeless}))
    for policy in (limited("acme"), limited("*"), limited(workspaces="*/*")):
        assert isinstance(await failure_of("apply_run", api=api, policy=policy), OutOfScope)
    assert api.sent("POST") == []


@pytest.mark.anyio
async def test_nothing_is_changed_if_the_location_cannot_be_read() -> None:
    api = willing_api(has_workspace=False)
    assert isinstance(await failure_of("apply_run", api=api, policy=limited("acme")), OutOfScope)
    assert api.sent("POST") == []


@pytest.mark.anyio
async def test_configuration_version_must_belong_to_the_workspace() -> None:
    def own(id_: str) -> dict[str, Any]:
        return {"id": id_, "type": "configuration-versions", "attributes": {"status": "uploaded"}}

    api = api_of_two()
    path = f"/workspaces/{WORKSPACE_ID}/configuration-versions"
    api.on("GET", path, answer(samples.page(own("cv-0ne0000000000001"), own(CONFIGURATION), total=2)))
    for id_, is_own in ((CONFIGURATION, True), ("cv-Foreign000000001", False)):
        arguments = {"workspace_id": WORKSPACE_ID, "params": {"configuration_version_id": id_}}
        if is_own:
            await call("create_run", arguments, api=api, policy=limited("acme"))
        else:
            assert isinstance(await failure_of("create_run", arguments, api=api, policy=limited("acme")), OutOfScope)
        assert len(api.sent("POST")) == 1


@pytest.mark.anyio
async def test_workspace_renamed_during_a_call_is_outside() -> None:
    from tests.support.api import client_for
    from tfruns.gate.pipeline import Gate

    policy = limited(workspaces="acme/network")
    for tool in ("get_run_details", "apply_run"):
        api = api_of_two()
        path = f"{ADDRESS}/api/v2/workspaces/{WORKSPACE_ID}"
        api.off("GET", path)
        names = ["network", "production"] if tool == "apply_run" else ["network", "network", "production"]
        api.on("GET", path, *(answer({"data": samples.workspace(name=name)}) for name in names))
        async with client_for(api) as client:
            gate = Gate(client, policy)
            if tool == "get_run_details":
                for _ in range(2):
                    await gate.call(TOOLS[tool], {"run_id": RUN_ID})
            with pytest.raises(OutOfScope):
                await gate.call(TOOLS[tool], {"run_id": RUN_ID})
        assert api.sent("POST") == []


# -- lists ------------------------------------------------------------------------------------------------------------


NETWORK, SECRETS = samples.workspace(), samples.workspace(OTHER_WORKSPACE, name="secrets")


def _lists(*, has_others: bool) -> FakeApi:
    """An organization with acme/network in the scope, and acme/secrets outside it if that exists and matches."""
    api = willing_api()
    for path in ("runs", "workspaces"):
        api.off("GET", f"/organizations/{ORGANIZATION}/{path}")
    others = [samples.run(OTHER_RUN, workspace_id=OTHER_WORKSPACE)] if has_others else []
    page = samples.page(samples.run(), *others, samples.run("run-third"), next_page=2 if has_others else None)
    page["included"] = [NETWORK, *([SECRETS] if has_others else []), samples.user()]
    api.on("GET", f"/organizations/{ORGANIZATION}/runs", answer(page))
    workspaces = [NETWORK, SECRETS]  # that they exist is known to the API alone
    api.on("GET", f"/organizations/{ORGANIZATION}/workspaces", answer(samples.page(*workspaces, total=2)))
    return api.on("GET", f"/organizations/{ORGANIZATION}/workspaces/network", answer({"data": NETWORK}))


@pytest.mark.anyio
@rows("is_raw", [False, True])
@rows("pattern", ["acme/network", "acme/net*", WORKSPACE_ID])
async def test_list_reveals_no_runs_outside_the_scope(pattern: str, is_raw: bool) -> None:
    answers = []
    for has_others in (True, False):
        api = _lists(has_others=has_others)
        arguments = {"organization": ORGANIZATION, "search_basic": "pass"}
        view = await call(
            "list_runs_in_organization", arguments, api=api, policy=limited(workspaces=pattern), is_raw=is_raw
        )
        answers.append((json.dumps(view).encode(), steps(api, "…")))
        assert api.sent("GET", f"/organizations/{ORGANIZATION}/runs") == []
        (listed,) = api.sent("GET", f"/workspaces/{WORKSPACE_ID}/runs")
        assert query(listed)["search[basic]"] == "pass"
    assert answers[0] == answers[1]
    assert b"secrets" not in answers[0][0]
    assert OTHER_WORKSPACE.encode() not in answers[0][0]


@pytest.mark.anyio
@rows("is_raw", [False, True])
async def test_only_workspaces_in_the_scope_are_requested(is_raw: bool) -> None:
    policy = limited(workspaces="acme/network,acme/db")
    api = _lists(has_others=True)
    database = samples.workspace("ws-Database00000001", name="db")
    api.on("GET", f"/organizations/{ORGANIZATION}/workspaces/db", answer({"data": database}))
    view = await call("list_runs_in_organization", api=api, policy=policy, is_raw=is_raw)
    (request,) = api.sent("GET", f"/organizations/{ORGANIZATION}/runs")
    assert query(request)["filter[workspace_names]"] == "db,network"
    assert [row["id"] for row in view["data" if is_raw else "runs"]] == [RUN_ID, "run-third"]
    assert "note" not in view
    assert "secrets" not in json.dumps(view)
    assert OTHER_WORKSPACE not in json.dumps(view)


@pytest.mark.anyio
@rows("is_raw", [False, True])
@rows("pattern", ["acme/network", "acme/net*", WORKSPACE_ID])
async def test_search_reveals_no_workspaces_outside_the_scope(pattern: str, is_raw: bool) -> None:
    answers = []
    for search in ("sec", "xyz"):  # a beginning of a name outside, and of none
        api = _lists(has_others=True)
        arguments = {"organization": ORGANIZATION, "search": search}
        view = await call("list_workspaces", arguments, api=api, policy=limited(workspaces=pattern), is_raw=is_raw)
        answers.append((json.dumps(view).encode(), steps(api, search)))
        assert (view["data"] if is_raw else view["workspaces"]) == []
    assert answers[0] == answers[1]
    arguments = {"organization": ORGANIZATION, "search": "NET"}
    view = await call("list_workspaces", arguments, api=_lists(has_others=True), policy=limited(workspaces=pattern))
    assert [row["name"] for row in view["workspaces"]] == ["network"]
    assert view["total_count"] == 1


@pytest.mark.anyio
async def test_filter_by_names_cannot_leave_the_scope() -> None:
    errors = []
    for name in ("secrets", "nothing"):
        arguments = {"organization": ORGANIZATION, "filter_workspace_names": f"network,{name}"}
        api = _lists(has_others=True)
        error = await failure_of(
            "list_runs_in_organization", arguments, api=api, policy=limited(workspaces="acme/*t*work")
        )
        errors.append(json.dumps(error.as_dict()))
        assert isinstance(error, OutOfScope)
    assert errors[0] == errors[1]


@pytest.mark.anyio
async def test_list_of_too_many_workspaces_is_refused() -> None:
    api = FakeApi()
    many = [samples.workspace(f"ws-{number:016}", name=f"n{number}") for number in range(501)]
    api.on("GET", f"/organizations/{ORGANIZATION}/workspaces", answer(samples.page(*many, total=501)))
    api.on("GET", f"/workspaces/{many[7]['id']}/runs", answer(samples.page()))
    policy = limited(workspaces="acme/n*")
    assert isinstance(await failure_of("list_runs_in_organization", api=api, policy=policy), InvalidInput)
    arguments = {"organization": ORGANIZATION, "filter_workspace_names": "n7"}
    assert (await call("list_runs_in_organization", arguments, api=api, policy=policy))["runs"] == []


def _api_of_many(names: list[str], runs: list[dict[str, Any]]) -> FakeApi:
    """An API with these workspaces, `ws-` with the name, and runs, newest first. It filters and pages as the real one.

    A URL has room for 50 names.
    """
    workspaces = [samples.workspace(f"ws-{name}", name=name) for name in names]

    def answered(request: httpx2.Request) -> httpx2.Response:
        asked = query(request)
        wanted = asked["filter[workspace_names]"].split(",")
        assert len(wanted) <= 50
        number, size = int(asked["page[number]"]), int(asked["page[size]"])
        found = [run for run in runs if run["relationships"]["workspace"]["data"]["id"][3:] in wanted]
        following = number + 1 if number * size < len(found) else None
        page = samples.page(*found[(number - 1) * size : number * size], number=number, next_page=following)
        return answer(page | {"included": workspaces})

    api = FakeApi().on("GET", f"/organizations/{ORGANIZATION}/runs", answered)
    return api.on("GET", f"/organizations/{ORGANIZATION}/workspaces", answer(samples.page(*workspaces)))


@pytest.mark.anyio
@rows("policy", [Policy(confirm=Confirm.NEVER), limited(workspaces="acme/n*")], ids=["wildcard", "scope"])
async def test_list_of_many_workspaces_has_the_pages_of_one_list(policy: Policy) -> None:
    names = [f"n{number:03}" for number in range(120)]
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)
    runs = [
        samples.run(
            f"run-{number:016}",
            workspace_id=f"ws-{names[number * 7 % 120]}",
            created_at=(noon - timedelta(minutes=number)).isoformat(),
        )
        for number in range(330)
    ]
    api = _api_of_many([*names, "other"], [samples.run("run-Other", workspace_id="ws-other"), *runs])
    found: list[str] = []
    page: int | None = 1
    while page:
        arguments = {"organization": ORGANIZATION, "page_number": page, "page_size": 40}
        if not policy.scope.workspaces:
            arguments["filter_workspace_names"] = "n*"
        view = await call("list_runs_in_organization", arguments, api=api, policy=policy)
        assert len(view["runs"]) == min(40, 330 - len(found))
        found += [row["id"] for row in view["runs"]]
        page = view["next_page"]
    assert found == [run["id"] for run in runs]


@pytest.mark.anyio
async def test_unlimited_scope_sends_no_additional_requests() -> None:
    api = _lists(has_others=True)
    view = await call("list_runs_in_organization", api=api)
    assert len(view["runs"]) == 3
    assert len(api.requests) == 1


# -- the limits themselves --------------------------------------------------------------------------------------------


@rows(
    ("scope", "place", "is_inside"),
    [
        (parse_scope("a,b"), WorkspaceLocation("ws-1", "x", "b"), True),
        (parse_scope("a,b"), WorkspaceLocation("ws-1", "x", "c"), False),
        (parse_scope(workspaces="a/x,ws-2"), WorkspaceLocation("ws-2", "y", "z"), True),
        (parse_scope(workspaces="a/x,ws-2"), WorkspaceLocation("ws-3", "x", "a"), True),
        (parse_scope(workspaces="a/x"), WorkspaceLocation("ws-3", "xx", "a"), False),
        (parse_scope(workspaces="*/prod-?"), WorkspaceLocation("ws-3", "prod-1", "a"), True),
        (parse_scope(workspaces="*/prod-?"), WorkspaceLocation("ws-3", "prod-12", "a"), False),
        (parse_scope("a", "*/x"), WorkspaceLocation("ws-3", "x", "a"), True),
        (parse_scope("a", "*/x"), WorkspaceLocation("ws-3", "x", "b"), False),
        (parse_scope("a", "ws-3"), WorkspaceLocation("ws-3", "x", "b"), False),
        (parse_scope(workspaces="a/*"), WorkspaceLocation("ws-3", None, None), False),
        (parse_scope(workspaces="*/*"), WorkspaceLocation("ws-3", "x", None), False),
    ],
)
def test_workspace_is_inside_if_all_limits_include_it(scope: Scope, place: WorkspaceLocation, is_inside: bool) -> None:
    assert scope.has_workspace(place) is is_inside


@rows(
    ("organizations", "workspaces"),
    [
        ("", None),
        (" ,", None),
        ("a/b", None),
        ("a b", None),
        ("[a]", None),
        (None, ""),
        (None, "name"),
        (None, "a/"),
        (None, "a/b/c"),
        (None, "/b"),
        (None, "ws-"),
        (None, "ws-*"),
        (None, "a/[b]"),
    ],
)
def test_invalid_limit_is_refused(organizations: str | None, workspaces: str | None) -> None:
    with pytest.raises(TfrunsError):
        parse_scope(organizations, workspaces)


@pytest.mark.anyio
async def test_scope_of_organizations_includes_all_their_workspaces() -> None:
    api = FakeApi().on("GET", f"/organizations/{ORGANIZATION}/workspaces", answer(samples.page(NETWORK, total=7)))
    assert (await call("list_workspaces", api=api, policy=limited(ORGANIZATION)))["total_count"] == 7

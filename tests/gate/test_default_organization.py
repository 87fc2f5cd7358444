"""The organization of a call that names none."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error
from tests.support.tables import rows
from tests.tools.calls import TOOLS, WORKSPACE_ID
from tfruns.errors import InvalidInput
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Policy
from tfruns.scope import parse_scope
from tfruns.views.base import as_json

pytestmark = pytest.mark.anyio


def api_of(*organizations: str) -> FakeApi:
    """An API with these organizations. Each has the workspaces NAME-network and shared."""
    api = FakeApi()
    api.on("GET", "/organizations", answer(samples.page(*map(_organization, organizations), total=9)))
    for organization in organizations:
        workspaces = [_workspace(organization, f"{organization}-network"), _workspace(organization, "shared")]
        api.on("GET", f"/organizations/{organization}/workspaces", answer(samples.page(*workspaces, total=2)))
        for workspace in workspaces:
            path = f"/organizations/{organization}/workspaces/{workspace['attributes']['name']}"
            api.on("GET", path, answer({"data": workspace}))
    api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": _workspace(organizations[0], "shared")}))
    return api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(total=0)))


def _organization(name: str) -> dict[str, Any]:
    return {"id": name, "type": "organizations", "attributes": {"name": name}}


def _workspace(organization: str, name: str) -> dict[str, Any]:
    workspace = samples.workspace(name=name)
    workspace["relationships"]["organization"]["data"]["id"] = organization
    return workspace


async def call(api: FakeApi, policy: Policy, tool: str, configured: str | None = None, **arguments: Any) -> Any:
    async with client_for(api, organization=configured) as client:
        return as_json(await Gate(client, policy).call(TOOLS[tool], arguments))


def limited(organizations: str | None = None, workspaces: str | None = None) -> Policy:
    return Policy(confirm=Confirm.NEVER, scope=parse_scope(organizations, workspaces))


@rows(
    ("visible", "policy", "configured", "expected"),
    [
        (["acme"], Policy(), None, "acme"),
        (["acme", "rival"], Policy(), "rival", "rival"),
        (["acme", "rival"], limited("rival"), None, "rival"),
        (["acme", "rival"], limited("rival"), "acme", "rival"),  # what is configured is outside the scope
        (["acme", "rival"], limited("riv*"), None, "rival"),
        (["acme", "rival"], limited(workspaces="rival/shared"), None, "rival"),
        (["acme", "rival"], limited(workspaces="*/rival-*"), None, "rival"),
        (["acme", "rival"], limited(workspaces=WORKSPACE_ID), None, "acme"),
        (["acme", "rival"], limited("acme,rival", "rival/*"), None, "rival"),
    ],
)
async def test_configured_or_only_organization_is_used(
    visible: list[str], policy: Policy, configured: str | None, expected: str
) -> None:
    view = await call(api_of(*visible), policy, "list_workspaces", configured)
    assert view["organization"] == expected
    assert view["workspaces"]


@rows(
    ("visible", "policy", "told"),
    [
        (["acme", "rival"], Policy(), "there are several: acme, rival."),
        (["acme", "rival", "hidden"], limited("acme,rival"), "there are several: acme, rival."),
        (["acme", "rival", "hidden"], limited("*a*"), "there are several: acme, rival."),
        (["acme", "rival", "hidden"], limited(workspaces="acme/*,rival/shared"), "there are several: acme, rival."),
        (["acme", "rival", "hidden"], limited("*a*", "*/shared"), "there are several: acme, rival."),
        (["acme"], limited("other*"), "this token cannot access any."),
    ],
)
async def test_error_lists_the_organizations_in_the_scope(visible: list[str], policy: Policy, told: str) -> None:
    for arguments in ({}, {"organization": " "}):
        with pytest.raises(InvalidInput) as refused:
            await call(api_of(*visible), policy, "list_workspaces", **arguments)
        assert refused.value.message.endswith(told)
        assert "hidden" not in str(refused.value.as_dict())


async def test_bare_workspace_name_gets_the_organization() -> None:
    api = api_of("acme")
    assert (await call(api, Policy(), "list_runs_in_workspace", workspace_id=" shared "))["runs"] == []
    assert len(api.sent("GET", "/organizations/acme/workspaces/shared")) == 1
    with pytest.raises(InvalidInput, match="there are several: acme, rival"):
        await call(api_of("acme", "rival"), Policy(), "list_runs_in_workspace", workspace_id="shared")


async def test_bare_workspace_name_stays_in_the_scope() -> None:
    api = api_of("acme", "rival")
    view = await call(api, limited(workspaces="acme/shared"), "list_runs_in_workspace", workspace_id="shared")
    assert view["runs"] == []
    assert {request.url.path for request in api.requests} == {
        "/api/v2/organizations/acme/workspaces/shared",
        f"/api/v2/workspaces/{WORKSPACE_ID}/runs",
    }


async def test_token_that_may_list_no_organization_is_told_what_to_set() -> None:
    api = FakeApi().on("GET", "/organizations", error(404, "not found"))
    with pytest.raises(InvalidInput) as refused:
        await call(api, Policy(), "list_workspaces")
    assert "TF_CLOUD_ORGANIZATION" in refused.value.solution

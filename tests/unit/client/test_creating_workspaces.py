"""Creation of workspaces: the request, and a lost response."""

import httpx2
import pytest

from tests.support.api import FakeApi, answer, body, client_for, error
from tests.support.samples import WORKSPACE_ID, workspace
from tests.support.tables import rows
from tfruns.errors import InvalidInput, OutcomeUnknown, UnprocessableEntity

PATH = "/organizations/acme/workspaces"


async def test_omitted_options_are_not_sent() -> None:
    api = FakeApi().on("POST", PATH, answer({"data": workspace()}, 201))
    created = await client_for(api).workspaces.create("acme", "network")
    assert created.id == WORKSPACE_ID
    assert body(api.requests[0]) == {"data": {"type": "workspaces", "attributes": {"name": "network"}}}


async def test_given_options_are_sent() -> None:
    api = FakeApi().on("POST", PATH, answer({"data": workspace()}, 201))
    await client_for(api).workspaces.create(
        "acme",
        "network",
        auto_apply=False,
        terraform_version="~> 1.9",
        working_directory="net",
        tags={"team": "core", "prod": ""},
    )
    sent = body(api.requests[0])["data"]
    assert sent["attributes"] == {
        "name": "network",
        "auto-apply": False,
        "terraform-version": "~> 1.9",
        "working-directory": "net",
    }
    assert sent["relationships"]["tag-bindings"]["data"] == [
        {"type": "tag-bindings", "attributes": {"key": "team", "value": "core"}},
        {"type": "tag-bindings", "attributes": {"key": "prod", "value": ""}},
    ]


@rows(("organization", "name"), [("acme", ""), ("acme", "a/b"), ("", "network"), ("..", "network")])
async def test_malformed_names_are_not_sent(organization: str, name: str) -> None:
    api = FakeApi()
    with pytest.raises(InvalidInput):
        await client_for(api).workspaces.create(organization, name)
    assert api.requests == []


async def test_lost_response_is_unknown_and_not_retried() -> None:
    api = FakeApi().on("POST", PATH, httpx2.ReadTimeout("slow"))
    with pytest.raises(OutcomeUnknown, match="whether the workspace was created"):
        await client_for(api).workspaces.create("acme", "network")
    assert len(api.requests) == 1


async def test_taken_name_is_the_apis_refusal() -> None:
    api = FakeApi().on("POST", PATH, error(422, "invalid attribute", "Name has already been taken"))
    with pytest.raises(UnprocessableEntity, match="already been taken"):
        await client_for(api).workspaces.create("acme", "network")

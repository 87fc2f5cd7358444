"""The plan of a run is read in the form that the token may read, and what is kept of it stays with its client."""

import gc
import json
import weakref
from typing import Any

import httpx2
import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error
from tests.support.tables import rows
from tests.unit.review.plans import PLAN_ID, plan, resource
from tfruns.client.client import Client
from tfruns.errors import NotFound, TooLarge, UnexpectedResponse
from tfruns.review.plan_document import PlanDocument
from tfruns.runs import plans
from tfruns.runs.plans import known_secrets, open_plan, plan_summary, secrets_of
from tfruns.wire.runs import Run

FULL = f"/plans/{PLAN_ID}/json-output"
REDACTED = f"/plans/{PLAN_ID}/json-output-redacted"
SECRET = "s3cret-Zx81"

MARKED = plan(resource(actions=["delete"], before={"pw": SECRET}, before_sensitive={"pw": True}))


def run(**attributes: Any) -> Run:
    return Run.from_wire(samples.planned(**attributes))


def blob(document: Any) -> httpx2.Response:
    return httpx2.Response(200, content=json.dumps(document).encode())


def api_with(full: httpx2.Response, redacted: httpx2.Response | None = None) -> FakeApi:
    api = FakeApi().on("GET", FULL, full)
    return api.on("GET", REDACTED, redacted) if redacted else api


async def read_plan(client: Client, run: Run) -> PlanDocument | None:
    async with open_plan(client, run) as plan:
        return plan.document if plan else None


@pytest.mark.anyio
async def test_full_plan_is_read_if_the_token_may_read_it() -> None:
    api = api_with(blob(MARKED), blob({}))
    found = await read_plan(client_for(api), run())
    assert found is not None
    assert not found.is_redacted
    assert (found.run_id, found.plan_id) == (samples.RUN_ID, PLAN_ID)
    assert [change.address for change in found.changes] == ["aws_instance.web"]
    assert api.sent("GET", "redacted") == []


@pytest.mark.parametrize("refusal", [error(404, "not found"), error(403, "forbidden")], ids=["404", "403"])
@pytest.mark.anyio
async def test_redacted_form_is_read_without_permission_for_the_full_plan(refusal: httpx2.Response) -> None:
    found = await read_plan(client_for(api_with(refusal, blob(MARKED))), run())
    assert found is not None
    assert found.is_redacted


@pytest.mark.anyio
async def test_redacted_form_is_read_if_the_full_plan_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_MAX_BYTES", 1000)
    found = await read_plan(client_for(api_with(blob(plan(x="x" * 1000)), blob(MARKED))), run())
    assert found is not None
    assert found.is_redacted
    with pytest.raises(TooLarge):
        await read_plan(client_for(api_with(blob(plan(x="x" * 1000)), blob(plan(x="x" * 1000)))), run())


OLD = {"terraform_version": "0.13.5"}


@pytest.mark.anyio
async def test_redacted_form_is_read_if_marks_are_unreliable() -> None:
    secret = {"password": SECRET, "copy": f"it is {SECRET}"}
    full = plan(resource(before={}, after=secret), **OLD)
    redacted = {"plan_format_version": "0.2", "resource_changes": [resource(before={}, after={"password": "masked"})]}
    client = client_for(api_with(blob(full), blob(redacted)))
    found = await read_plan(client, run())
    assert found is not None
    assert found.is_redacted
    assert found.marks_problem == "Terraform 0.13.5 does not mark sensitive values in plans"
    assert SECRET not in (await secrets_of(client, run())).mask(f"a log with {SECRET}")


@pytest.mark.anyio
async def test_attributes_that_schemas_mark_as_sensitive_are_masked() -> None:
    full = plan(resource(before={}, after={"result": SECRET}), **OLD)
    attributes = {"result": {"type": "string", "sensitive": True}}
    table = {"resource_schemas": {"aws_instance": {"block": {"attributes": attributes}}}}
    redacted = {
        "plan_format_version": "0.2",
        "resource_changes": [resource(before={}, after={"result": "masked"})],
        "provider_schemas": {"registry.terraform.io/hashicorp/aws": table},
    }
    client = client_for(api_with(blob(full), blob(redacted)))
    found = await read_plan(client, run())
    assert found is not None
    assert found.changes[0].change["after_sensitive"] == {"result": True}
    assert SECRET not in (await secrets_of(client, run())).mask(f"a log with {SECRET}")


@pytest.mark.parametrize("refusal", [error(404, "not found"), error(403, "forbidden"), httpx2.Response(204)])
@pytest.mark.anyio
async def test_full_plan_without_a_redacted_form_is_masked_by_name(refusal: httpx2.Response) -> None:
    full = plan(resource(before={}, after={"password": SECRET}), **OLD)
    found = await read_plan(client_for(api_with(blob(full), refusal)), run())
    assert found is not None
    assert not found.is_redacted
    assert found.changes[0].change["after_sensitive"] == {"password": True}


@pytest.mark.anyio
async def test_token_that_may_read_neither_form_is_forbidden() -> None:
    with pytest.raises(NotFound):
        await read_plan(client_for(api_with(error(404, "not found"))), run())


@pytest.mark.anyio
async def test_missing_plan_is_none() -> None:
    client = client_for(api_with(httpx2.Response(204)))
    assert await read_plan(client, run()) is None
    assert await plan_summary(client, run()) is None
    assert (await secrets_of(client, run())).mask(SECRET) == SECRET


@rows("content", [b"", b"[]", b"{", b'"x"', b"\xff", b"[" * 1000])
@pytest.mark.anyio
async def test_malformed_plan_is_an_unexpected_response_without_its_content(content: bytes) -> None:
    with pytest.raises(UnexpectedResponse, match="could not be parsed"):
        await read_plan(client_for(api_with(httpx2.Response(200, content=content))), run())


@pytest.mark.anyio
async def test_plan_is_fetched_once_for_its_secrets_and_its_summary() -> None:
    api = FakeApi().on("GET", FULL, httpx2.Response(204), blob(MARKED))
    client = client_for(api)
    await secrets_of(client, run())
    assert (await secrets_of(client, run())).mask(SECRET) != SECRET
    summary = await plan_summary(client, run())
    assert summary is not None
    assert summary.is_destructive
    assert len(api.sent("GET", "json-output")) == 2


@pytest.mark.anyio
async def test_cached_results_belong_to_their_client() -> None:
    powerful = client_for(api_with(blob(MARKED)))
    assert (await secrets_of(powerful, run())).mask(SECRET) != SECRET
    other = client_for(api_with(error(404, "not found"), blob(plan())), token="another-token")
    assert (await secrets_of(other, run())).mask(SECRET) == SECRET
    clients = [weakref.ref(powerful), weakref.ref(other)]
    del powerful, other
    gc.collect()
    assert [client() for client in clients] == [None, None]


@pytest.mark.anyio
async def test_number_of_cached_plans_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plans, "_MAX_KEPT", 2)
    api = FakeApi()
    client = client_for(api)
    for number in [0, 1, 2, 3, 3, 2, 1]:
        resource_ = samples.planned()
        id_ = f"plan-{number:016}"
        resource_["relationships"]["plan"]["data"]["id"] = id_
        api.on("GET", f"/plans/{id_}/json-output", blob(MARKED))
        await plan_summary(client, Run.from_wire(resource_))
    read = [request.url.path.split("/")[-2] for request in api.sent("GET", "json-output")]
    assert read == [f"plan-{number:016}" for number in [0, 1, 2, 3, 1]]


# -- variables marked only by the workspace ---------------------------------------------------------------------------

GIVEN = plan(
    resource(after={"name": SECRET}),
    variables={"name": {"value": SECRET}, "open": {"value": "nothing special"}},
)


def variables(*keys: str) -> dict[str, Any]:
    kinds = [{"key": key, "category": "terraform", "sensitive": not key.endswith("open")} for key in keys]
    return {"data": [{"id": f"var-{n}", "type": "vars", "attributes": kind} for n, kind in enumerate(kinds)]}


@pytest.mark.parametrize("key", ["name", "TF_VAR_name"])
@pytest.mark.parametrize("path", ["all-vars", "vars"])
@pytest.mark.anyio
async def test_variables_that_the_workspace_marks_as_sensitive_are_masked(path: str, key: str) -> None:
    listed = answer(variables(key, "open", "not-in-the-plan"))
    api = api_with(blob(GIVEN)).on("GET", f"/workspaces/{samples.WORKSPACE_ID}/{path}", listed)
    found = await secrets_of(client_for(api), run())
    assert SECRET not in found.mask(f"it is {SECRET}")
    assert found.mask("nothing special") == "nothing special"


@pytest.mark.anyio
async def test_marked_values_are_masked_without_permission_for_variables() -> None:
    api = api_with(blob(MARKED | {"variables": {"name": {"value": "something"}}}))
    found = await secrets_of(client_for(api), run())
    assert found.mask(SECRET) != SECRET
    assert found.mask("something") == "something"


@pytest.mark.anyio
async def test_cached_results_need_no_request() -> None:
    api = api_with(blob(MARKED))
    client = client_for(api)
    assert known_secrets(client, samples.RUN_ID).mask(SECRET) == SECRET
    assert api.requests == []
    await secrets_of(client, run())
    asked = len(api.requests)
    assert known_secrets(client, samples.RUN_ID).mask(SECRET) != SECRET
    assert known_secrets(client, "run-another").mask(SECRET) == SECRET
    assert len(api.requests) == asked

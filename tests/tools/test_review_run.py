"""`review_run` with the API: the plan in pages, and the reason if there is no plan."""

from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from tests.runs.test_plans import FULL, REDACTED, blob
from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error
from tests.support.tables import rows
from tests.tools.calls import RUN_ID, call, compact, failure_of
from tests.unit.review.plans import change, plan, resource
from tfruns.runs.plans import plan_summary
from tfruns.wire.runs import Run

SECRET = "s3cret-Zx81"

PLAN = plan(
    *(resource(f"a.b{n}", ["delete"], before={"pw": SECRET}, before_sensitive={"pw": True}) for n in range(7)),
    resource("a.new", ["create"], after={"copied": SECRET}),
    output_changes={"o": change(["create"], after=SECRET, after_sensitive=True)},
)


def api_for(run: dict[str, Any], full: httpx2.Response, redacted: httpx2.Response | None = None) -> FakeApi:
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": run})).on("GET", FULL, full)
    return api.on("GET", REDACTED, redacted or error(404, "not found"))


async def review(arguments: dict[str, Any] | None = None, *, api: FakeApi | None = None, is_raw: bool = False) -> Any:
    api = api or api_for(samples.planned(), blob(PLAN))
    return await call("review_run", {"run_id": RUN_ID, **(arguments or {})}, api=api, is_raw=is_raw)


@pytest.mark.anyio
async def test_review_contains_the_run_the_counts_and_the_rows() -> None:
    view = await review({"page_size": 2})
    fingerprint = view.pop("fingerprint")
    assert view == {
        "run_id": RUN_ID,
        "status": "planned",
        "next_actions": [
            {
                "tool": "apply_run",
                "arguments": {"run_id": RUN_ID, "fingerprint": fingerprint},
                "reason": "applies it",
            }
        ],
        "plan": "Plan: 1 to add, 0 to change, 7 to destroy.",
        "counts": {"add": 1, "destroy": 7},
        "changed_outputs": 1,
        "rows": [{"address": "a.b0", "action": "destroy"}, {"address": "a.b1", "action": "destroy"}],
        "page": 1,
        "next_page": 2,
        "total_pages": 5,
        "total_rows": 9,
    }


@pytest.mark.anyio
@rows("is_raw", [False, True])
@rows("text", ["", "create", "output", "a.new", SECRET])
async def test_no_secret_is_in_a_result(text: str, is_raw: bool) -> None:
    assert SECRET.encode() not in compact(await review({"filter": text}, is_raw=is_raw))


@pytest.mark.anyio
async def test_fingerprint_equals_that_of_the_summary_for_the_same_token() -> None:
    view = await review({"page_number": 2, "page_size": 3, "filter": "destroy"})
    other = await plan_summary(client_for(api_for(samples.planned(), blob(PLAN))), Run.from_wire(samples.planned()))
    assert other is not None
    assert view["fingerprint"] == other.fingerprint


@pytest.mark.anyio
async def test_review_of_the_redacted_form_is_noted() -> None:
    view = await review(api=api_for(samples.planned(), error(404, "not found"), blob(PLAN)))
    assert view["counts"] == {"add": 1, "destroy": 7}
    (note,) = view["notes"]
    assert note.startswith("This is a review of the redacted plan. Its fingerprint differs from that of the full plan")


@pytest.mark.anyio
async def test_page_after_the_last_one_is_refused() -> None:
    view = await review({"page_number": 99})
    assert view["rows"] == []
    assert view["next_page"] is None
    assert view["notes"] == ["Page 99 does not exist: the last page is 1."]


@pytest.mark.anyio
@rows(
    "arguments", [{"page_number": 0}, {"page_number": -1}, {"page_size": 0}, {"page_size": 101}, {"page_size": "many"}]
)
async def test_invalid_page_is_refused_before_anything_is_sent(arguments: dict[str, Any]) -> None:
    api = api_for(samples.planned(), blob(PLAN))
    failure = await failure_of("review_run", {"run_id": RUN_ID, **arguments}, api=api)
    assert failure.code == "invalid_input"
    assert api.requests == []


@pytest.mark.anyio
async def test_address_shows_every_value_and_excludes_a_filter() -> None:
    view = await review({"address": "a.new"})
    assert view["rows"] == [{"address": "a.new", "action": "create", "values": ["copied: (sensitive value)"]}]
    assert view["fingerprint"] == (await review())["fingerprint"]
    failure = await failure_of("review_run", {"run_id": RUN_ID, "address": "a.new", "filter": "create"}, api=FakeApi())
    assert (failure.code, failure.solution) == ("invalid_input", "Omit one of them.")


@pytest.mark.anyio
@rows(
    ("status", "reason", "following"),
    [
        ("pending", "The plan does not exist yet.", ["wait_for_run"]),
        ("fetching", "The plan does not exist yet.", ["wait_for_run"]),
        ("pre_plan_running", "The plan does not exist yet.", ["wait_for_run"]),
        ("plan_queued", "The plan does not exist yet.", ["wait_for_run"]),
        ("planning", "The plan does not exist yet.", ["wait_for_run"]),
        ("errored", "The run has no plan: it failed.", ["diagnose_run", "rerun"]),
        ("canceled", "The run has no plan: it was stopped before it was planned.", ["rerun"]),
        ("discarded", "The run has no plan: it was stopped before it was planned.", ["rerun"]),
        ("applied", "The plan cannot be read: the API has no plan for this run, or has deleted it.", []),
        ("planned", "The plan cannot be read: the API has no plan for this run, or has deleted it.", ["wait_for_run"]),
        (
            "of_tomorrow",
            "The plan cannot be read: the API has no plan for this run, or has deleted it.",
            ["wait_for_run"],
        ),
    ],
)
async def test_run_without_a_plan_has_a_reason_and_next_calls(status: str, reason: str, following: list[str]) -> None:
    view = await review(api=api_for(samples.run(status=status), httpx2.Response(204)))
    assert (view["plan"], view["status"]) == (reason, status)
    assert [step["tool"] for step in view.get("next_actions", ())] == following
    assert "rows" not in view


@pytest.mark.anyio
@pytest.mark.parametrize(
    "attributes",
    [{"status": "planned_and_finished", "plan_only": True}, {"status": "planned_and_saved", "save_plan": True}],
)
async def test_speculative_and_saved_plans_are_reviewed_like_any_other(attributes: dict[str, Any]) -> None:
    view = await review(api=api_for(samples.run(**attributes), blob(PLAN)))
    assert view["status"] == attributes["status"]
    assert view["total_rows"] == 9


@pytest.mark.anyio
async def test_refresh_only_run_shows_all_drift() -> None:
    drift = plan(resource_drift=[resource("a.b", ["update"], before={"x": 1}, after={"x": 2})])
    view = await review(api=api_for(samples.planned(refresh_only=True), blob(drift)))
    assert view["plan"] == (
        "No resources change. 1 resource was changed outside of Terraform. The apply records this in the state."
    )
    assert view["changed_outside_of_terraform"] == 1
    assert view["rows"] == [{"address": "a.b", "action": "changed outside of Terraform", "changes": ["x: 1 -> 2"]}]


@pytest.mark.anyio
async def test_malformed_plan_is_an_error_without_a_secret() -> None:
    content = f'{{"resource_changes": "{SECRET}'.encode()
    api = api_for(samples.planned(), httpx2.Response(200, content=content))
    failure = await failure_of("review_run", {"run_id": RUN_ID}, api=api)
    assert failure.code == "unexpected_response"
    assert SECRET not in str(failure.as_dict())


@pytest.mark.anyio
async def test_token_without_permission_for_the_plan_is_forbidden() -> None:
    api = api_for(samples.planned(), error(404, "not found"))
    failure = await failure_of("review_run", {"run_id": RUN_ID}, api=api)
    assert failure.code == "not_found"
    assert failure.solution


@pytest.mark.anyio
async def test_other_calls_continue_while_a_large_plan_is_read() -> None:
    many = {f"r{number}": ["create"] for number in range(10_000)}
    api = api_for(samples.planned(), answer(samples.plan_json(**many)))
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await anyio.lowlevel.checkpoint()
            turns += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(others)
        await call("review_run", api=api)
        tasks.cancel_scope.cancel()
    assert turns > 1_000

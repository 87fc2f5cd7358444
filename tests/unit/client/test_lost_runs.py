"""A new run whose response was lost: never two runs from one call, and no unfounded claim."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anyio
import httpx2
import pytest

from tests.support.api import FakeApi, Script, answer, client_for, error, query
from tests.support.clock import FakeClock
from tests.support.samples import RUN_ID, WORKSPACE_ID, page, run
from tests.support.tables import rows
from tests.unit.client.lost_responses import AMBIGUOUS
from tfruns.client.client import Client
from tfruns.errors import OutcomeUnknown, TfrunsError
from tfruns.vocabulary import RunOperation
from tfruns.wire.run_params import RunParams

LIST_PATH = f"/workspaces/{WORKSPACE_ID}/runs"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DEFAULT_MESSAGE = "Queued manually via the Terraform Enterprise API"

UNREADABLE_201: dict[str, httpx2.Response] = {
    "empty": httpx2.Response(201),
    "null": answer(None, 201),
    "list": answer([], 201),
    "no data": answer({}, 201),
    "no run": answer({"data": {"type": "runs"}}, 201),
    "odd run": answer({"data": run(created_at="soon")}, 201),
}


def http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def created(id_: str = RUN_ID, *, ago_s: float = 0.0, **attributes: Any) -> dict[str, Any]:
    """A run as the API returns it if it was created without options."""
    moment = (NOW - timedelta(seconds=ago_s)).isoformat().replace("+00:00", "Z")
    fields = {"message": DEFAULT_MESSAGE, "refresh": True, "created_at": moment, **attributes}
    return run(id_, **fields)


def listed(*runs: dict[str, Any], date: datetime | None = NOW) -> httpx2.Response:
    response = answer(page(*runs))
    if date is not None:
        response.headers["date"] = http_date(date)
    return response


def lost(*lists: Script, failure: Script = AMBIGUOUS["read timeout"]) -> FakeApi:
    """An API that loses the response to a new run, and then lists the workspace's runs."""
    return FakeApi().on("POST", "/runs", failure).on("GET", LIST_PATH, *(lists or (listed(),)))


def client_at(api: FakeApi, now: datetime = NOW) -> Client:
    return client_for(api, FakeClock(now))


# -- the run that may have been created -------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("kind", AMBIGUOUS)
async def test_run_of_a_lost_response_is_found_and_returned(kind: str) -> None:
    api = lost(listed(created(), created("run-old", ago_s=3600)), failure=AMBIGUOUS[kind])
    got = await client_at(api).runs.create(WORKSPACE_ID)
    assert got.id == RUN_ID
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
@rows("kind", UNREADABLE_201)
async def test_unparsable_201_triggers_a_search_for_the_run(kind: str) -> None:
    api = lost(listed(created()), failure=UNREADABLE_201[kind])
    assert (await client_at(api).runs.create(WORKSPACE_ID)).id == RUN_ID
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
@rows("kind", UNREADABLE_201)
async def test_unparsable_201_without_a_match_is_unknown(kind: str) -> None:
    api = lost(listed(), failure=UNREADABLE_201[kind])
    with pytest.raises(OutcomeUnknown):
        await client_at(api).runs.create(WORKSPACE_ID)
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
async def test_search_includes_runs_of_every_operation() -> None:
    # Run API, "List Runs in a Workspace": plan-only runs are excluded unless all operations are asked for
    api = lost(listed(created(plan_only=True)))
    got = await client_at(api).runs.create(WORKSPACE_ID, RunParams(plan_only=True))
    assert got.plan_only is True
    request = api.sent("GET", "/runs")[0]
    assert set(query(request)["filter[operation]"].split(",")) == {operation.value for operation in RunOperation}
    assert int(query(request)["page[size]"]) <= 100


@pytest.mark.anyio
@rows("count", [0, 2, 3])
async def test_no_or_several_matches_are_an_unknown_outcome(count: int) -> None:
    runs = [created(f"run-{number}") for number in range(count)]
    api = lost(listed(*runs), failure=error(504, "gateway timeout"))
    with pytest.raises(OutcomeUnknown) as caught:
        await client_at(api).runs.create(WORKSPACE_ID)
    failure = caught.value
    assert len(api.sent("POST")) == 1
    assert failure.facts["candidate_run_ids"] == [f"run-{number}" for number in range(count)]
    assert all(f"run-{number}" in failure.message for number in range(count))
    assert "504" in failure.message
    assert failure.status == 504
    assert failure.request_id == "req-123"
    assert "list the workspace's runs" in failure.solution
    workspace = {"workspace_id": WORKSPACE_ID}
    lists = [workspace, workspace | {"filter_operation": "plan_only"}]
    assert [(step.tool, step.arguments) for step in failure.next_actions] == [
        ("list_runs_in_workspace", arguments) for arguments in lists
    ]
    assert not failure.is_retryable


@pytest.mark.anyio
async def test_search_is_repeated_for_a_slow_server() -> None:
    api = lost(listed(), error(503, "unavailable"), listed(), listed(created(ago_s=-2)))
    clock = FakeClock(NOW)
    assert (await client_for(api, clock).runs.create(WORKSPACE_ID)).id == RUN_ID
    assert sum(clock.sleeps) > 1
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
async def test_search_is_bounded_in_time() -> None:
    clock = FakeClock(NOW)
    with pytest.raises(OutcomeUnknown):
        await client_for(lost(), clock).runs.create(WORKSPACE_ID)
    assert sum(clock.sleeps) <= 30


@pytest.mark.anyio
@rows("failure", [httpx2.ConnectError("down"), httpx2.ReadTimeout("slow"), error(503, "busy")])
async def test_failing_search_is_unknown_in_bounded_time(failure: Script) -> None:
    clock = FakeClock(NOW)
    api = lost(failure)
    with pytest.raises(OutcomeUnknown):
        await client_for(api, clock).runs.create(WORKSPACE_ID)
    assert len(api.sent("POST")) == 1
    assert sum(clock.sleeps) <= 120


@pytest.mark.anyio
@rows("document", [None, 5, [], {}, {"data": None}, {"data": 5}, {"data": {}}, {"data": [5]}], ids=str)
async def test_unparsable_list_is_an_unknown_outcome(document: Any) -> None:
    with pytest.raises(OutcomeUnknown):
        await client_at(lost(answer(document))).runs.create(WORKSPACE_ID)


@pytest.mark.anyio
@rows("status", [401, 403, 404])
async def test_refused_list_is_an_unknown_outcome(status: int) -> None:
    with pytest.raises(OutcomeUnknown):
        await client_at(lost(error(status, "no"))).runs.create(WORKSPACE_ID)


# -- by the server's clock --------------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("local", [NOW - timedelta(days=400), NOW + timedelta(hours=1), NOW + timedelta(days=400)])
async def test_server_clock_decides_despite_a_wrong_local_clock(local: datetime) -> None:
    api = lost(listed(created(), created("run-before", ago_s=30)))
    assert (await client_at(api, local).runs.create(WORKSPACE_ID)).id == RUN_ID


@pytest.mark.anyio
async def test_earlier_matching_run_is_never_claimed() -> None:
    api = lost(listed(created("run-before", ago_s=30)))
    with pytest.raises(OutcomeUnknown) as caught:
        await client_at(api).runs.create(WORKSPACE_ID)
    assert "run-before" not in caught.value.message


@pytest.mark.anyio
async def test_request_duration_is_taken_into_account() -> None:
    clock = FakeClock(NOW)

    def slow(request: httpx2.Request) -> httpx2.Response:
        clock.pass_time(30.0)
        raise httpx2.ReadTimeout("no answer")

    later = NOW + timedelta(seconds=30)
    api = lost(listed(created(ago_s=0), created("run-before", ago_s=10), date=later), failure=slow)
    assert (await client_for(api, clock).runs.create(WORKSPACE_ID)).id == RUN_ID


@pytest.mark.anyio
async def test_whole_second_dates_match_fractional_created_at() -> None:
    api = lost(listed(created(created_at="2026-01-02T03:04:04.900Z"), date=NOW))
    assert (await client_at(api).runs.create(WORKSPACE_ID)).id == RUN_ID


@pytest.mark.anyio
@rows("date", [None, "yesterday", "Fri, 02 Jan 2026 03:04:05", "Fri, 02 Jan 2026 03:04:05 -0000"])
async def test_local_clock_is_used_without_a_date_header(date: str | None) -> None:
    response = listed(created(), date=None)
    if date is not None:
        response.headers["date"] = date
    assert (await client_at(lost(response)).runs.create(WORKSPACE_ID)).id == RUN_ID


@pytest.mark.anyio
async def test_run_created_before_sending_is_not_claimed() -> None:
    """After a 429 nothing happened: a run that appears before the retry belongs to another user."""
    api = FakeApi().on("POST", "/runs", error(429, "too many", retry_after="20"), httpx2.ReadTimeout("no answer"))
    api.on("GET", LIST_PATH, listed(created("run-others", ago_s=-10), date=NOW + timedelta(seconds=20)))
    with pytest.raises(OutcomeUnknown):
        await client_at(api).runs.create(WORKSPACE_ID)


# -- the same message and options -------------------------------------------------------------------------------------

_OPTIONS: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
    ({}, {}, True),
    ({}, {"message": "another"}, False),
    ({"message": "mine"}, {"message": "mine"}, True),
    ({"message": "mine"}, {"message": "mine "}, False),
    ({"message": "mine"}, {}, False),
    ({}, {"is_destroy": True}, False),
    ({"is_destroy": True}, {"is_destroy": True}, True),
    ({"is_destroy": True}, {}, False),
    ({"is_destroy": False}, {"is_destroy": None}, True),
    ({"auto_apply": True}, {"auto_apply": True}, True),
    ({"auto_apply": True}, {"auto_apply": False}, False),
    ({"auto_apply": False}, {"auto_apply": True}, False),
    ({}, {"auto_apply": True}, True),  # the workspace's own setting, which the caller left alone
    ({"refresh": False}, {"refresh": False}, True),
    ({"refresh": False}, {"refresh": True}, False),
    ({}, {"refresh": False}, False),
    ({"refresh_only": True}, {"refresh_only": True}, True),
    ({}, {"refresh_only": True}, False),
    ({"plan_only": True}, {"plan_only": True}, True),
    ({"plan_only": True}, {"plan_only": False}, False),
    ({"plan_only": False}, {"plan_only": True}, False),
    ({"save_plan": True}, {"save_plan": True}, True),
    ({}, {"save_plan": True}, False),
    ({"allow_empty_apply": True}, {"allow_empty_apply": True}, True),
    ({"allow_empty_apply": True}, {"allow_empty_apply": False}, False),
    ({}, {"allow_empty_apply": True}, False),
    ({"allow_config_generation": True}, {"allow_config_generation": True}, True),
    ({}, {"allow_config_generation": True}, False),
    ({"target_addrs": ["a.b"]}, {"target_addrs": ["a.b"]}, True),
    ({"target_addrs": ["a.b"]}, {"target_addrs": ["a.c"]}, False),
    ({"target_addrs": ["a.b"]}, {}, False),
    ({"target_addrs": []}, {"target_addrs": None}, True),
    ({}, {"target_addrs": ["a.b"]}, False),
    ({"replace_addrs": ["a.b"]}, {"replace_addrs": ["a.b"]}, True),
    ({}, {"replace_addrs": ["a.b"]}, False),
    ({}, {"invoke_action_addrs": ["action.a.b"]}, False),
    ({"plan_only": True, "terraform_version": "1.9.0"}, {"plan_only": True, "terraform_version": "1.9.0"}, True),
    ({"plan_only": True, "terraform_version": "1.9.0"}, {"plan_only": True, "terraform_version": "1.8.0"}, False),
    ({"variables": [{"key": "n", "value": "2"}]}, {"variables": [{"key": "n", "value": "2"}]}, True),
    ({"variables": [{"key": "n", "value": 2}]}, {"variables": [{"key": "n", "value": "2"}]}, True),
    ({"variables": [{"key": "n", "value": "2"}]}, {"variables": [{"key": "n", "value": "3"}]}, False),
    ({"variables": [{"key": "n", "value": "2"}]}, {"variables": []}, False),
    ({}, {"variables": [{"key": "n", "value": "2"}]}, False),
]


@pytest.mark.anyio
@rows(("asked", "shown", "is_ours"), _OPTIONS, ids=str)
async def test_only_a_run_with_equal_message_and_options_matches(
    asked: dict[str, Any], shown: dict[str, Any], is_ours: bool
) -> None:
    client = client_at(lost(listed(created(**shown))))
    if is_ours:
        assert (await client.runs.create(WORKSPACE_ID, RunParams(**asked))).id == RUN_ID
    else:
        with pytest.raises(OutcomeUnknown):
            await client.runs.create(WORKSPACE_ID, RunParams(**asked))


@pytest.mark.anyio
async def test_option_missing_in_the_response_does_not_exclude_a_run() -> None:
    resource = created()
    for name in ("debugging-mode", "save-plan", "variables", "allow-config-generation"):
        resource["attributes"].pop(name, None)
    params = RunParams(debugging_mode=True, variables=[{"key": "n", "value": "2"}])
    assert (await client_at(lost(listed(resource))).runs.create(WORKSPACE_ID, params)).id == RUN_ID


@pytest.mark.anyio
@rows(("asked", "is_ours"), [("cv-n4XQPBa2QnecZJ4G", True), ("cv-another", False), (None, True)])
async def test_configuration_version_must_match(asked: str | None, is_ours: bool) -> None:
    client = client_at(lost(listed(created())))
    params = RunParams(configuration_version_id=asked)
    if is_ours:
        assert (await client.runs.create(WORKSPACE_ID, params)).id == RUN_ID
    else:
        with pytest.raises(OutcomeUnknown):
            await client.runs.create(WORKSPACE_ID, params)


@pytest.mark.anyio
async def test_unknown_statuses_and_missing_dates_do_not_break_search() -> None:
    odd = [created("run-odd", status="brand_new_status", created_at=None), created(status="another_new_status")]
    assert (await client_at(lost(listed(*odd))).runs.create(WORKSPACE_ID)).id == RUN_ID


# -- several calls of one client --------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_run_of_an_earlier_call_is_never_claimed_later() -> None:
    first = created("run-first")
    api = FakeApi().on("POST", "/runs", answer({"data": first}, 201), httpx2.ReadTimeout("no answer"))
    api.on("GET", LIST_PATH, listed(first))
    client = client_at(api)
    assert (await client.runs.create(WORKSPACE_ID)).id == "run-first"
    with pytest.raises(OutcomeUnknown):
        await client.runs.create(WORKSPACE_ID)


@pytest.mark.anyio
async def test_claimed_run_is_not_claimed_again() -> None:
    api = lost(listed(created()))
    client = client_at(api)
    assert (await client.runs.create(WORKSPACE_ID)).id == RUN_ID
    with pytest.raises(OutcomeUnknown):
        await client.runs.create(WORKSPACE_ID)


async def _create_into(results: list[object], client: Client) -> None:
    try:
        results.append((await client.runs.create(WORKSPACE_ID)).id)
    except OutcomeUnknown as failure:
        results.append(failure)


@pytest.mark.anyio
async def test_two_concurrent_lost_calls_leave_one_run_unclaimed() -> None:
    client = client_at(lost(listed(created())))
    results: list[object] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_create_into, results, client)
        tasks.start_soon(_create_into, results, client)
    assert [type(result) for result in results] == [OutcomeUnknown] * 2
    assert [getattr(result, "facts", {})["candidate_run_ids"] for result in results] == [[RUN_ID]] * 2


@pytest.mark.anyio
async def test_lost_call_does_not_claim_the_run_of_a_pending_call() -> None:
    others_answer = anyio.Event()

    class Api(FakeApi):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "POST" and not self.sent("POST"):
                await super().handle_async_request(request)
                await others_answer.wait()
                return answer({"data": created()}, 201)
            return await super().handle_async_request(request)

    api = Api()
    api.on("POST", "/runs", error(503, "unavailable")).on("GET", LIST_PATH, listed(created()))
    client = client_at(api)
    results: list[object] = []
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_create_into, results, client)
            await anyio.wait_all_tasks_blocked()
            await _create_into(results, client)
            others_answer.set()
    assert [result if isinstance(result, str) else type(result) for result in results] == [OutcomeUnknown, RUN_ID]


@pytest.mark.anyio
async def test_lost_call_ignores_calls_with_other_options() -> None:
    others_answer = anyio.Event()

    class Api(FakeApi):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "POST" and not self.sent("POST"):
                await super().handle_async_request(request)
                await others_answer.wait()
                return answer({"data": created("run-others", message="another")}, 201)
            return await super().handle_async_request(request)

    api = Api()
    api.on("POST", "/runs", error(503, "unavailable"))
    api.on("GET", LIST_PATH, listed(created(), created("run-others", message="another")))
    client = client_at(api)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.runs.create, WORKSPACE_ID, RunParams(message="another"))
            await anyio.wait_all_tasks_blocked()
            assert (await client.runs.create(WORKSPACE_ID)).id == RUN_ID
            others_answer.set()


# -- refusals are not ambiguous ---------------------------------------------------------------------------------------


@pytest.mark.anyio
@rows("status", [400, 401, 403, 404, 408, 409, 422, 425, 501])
async def test_refused_run_is_neither_searched_nor_retried(status: int) -> None:
    api = lost(listed(created()), failure=error(status, "no"))
    with pytest.raises(TfrunsError) as caught:
        await client_at(api).runs.create(WORKSPACE_ID)
    assert caught.value.status == status
    assert len(api.sent("POST")) == 1
    assert api.sent("GET", "/runs") == []


@pytest.mark.anyio
async def test_sign_in_page_in_place_of_a_new_run_is_recognized() -> None:
    api = lost(listed(), failure=httpx2.Response(200, html="<title>Sign in</title>"))
    with pytest.raises(OutcomeUnknown, match="Sign in"):
        await client_at(api).runs.create(WORKSPACE_ID)
    assert len(api.sent("POST")) == 1


@pytest.mark.anyio
async def test_cancelled_call_stops_searching() -> None:
    class Hangs(FakeApi):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "GET":
                self.requests.append(request)
                await anyio.sleep_forever()
            return await super().handle_async_request(request)

    api = Hangs()
    api.on("POST", "/runs", httpx2.ReadTimeout("no answer"))
    with anyio.move_on_after(0.05) as scope:
        await client_at(api).runs.create(WORKSPACE_ID)
    assert scope.cancelled_caught
    assert [request.method for request in api.requests] == ["POST", "GET"]

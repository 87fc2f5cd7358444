"""Paginated lists, read by page and iterated."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.support.api import FakeApi, answer, client_for, error, query
from tests.support.samples import RUN_ID, WORKSPACE_ID, page, run, user, workspace
from tests.support.tables import rows
from tfruns.errors import InvalidInput, ServerError, UnexpectedResponse
from tfruns.vocabulary import RunStatus
from tfruns.wire.activity import User
from tfruns.wire.workspaces import Workspace

PATH = f"/workspaces/{WORKSPACE_ID}/runs"


def pages(*of_runs: list[str], next_page: Callable[[int], Any] | None = None) -> FakeApi:
    """A list of several pages; a page past the end is empty. `next_page` can be wrong."""

    def give(request: httpx2.Request) -> httpx2.Response:
        number = int(query(request)["page[number]"])
        ids = of_runs[number - 1] if number <= len(of_runs) else []
        following = number + 1 if number < len(of_runs) else None
        document = page(*(run(id_) for id_ in ids), number=number, next_page=following)
        if next_page is not None:
            document["meta"]["pagination"]["next-page"] = next_page(number)
        return answer(document)

    return FakeApi().on("GET", PATH, give)


async def ids_of_all(api: FakeApi) -> list[str]:
    return [item.id async for item in client_for(api).runs.list_for_workspace(WORKSPACE_ID)]


# -- as a whole -------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_items_are_iterated_in_order_across_pages() -> None:
    api = pages(["run-1", "run-2"], ["run-3"], ["run-4"])
    assert await ids_of_all(api) == ["run-1", "run-2", "run-3", "run-4"]
    assert [query(request)["page[number]"] for request in api.requests] == ["1", "2", "3"]
    assert {query(request)["page[size]"] for request in api.requests} == {"100"}


@pytest.mark.anyio
async def test_empty_list_has_no_items_and_one_page() -> None:
    api = pages([])
    assert await ids_of_all(api) == []
    assert len(api.requests) == 1


@pytest.mark.anyio
async def test_page_is_read_only_when_reached() -> None:
    api = pages(["run-1", "run-2"], ["run-3"])
    reading = aiter(client_for(api).runs.list_for_workspace(WORKSPACE_ID))
    assert [(await anext(reading)).id for _ in range(2)] == ["run-1", "run-2"]
    assert len(api.requests) == 1
    assert (await anext(reading)).id == "run-3"
    assert len(api.requests) == 2


@pytest.mark.anyio
async def test_list_can_be_iterated_again() -> None:
    api = pages(["run-1"])
    runs = client_for(api).runs.list_for_workspace(WORKSPACE_ID)
    assert [item.id async for item in runs] == [item.id async for item in runs] == ["run-1"]
    assert len(api.requests) == 2


@pytest.mark.anyio
@rows(
    "next_page",
    [
        pytest.param(lambda number: number, id="itself"),
        pytest.param(lambda number: 1, id="the first"),
        pytest.param(lambda number: number - 1, id="the one before"),
        pytest.param(lambda number: 3 - number, id="to and fro"),
        pytest.param(lambda number: 0, id="zero"),
        pytest.param(lambda number: -1, id="negative"),
        pytest.param(lambda number: "next", id="text"),
        pytest.param(lambda number: True, id="boolean"),
        pytest.param(lambda number: [2], id="list"),
    ],
)
async def test_iteration_stops_if_next_page_is_wrong(next_page: Callable[[int], Any]) -> None:
    api = pages(["run-1"], ["run-2"], next_page=next_page)
    found = await ids_of_all(api)
    assert found in (["run-1"], ["run-1", "run-2"])
    assert len(api.requests) <= 2


@pytest.mark.anyio
@rows("meta", [None, 5, [], {}, {"pagination": None}, {"pagination": []}, {"pagination": {}}], ids=str)
async def test_list_without_pagination_has_one_page(meta: Any) -> None:
    api = FakeApi().on("GET", PATH, answer({"data": [run()], "meta": meta}))
    assert await ids_of_all(api) == [RUN_ID]
    assert len(api.requests) == 1


@pytest.mark.anyio
async def test_failure_on_a_later_page_follows_earlier_items() -> None:
    api = FakeApi().on("GET", PATH, answer(page(run("run-1"), next_page=2)), error(500, "broken"))
    seen: list[str] = []

    async def go_through() -> None:
        async for item in client_for(api).runs.list_for_workspace(WORKSPACE_ID):
            seen.append(item.id)  # noqa: PERF401  # what was seen before the failure counts

    with pytest.raises(ServerError):
        await go_through()
    assert seen == ["run-1"]


# -- one page ---------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_page_has_its_position_and_available_totals() -> None:
    api = FakeApi().on("GET", PATH, answer(page(run(), number=2, next_page=3, total=55)))
    got = await client_for(api).runs.list_for_workspace(WORKSPACE_ID).page(2)
    assert (got.pagination.current_page, got.pagination.next_page) == (2, 3)
    assert (got.pagination.total_count, got.pagination.total_pages) == (55, 3)
    assert query(api.requests[0]) == {"page[number]": "2", "page[size]": "20"}


@pytest.mark.anyio
async def test_organization_list_has_no_totals() -> None:
    api = FakeApi().on("GET", "/organizations/acme/runs", answer(page(run(), next_page=2)))
    got = await client_for(api).runs.list_for_organization("acme").page()
    assert got.pagination.total_count is None
    assert got.pagination.next_page == 2


@pytest.mark.anyio
async def test_page_past_the_end_is_empty() -> None:
    got = await client_for(pages(["run-1"])).runs.list_for_workspace(WORKSPACE_ID).page(9)
    assert list(got.items) == []


@pytest.mark.anyio
@rows(("number", "size"), [(0, 20), (-1, 20), (1, 0), (1, -5), (1, 101), (1, 10_000)])
async def test_invalid_page_is_refused_before_sending(number: int, size: int) -> None:
    api = pages(["run-1"])
    with pytest.raises(InvalidInput):
        await client_for(api).runs.list_for_workspace(WORKSPACE_ID).page(number, size=size)
    assert api.requests == []


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1, 100])
async def test_smallest_and_largest_page_sizes_are_allowed(size: int) -> None:
    api = pages(["run-1"])
    await client_for(api).runs.list_for_workspace(WORKSPACE_ID).page(size=size)
    assert query(api.requests[0])["page[size]"] == str(size)


@pytest.mark.anyio
async def test_repr_of_a_page_hides_the_document() -> None:
    secret = run(variables=[{"key": "password", "value": '"hunter2"'}])
    api = FakeApi().on("GET", PATH, answer(page(secret)))
    got = await client_for(api).runs.list_for_workspace(WORKSPACE_ID).page()
    assert "hunter2" not in repr(got)
    assert got.document["data"][0]["id"] == RUN_ID


# -- what a list may hold ---------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_unknown_values_pass_through_a_list_unchanged() -> None:
    new = run("run-new", status="awaiting_the_moon", source="tfe-teleport", trigger_reason="odd", brand_new=[1])
    api = FakeApi().on("GET", PATH, answer(page(new, run("run-old", status="planned"))))
    first, second = (await client_for(api).runs.list_for_workspace(WORKSPACE_ID).page()).items
    assert (first.status, first.source) == ("awaiting_the_moon", "tfe-teleport")
    assert second.status is RunStatus.PLANNED


@pytest.mark.anyio
@rows("status", [*RunStatus, "", "PLANNED", "naïve ⚙"])
async def test_run_in_any_status_can_be_listed(status: str) -> None:
    api = FakeApi().on("GET", PATH, answer(page(run(status=status))))
    (item,) = (await client_for(api).runs.list_for_workspace(WORKSPACE_ID).page()).items
    assert item.status == status


@pytest.mark.anyio
@rows(
    "document",
    [
        None,
        5,
        [],
        "text",
        {},
        {"data": None},
        {"data": {}},
        {"data": run()},
        {"data": [5]},
        {"data": [None]},
        {"data": [{"type": "runs", "attributes": {"status": "planned"}}]},
        {"data": [{"type": "workspaces", "id": "ws-1"}]},
        {"errors": [{"title": "in a 200"}]},
    ],
    ids=lambda document: str(document)[:50],
)
async def test_json_that_is_not_a_run_list_is_unexpected(document: Any) -> None:
    with pytest.raises(UnexpectedResponse):
        await client_for(FakeApi().on("GET", PATH, answer(document))).runs.list_for_workspace(WORKSPACE_ID).page()


@pytest.mark.anyio
async def test_included_resources_can_be_followed_from_each_item() -> None:
    document = page(run()) | {"included": [workspace(name="network"), user(username="operator")]}
    api = FakeApi().on("GET", PATH, answer(document))
    listing = client_for(api).runs.list_for_workspace(WORKSPACE_ID, include=["workspace", "created_by"])
    (item,) = (await listing.page()).items
    assert query(api.requests[0])["include"] == "workspace,created_by"
    owner, author = item.follow(item.workspace, Workspace), item.follow(item.created_by, User)
    assert owner is not None
    assert owner.name == "network"
    assert author is not None
    assert author.username == "operator"
    assert item.follow(item.confirmed_by, User) is None


@pytest.mark.anyio
async def test_include_is_sent_for_every_page() -> None:
    api = pages(["run-1"], ["run-2"])
    async for _ in client_for(api).runs.list_for_workspace(WORKSPACE_ID, include=["workspace"]):
        pass
    assert [query(request)["include"] for request in api.requests] == ["workspace", "workspace"]

"""The list of workspaces: ids, names and current state, within the limit."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, query
from tests.support.tables import rows
from tests.tools.calls import ORGANIZATION, RUN_ID, call, compact, failure_of
from tfruns.errors import InvalidInput, NotFound

pytestmark = pytest.mark.anyio

MAX_BYTES = 3_800  # 1,400 tokens; ids take many of them
PATH = f"/organizations/{ORGANIZATION}/workspaces"


async def listed(document: dict[str, Any], **arguments: Any) -> Any:
    api = FakeApi().on("GET", PATH, answer(document))
    return await call("list_workspaces", {"organization": ORGANIZATION} | arguments, api=api)


async def row_of(workspace: dict[str, Any], *included: dict[str, Any]) -> Any:
    (row,) = (await listed({**samples.page(workspace), "included": list(included)}))["workspaces"]
    return row


async def test_row_shows_the_current_state_of_its_workspace() -> None:
    run = ("runs", RUN_ID)
    details: dict[str, Any] = {"auto_apply": True, "terraform_version": "1.11.4", "resource_count": 50, "locked": True}
    workspace = samples.workspace(current_run=run, locked_by=run, **details)
    assert await row_of(workspace, samples.run(status="applying")) == {
        "id": samples.WORKSPACE_ID,
        "name": "network",
        "current_run": RUN_ID,
        "status": "applying",
        "locked_by": "current_run",
        "auto_apply": True,
        "terraform": "1.11.4",
        "resources": 50,
    }


async def test_disabled_and_unknown_values_are_omitted() -> None:
    assert await row_of(samples.workspace()) == {"id": samples.WORKSPACE_ID, "name": "network"}


async def test_current_run_that_is_not_included_has_no_status() -> None:
    row = await row_of(samples.workspace(current_run=("runs", RUN_ID)))
    assert row == {"id": samples.WORKSPACE_ID, "name": "network", "current_run": RUN_ID}


@rows(
    ("locked_by", "included", "shown"),
    [
        (("users", "user-MA4GL63FmYRpSFxa"), [samples.user(username="jane")], "jane"),
        (("users", "user-MA4GL63FmYRpSFxa"), [], "user-MA4GL63FmYRpSFxa"),
        (("users", "user-MA4GL63FmYRpSFxa"), [samples.user(username="a\nb" + "c" * 80)], "a b" + "c" * 57),
        (("teams", "team-1"), [{"id": "team-1", "type": "teams", "attributes": {"name": "ops"}}], "ops"),
        (("runs", "run-Other"), [], "run-Other"),
        (None, [], "unknown"),
    ],
)
async def test_holder_of_the_lock_is_named(locked_by: Any, included: list[dict[str, Any]], shown: str) -> None:
    row = await row_of(samples.workspace(locked=True, locked_by=locked_by), *included)
    assert row["locked_by"] == shown


async def test_twenty_workspaces_stay_within_the_limit() -> None:
    workspaces, runs = [], []
    for number in range(20):
        run_id = f"run-CZcmD7eagjhyX{number:03d}"
        runs.append(samples.run(run_id, status="applied"))
        workspaces.append(
            samples.workspace(
                f"ws-LLGHCr4SWy28w{number:03d}",
                name=f"network-production-{number}",
                current_run=("runs", run_id),
                terraform_version="1.11.4",
                resource_count=137,
            )
        )
    view = await listed({**samples.page(*workspaces, next_page=2, total=41), "included": runs})
    assert len(view["workspaces"]) == 20
    assert len(compact(view)) <= MAX_BYTES
    assert (view["page"], view["next_page"], view["total_count"]) == (1, 2, 41)


async def test_search_and_page_are_sent_to_the_api() -> None:
    api = FakeApi().on("GET", PATH, answer(samples.page(number=3)))
    arguments = {"organization": ORGANIZATION, "search": " net ", "page_number": 3, "page_size": 5}
    view = await call("list_workspaces", arguments, api=api)
    note = view.pop("note")
    assert note.startswith("Page 3 ")
    assert view == {"workspaces": [], "organization": ORGANIZATION, "page": 3, "next_page": None}
    assert query(api.requests[0]) == {
        "search[name]": "net",
        "include": "current_run,locked_by",
        "page[number]": "3",
        "page[size]": "5",
    }


@rows("arguments", [{"organization": "../acme"}, {"page_size": 101}, {"page_number": 0}])
async def test_invalid_arguments_are_refused(arguments: dict[str, Any]) -> None:
    api = FakeApi()
    error = await failure_of("list_workspaces", {"organization": ORGANIZATION} | arguments, api=api)
    assert isinstance(error, InvalidInput)
    assert api.requests == []


async def test_hidden_organization_is_not_found() -> None:
    assert isinstance(await failure_of("list_workspaces", api=FakeApi()), NotFound)


async def test_raw_result_is_the_document_of_the_api() -> None:
    document = samples.page(samples.workspace())
    api = FakeApi().on("GET", PATH, answer(document))
    assert await call("list_workspaces", api=api, is_raw=True) == document

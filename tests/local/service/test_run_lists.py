"""Lists of runs. Source: HCP Terraform API, "List Runs in a Workspace", "List Runs in an Organization"."""

from typing import Any

import pytest

from tests.local.support import Api, ids_of
from tests.support.stores import on_both_stores
from tests.support.tables import rows
from tfruns.vocabulary import RunStatus

pytestmark = on_both_stores


async def _one_per_operation(api: Api) -> dict[str, str]:
    """Create one run per operation; the ids by operation."""
    options: dict[str, dict[str, Any]] = {
        "plan_and_apply": {"message": "50% more_subnets"}, "plan_only": {"plan_only": True},
        "save_plan": {"save_plan": True}, "refresh_only": {"refresh_only": True}, "destroy": {"is_destroy": True},
        "empty_apply": {"allow_empty_apply": True},
    }  # fmt: skip
    return {name: (await api.create_run(**option))["id"] for name, option in options.items()}


async def test_workspaces_list_has_totals_and_no_plan_only_runs(api: Api) -> None:
    ids = await _one_per_operation(api)
    document = await api.get(f"/workspaces/{api.workspace_id}/runs")
    assert ids_of(document) == [ids[name] for name in reversed(ids) if name != "plan_only"]
    assert document["meta"]["pagination"] == {
        "current-page": 1, "page-size": 20, "prev-page": None, "next-page": None, "total-count": 5, "total-pages": 1,
    }  # fmt: skip


async def test_list_of_an_organization_has_all_runs_and_no_totals(api: Api) -> None:
    # Contract notes: "An organization's list has no totals (next-page only)".
    ids = await _one_per_operation(api)
    document = await api.get("/organizations/default/runs", **{"page[size]": "4"})
    assert ids_of(document) == list(reversed(ids.values()))[:4]
    pagination = document["meta"]["pagination"]
    assert "total-count" not in pagination
    assert pagination["next-page"] == 2


async def test_each_operation_is_a_filter(api: Api) -> None:
    ids = await _one_per_operation(api)
    for name, id_ in ids.items():
        for path in (f"/workspaces/{api.workspace_id}/runs", "/organizations/default/runs"):
            assert ids_of(await api.get(path, **{"filter[operation]": name})) == [id_]


_FILTERS: list[tuple[dict[str, str], set[str]]] = [
    ({"filter[status]": "plan_queued"}, {"plan_and_apply", "save_plan"}),
    ({"filter[status]": ""}, {"plan_and_apply", "save_plan", "refresh_only", "destroy", "empty_apply"}),
    ({"filter[status]": "applied,errored"}, set()),
    ({"filter[status]": "plan_queued, pending", "filter[operation]": "destroy,plan_only"},
     {"destroy", "plan_only"}),
    ({"filter[status_group]": "final"}, set()),
    ({"filter[status_group]": "non_final", "filter[operation]": "save_plan"}, {"save_plan"}),
    ({"filter[status_group]": "discardable"}, set()),
    ({"filter[source]": "terraform+cloud"}, set()),
    ({"filter[source]": "tfe-api", "filter[operation]": "destroy"}, {"destroy"}),
    ({"filter[timeframe]": "2025"}, set()),
    ({"filter[timeframe]": "2026", "filter[operation]": "destroy"}, {"destroy"}),
    ({"filter[agent_pool_names]": "pool"}, set()),
    ({"search[user]": "someone"}, set()),
    ({"search[commit]": "abc", "search[basic]": "more"}, set()),  # contract: they "override `search[basic]`"
    ({"search[basic]": "MORE_"}, {"plan_and_apply"}),
    ({"search[basic]": "50%"}, {"plan_and_apply"}),
    ({"search[basic]": "5_%"}, set()),
]  # fmt: skip


async def test_filters_apply_to_a_workspaces_list_and_its_total(api: Api) -> None:
    ids = await _one_per_operation(api)

    @rows(("query", "names"), _FILTERS)
    async def narrow(query: dict[str, str], names: set[str]) -> None:
        document = await api.get(f"/workspaces/{api.workspace_id}/runs", **query)
        assert set(ids_of(document)) == {ids[name] for name in names}
        assert document["meta"]["pagination"]["total-count"] == len(names)

    await narrow()


async def test_run_is_found_by_its_id(api: Api) -> None:
    ids = await _one_per_operation(api)
    document = await api.get(f"/workspaces/{api.workspace_id}/runs", **{"search[basic]": ids["destroy"]})
    assert ids_of(document) == [ids["destroy"]]


async def test_organizations_list_is_filtered_by_workspace_names(api: Api) -> None:
    run = await api.create_run()
    path = "/organizations/default/runs"
    assert ids_of(await api.get(path, **{"filter[workspace_names]": "other,network"})) == [run["id"]]
    assert ids_of(await api.get(path, **{"filter[workspace_names]": "other"})) == []


async def test_organizations_list_covers_the_last_year_by_default(api: Api) -> None:
    run = await api.create_run()
    api.clock.advance(366 * 24 * 3600)
    assert ids_of(await api.get("/organizations/default/runs")) == []
    assert ids_of(await api.get("/organizations/default/runs", **{"filter[timeframe]": "2026"})) == [run["id"]]
    assert ids_of(await api.get(f"/workspaces/{api.workspace_id}/runs")) == [run["id"]]


@pytest.mark.parametrize("query", [{"filter[status_group]": "open"}, {"filter[timeframe]": "soon"},
                                   {"filter[timeframe]": "0000"}])  # fmt: skip
async def test_invalid_filter_is_400(api: Api, query: dict[str, str]) -> None:
    await api.get(f"/workspaces/{api.workspace_id}/runs", 400, **query)


async def test_pages_add_up_to_the_list_and_end_with_an_empty_page(api: Api) -> None:
    # Contract notes: "A page past the end is 200 and empty."
    ids = [(await api.create_run())["id"] for _ in range(5)]
    path, found = f"/workspaces/{api.workspace_id}/runs", []
    for number in ("1", "2", "3"):
        document = await api.get(path, **{"page[number]": number, "page[size]": "2"})
        found += ids_of(document)
    assert found == list(reversed(ids))
    assert document["meta"]["pagination"] == {
        "current-page": 3, "page-size": 2, "prev-page": 2, "next-page": None, "total-count": 5, "total-pages": 3,
    }  # fmt: skip
    assert ids_of(await api.get(path, **{"page[number]": "4", "page[size]": "2"})) == []


async def test_page_has_at_most_100_runs(api: Api) -> None:
    document = await api.get(f"/workspaces/{api.workspace_id}/runs", **{"page[size]": "1000"})
    assert document["meta"]["pagination"]["page-size"] == 100


async def test_totals_follow_status_changes(api: Api) -> None:
    run = await api.planned()
    await api.act(run, "discard")
    await api.create_run()
    for group, total in (("final", 1), ("non_final", 1), ("discardable", 0)):
        document = await api.get(f"/workspaces/{api.workspace_id}/runs", **{"filter[status_group]": group})
        assert document["meta"]["pagination"]["total-count"] == total == len(document["data"])


async def test_complete_id_finds_only_that_run_within_other_filters(api: Api) -> None:
    run = await api.create_run()
    other = await api.create_run(message=f"Undo {run['id']}")
    path = f"/workspaces/{api.workspace_id}/runs"
    for query, found in (
        ({"search[basic]": run["id"]}, [run["id"]]),
        ({"search[basic]": run["id"][:-1]}, [other["id"]]),
        ({"search[basic]": run["id"], "filter[operation]": "destroy"}, []),
        ({"search[basic]": run["id"], "filter[status]": "pending"}, []),
    ):
        document = await api.get(path, **query)
        assert (ids_of(document), document["meta"]["pagination"]["total-count"]) == (found, len(found))


async def test_repeated_and_unknown_filter_words_are_ignored(api: Api) -> None:
    ids = list((await _one_per_operation(api)).values())
    for path in (f"/workspaces/{api.workspace_id}/runs", "/organizations/default/runs"):
        for name, word in (
            ("filter[status]", "pending"),
            ("filter[status]", "plan_queued"),
            ("filter[source]", "tfe-api"),
            ("filter[operation]", "destroy"),
            ("filter[operation]", "plan_only"),
        ):
            once = await api.get(path, **{name: word})
            for words in (f"{word},{word}", f"nonsense,{word},,{word} ", ",".join([word] * 500 + ["x"])):
                document = await api.get(path, **{name: words})
                assert ids_of(document) == ids_of(once), (path, name, words)
                assert document["meta"] == once["meta"]
            assert ids_of(await api.get(path, **{name: "nonsense,nothing"})) == []
    every = ",".join(RunStatus)
    found = []
    for page in ("1", "2", "3"):
        query = {"filter[status]": f"{every},{every}", "page[size]": "2", "page[number]": page}
        found += ids_of(await api.get("/organizations/default/runs", **query))
    assert found == ids[::-1]


_HOSTILE = (
    "a\x00b", "x" * 7000, ",".join(f"w{number}" for number in range(1400)), "," * 5000, "\U0001f600\u202e",
    "_%\\" * 900,
    "'; DROP TABLE runs; --", "9" * 400, "-1", "1e9", "NaN", "{}", "\u0662\u0660\u0662\u0665", "run-" + "\u00e9" * 16,
)  # fmt: skip
_OF_RUNS = (
    "filter[operation]", "filter[status]", "filter[source]", "filter[status_group]", "filter[timeframe]",
    "filter[workspace_names]", "filter[agent_pool_names]", "search[user]", "search[commit]", "search[basic]", "include",
    "page[number]", "page[size]",
)  # fmt: skip
_OF_WORKSPACES = (
    "sort", "filter[current-run][status]", "filter[project][id]", "search[name]", "search[wildcard-name]",
    "search[tags]", "search[exclude-tags]", "filter[tagged][0][key]", "include", "page[number]", "page[size]",
)  # fmt: skip


async def test_no_query_of_a_list_is_a_server_error(api: Api) -> None:
    await api.create_run()
    lists = {
        f"/workspaces/{api.workspace_id}/runs": _OF_RUNS,
        "/organizations/default/runs": _OF_RUNS,
        "/organizations/default/workspaces": _OF_WORKSPACES,
    }
    for path, parameters in lists.items():
        for parameter in parameters:
            for value in _HOSTILE:
                answer = await api.http.get(f"/api/v2{path}", params={parameter: value})
                assert answer.status_code in {200, 400, 414}, (path, parameter, value[:20], answer.text)
                assert answer.status_code == 200 or answer.json()["errors"], (path, parameter, value[:20])

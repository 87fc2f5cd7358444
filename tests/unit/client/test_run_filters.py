"""The filters and searches of run lists, with the API's parameter names."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.api import FakeApi, answer, client_for, query
from tests.support.samples import WORKSPACE_ID, page
from tests.support.tables import rows
from tfruns.client.run_filters import RunFilters
from tfruns.errors import InvalidInput
from tfruns.lifecycle import statuses_in
from tfruns.vocabulary import RunOperation, RunSource, RunStatus, StatusGroup

_SPELLING = {
    "operation": ("plan_only", "filter[operation]"),
    "status": ("planned", "filter[status]"),
    "source": ("tfe-ui", "filter[source]"),
    "status_group": ("final", "filter[status_group]"),
    "timeframe": ("2024", "filter[timeframe]"),
    "agent_pool_names": ("pool", "filter[agent_pool_names]"),
    "workspace_names": ("network", "filter[workspace_names]"),
    "user": ("operator", "search[user]"),
    "commit": ("0a1b2c3", "search[commit]"),
    "search": ("nightly", "search[basic]"),
}


def params(**filters: Any) -> dict[str, str]:
    return RunFilters(**filters).as_params()


# -- spelling ---------------------------------------------------------------------------------------------------------


@rows("name", _SPELLING)
def test_each_filter_has_the_apis_parameter_name(name: str) -> None:
    value, spelled = _SPELLING[name]
    assert params(**{name: value}) == {spelled: value}


def test_filters_combine_and_omitted_ones_are_not_sent() -> None:
    assert params() == {}
    everything = {name: value for name, (value, _) in _SPELLING.items()}
    assert params(**everything) == {spelled: value for value, spelled in _SPELLING.values()}


@rows("name", _SPELLING)
@rows("nothing", ["", " ", None])
def test_empty_filter_counts_as_omitted(name: str, nothing: str | None) -> None:
    assert params(**{name: nothing}) == {}


@pytest.mark.parametrize("nothing", [",", " , ,"])
def test_only_commas_count_as_omitted(nothing: str) -> None:
    lists = ("operation", "status", "source", "status_group", "agent_pool_names", "workspace_names")
    assert params(**dict.fromkeys(lists, nothing)) == {}


def test_empty_list_counts_as_omitted() -> None:
    assert (
        params(operation=[], status=(), source=[""], status_group=[" "], agent_pool_names=[], workspace_names=[]) == {}
    )


@rows("value", ["planned,errored", " planned , errored ", ["planned", "errored"], ("planned", " errored")])
def test_several_values_are_a_comma_separated_string_or_a_list(value: Any) -> None:
    assert params(status=value) == {"filter[status]": "planned,errored"}


def test_duplicate_values_are_sent_once_in_order() -> None:
    assert params(status="errored,planned,errored") == {"filter[status]": "errored,planned"}
    assert params(operation="plan,plan_only") == {"filter[operation]": "plan_only"}


def test_searches_are_sent_stripped_of_whitespace() -> None:
    assert params(search="  fix, the network ", user="operator", commit=" abc ") == {
        "search[basic]": "fix, the network",
        "search[user]": "operator",
        "search[commit]": "abc",
    }


@pytest.mark.anyio
async def test_filters_reach_the_api_in_the_query_of_the_list() -> None:
    api = FakeApi().on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(page()))
    filters = RunFilters(operation="plan,apply", status_group="running", search="a&b=c[d]", agent_pool_names=["x", "y"])
    async with client_for(api) as client:
        await client.runs.list_for_workspace(WORKSPACE_ID, filters).page(2, size=5)
    (request,) = api.requests
    assert query(request) == {
        "filter[operation]": "plan_only,plan_and_apply",
        "filter[status_group]": "non_final",
        "filter[agent_pool_names]": "x,y",
        "search[basic]": "a&b=c[d]",
        "page[number]": "2",
        "page[size]": "5",
    }


@pytest.mark.anyio
async def test_wrong_filter_is_refused_before_sending() -> None:
    api = FakeApi()
    async with client_for(api) as client:
        with pytest.raises(InvalidInput):
            client.runs.list_for_workspace(WORKSPACE_ID, RunFilters(operation="plann"))
        with pytest.raises(InvalidInput):
            client.runs.list_for_organization("acme", RunFilters(status_group="doing"))
        with pytest.raises(InvalidInput, match="workspace_names"):
            client.runs.list_for_workspace(WORKSPACE_ID, RunFilters(workspace_names="network"))
    assert api.requests == []


# -- the words of the API, and those of the tools' description --------------------------------------------------------


@rows("operation", RunOperation)
def test_every_api_operation_is_known(operation: RunOperation) -> None:
    assert params(operation=operation.value) == {"filter[operation]": operation.value}


@rows("source", RunSource)
def test_every_api_source_is_known(source: RunSource) -> None:
    assert params(source=source.value) == {"filter[source]": source.value}


@rows("group", StatusGroup)
def test_every_api_status_group_is_known(group: StatusGroup) -> None:
    assert params(status_group=group.value) == {"filter[status_group]": group.value}


# The examples of the tools' own description.
@rows(
    ("filters", "sent"),
    [
        ({"operation": "plan,apply"}, {"filter[operation]": "plan_only,plan_and_apply"}),
        ({"operation": "plan"}, {"filter[operation]": "plan_only"}),
        ({"operation": "apply"}, {"filter[operation]": "plan_and_apply"}),
        ({"operation": "apply,destroy"}, {"filter[operation]": "plan_and_apply,destroy"}),
        ({"status": "pending,planning,applying"}, {"filter[status]": "pending,planning,applying"}),
        ({"source": "tfe-ui,tfe-api"}, {"filter[source]": "tfe-ui,tfe-api"}),
        ({"status_group": "running,pending"}, {"filter[status_group]": "non_final"}),
        ({"status_group": "running"}, {"filter[status_group]": "non_final"}),
        ({"operation": "PLAN_ONLY"}, {"filter[operation]": "plan_only"}),
        ({"operation": "Plan, Apply"}, {"filter[operation]": "plan_only,plan_and_apply"}),
        ({"source": "TFE-UI"}, {"filter[source]": "tfe-ui"}),
    ],
)
def test_example_values_are_aliases_of_api_values(filters: dict[str, str], sent: dict[str, str]) -> None:
    assert params(**filters) == sent


# The API takes one group.
@rows(
    ("groups", "sent"),
    [
        ("non_final,discardable", "non_final"),
        ("discardable,running", "non_final"),
        (["running", "pending", "non_final"], "non_final"),
        ("final,final", "final"),
        ("final,non_final", None),
        ("final,running", None),
        ("discardable,final,non_final", None),
    ],
)
def test_combinable_groups_become_one_and_all_runs_none(groups: Any, sent: str | None) -> None:
    assert params(status_group=groups) == ({"filter[status_group]": sent} if sent else {})


@rows("groups", ["final,discardable", "discardable,final", ["discardable", "final"]])
def test_uncombinable_groups_are_refused_with_their_statuses(groups: Any) -> None:
    with pytest.raises(InvalidInput, match="one status group") as caught:
        params(status_group=groups)
    assert "final" in caught.value.message
    assert "discardable" in caught.value.message
    prefix, _, rest = caught.value.solution.partition("filter_status=")
    assert prefix == "Filter by status instead: "
    instead = RunFilters(status=rest.rstrip("."))
    assert instead.unknown_statuses == []
    sent = instead.as_params()["filter[status]"].split(",")
    expected = {*statuses_in(StatusGroup.FINAL), *statuses_in(StatusGroup.DISCARDABLE)}
    assert set(sent) == expected
    assert len(sent) == len(expected)


@rows(
    ("name", "word", "kind", "also"),
    [
        ("operation", "plann", RunOperation, "plan means plan_only, apply means plan_and_apply"),
        ("source", "ui", RunSource, ""),
        ("status_group", "doing", StatusGroup, "running means non_final"),
    ],
)
def test_unknown_value_is_refused_with_the_allowed_ones(
    name: str, word: str, kind: type[RunOperation | RunSource | StatusGroup], also: str
) -> None:
    for value in (word, f"{next(iter(kind)).value},{word}", [word]):
        with pytest.raises(InvalidInput) as caught:
            params(**{name: value})
        assert f'"{word}"' in caught.value.message
        for member in kind:
            assert member.value in caught.value.solution
        assert also in caught.value.solution


@rows(
    ("name", "word", "meant"),
    [
        ("operation", "refresh", "refresh_only"),
        ("source", "tfe_api", "tfe-api"),
        ("status_group", "nonfinal", "non_final"),
    ],
)
def test_misspelled_value_gets_a_suggestion(name: str, word: str, meant: str) -> None:
    with pytest.raises(InvalidInput, match=f'Did you mean "{meant}"'):
        params(**{name: word})


def test_long_wrong_value_is_truncated_in_the_error() -> None:
    with pytest.raises(InvalidInput) as caught:
        params(operation="x" * 10_000)
    assert "x" * 41 not in caught.value.message


# -- statuses ---------------------------------------------------------------------------------------------------------


@rows("status", RunStatus)
def test_every_api_status_is_known(status: RunStatus) -> None:
    filters = RunFilters(status=status.value)
    assert filters.as_params() == {"filter[status]": status.value}
    assert filters.unknown_statuses == []


def test_unknown_status_is_sent_unchanged_and_reported() -> None:
    filters = RunFilters(status="planned, brand_new ,Errored")
    assert filters.as_params() == {"filter[status]": "planned,brand_new,Errored"}
    assert filters.unknown_statuses == ["brand_new", "Errored"]
    assert RunFilters().unknown_statuses == []


# -- timeframe --------------------------------------------------------------------------------------------------------


@rows(("value", "sent"), [("2024", "2024"), (2024, "2024"), (" 2024 ", "2024"), ("year", "year"), (" year", "year")])
def test_timeframe_is_a_year_or_the_last_twelve_months(value: str | int, sent: str) -> None:
    assert params(timeframe=value) == {"filter[timeframe]": sent}


@rows("value", ["24", "last week", "2024-01", "20245", 0, 24, -2024, "YEAR", "٢٠٢٤", "2024,2025", "2024\n1"])
def test_other_timeframe_is_refused_with_the_rules(value: str | int) -> None:
    with pytest.raises(InvalidInput, match='a year, such as 2026, or "year"'):
        params(timeframe=value)


# -- properties -------------------------------------------------------------------------------------------------------

_OPERATION = {"plan": "plan_only", "apply": "plan_and_apply"} | {word.value: word.value for word in RunOperation}
_WORDS = st.text(st.characters(codec="utf-8", exclude_characters=","), max_size=20)


@given(st.lists(st.sampled_from(sorted(_OPERATION)), min_size=1, max_size=8))
@settings(deadline=None)
def test_any_operations_are_sent_once_each(words: list[str]) -> None:
    expected = ",".join(dict.fromkeys(_OPERATION[word] for word in words))
    assert params(operation=words) == params(operation=",".join(words)) == {"filter[operation]": expected}


@given(st.lists(_WORDS, max_size=6))
@settings(deadline=None)
def test_comma_separated_string_and_list_are_equivalent(words: list[str]) -> None:
    assert params(status=",".join(words)) == params(status=words)
    assert RunFilters(status=",".join(words)).unknown_statuses == RunFilters(status=words).unknown_statuses


@given(st.lists(_WORDS, max_size=6))
@settings(deadline=None)
def test_any_statuses_are_sent_and_unknown_ones_reported(words: list[str]) -> None:
    filters = RunFilters(status=words)
    sent = filters.as_params().get("filter[status]", "")
    asked = {word.strip() for word in words} - {""}
    assert set(filter(None, sent.split(","))) == asked
    assert set(filters.unknown_statuses) == asked - set(RunStatus)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            **{
                name: st.none() | st.text(max_size=30) | st.lists(st.text(max_size=12), max_size=4)
                for name in ("operation", "status", "source", "status_group", "agent_pool_names", "workspace_names")
            },
            "timeframe": st.none() | st.text(max_size=6) | st.integers(),
            **{name: st.none() | st.text(max_size=30) for name in ("user", "commit", "search")},
        },
    )
)
@settings(deadline=None)
def test_any_filters_become_a_valid_query_or_invalid_input(filters: dict[str, Any]) -> None:
    try:
        sent = params(**filters)
    except InvalidInput:
        return
    assert sent.keys() <= {_SPELLING[name][1] for name in filters}
    assert all(value and value == value.strip() for value in sent.values())
    allowed = {*RunOperation}
    assert set(filter(None, sent.get("filter[operation]", "").split(","))) <= allowed
    assert sent.get("filter[status_group]", "final") in set(StatusGroup)

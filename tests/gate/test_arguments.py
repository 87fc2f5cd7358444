"""Invalid arguments are refused before anything is sent."""

import json
import time
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, body, query
from tests.support.tables import rows
from tests.tools.calls import REQUIRED, RUN_ID, TOOLS, WORKSPACE_ID, call, failure_of, willing_api
from tfruns.errors import InvalidInput

Place = tuple[str | int, ...]

SECRET_TEXT = "hunter2-Zx81"
SECRET_NUMBER = 918273645546372819

# What a caller may put by mistake where something else is wanted, each holding a secret.
WRONG: dict[str, Any] = {
    "a string": SECRET_TEXT,
    "a number": SECRET_NUMBER,
    "a fraction": 0.918273645546,
    "a list": [SECRET_TEXT, SECRET_NUMBER],
    "an object": {"token": SECRET_TEXT, "pin": SECRET_NUMBER},
    "a boolean": True,
}
FITS: dict[str, set[str]] = {
    "enum": set(),
    "string": {"a string"},
    "integer": {"a number"},
    "boolean": {"a boolean"},
    "array": {"a list"},
    "object": {"an object"},
}
SAYS = {
    "enum": "must be one of ",
    "string": "must be a string.",
    "integer": "must be an integer.",
    "boolean": "must be true or false.",
    "array": "must be a list of ",
    "object": "must be an object.",
}


def places(schema: Mapping[str, Any], above: Place = ()) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    """Every location in the arguments, with its schema."""
    for name, node in schema.get("properties", {}).items():
        yield (*above, name), node
        yield from places(node, (*above, name))
    if schema.get("items"):
        yield (*above, 0), schema["items"]
        yield from places(schema["items"], (*above, 0))


def arguments_with(tool: str, place: Place, value: Any) -> dict[str, Any]:
    """The required arguments of a tool, with a value at a location."""
    for part in reversed(place[1:]):
        if isinstance(part, int):
            value = [value]
        elif part in {"key", "value"}:
            value = {"key": "name", "value": "1", part: value}
        else:
            value = {part: value}
    return {**REQUIRED[tool], str(place[0]): value}


def spelled(place: Place) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


CASES = [
    pytest.param(tool.name, place, type_, wrong, id=f"{tool.name}-{spelled(place)}-{wrong}")
    for tool in TOOLS.values()
    for place, node in places(tool.input_schema)
    if place[-1] != "value"  # of a variable, which may be any JSON value
    and (type_ := "enum" if "enum" in node else node["type"])
    for wrong in WRONG
    if wrong not in FITS[type_] and (place[-1], wrong) != ("variables", "an object")  # a dictionary of variables
]


def all_texts_of(error: InvalidInput) -> str:
    """Everything that a caller or a log with the traceback shows of an error."""
    return "\n".join([json.dumps(error.as_dict()), str(error), repr(error), *traceback.format_exception(error)])


@pytest.mark.anyio
@rows(("tool", "place", "type_", "wrong"), CASES)
async def test_value_of_a_wrong_type_is_refused_and_not_repeated(
    tool: str, place: Place, type_: str, wrong: str
) -> None:
    api = FakeApi()
    error = await failure_of(tool, arguments_with(tool, place, WRONG[wrong]), api=api)
    assert isinstance(error, InvalidInput)
    assert f"{spelled(place)} {SAYS[type_]}" in error.message
    text = all_texts_of(error)
    assert SECRET_TEXT not in text
    assert str(SECRET_NUMBER) not in text
    assert "918273645546" not in text
    assert "pydantic" not in text.lower()
    assert api.requests == []


@pytest.mark.anyio
@rows("tool", [name for name, tool in TOOLS.items() if tool.input_schema.get("required")])
async def test_missing_argument_is_named(tool: str) -> None:
    for arguments in ({}, dict.fromkeys(REQUIRED[tool])):
        api = FakeApi()
        error = await failure_of(tool, arguments, api=api)
        assert isinstance(error, InvalidInput)
        assert error.message == " ".join(f"{name} is required." for name in TOOLS[tool].input_schema["required"])
        assert api.requests == []


@pytest.mark.anyio
@rows("tool", TOOLS)
@rows("value", [1, None, SECRET_TEXT, {"a": SECRET_TEXT}])
async def test_unknown_argument_is_refused_without_its_value(tool: str, value: Any) -> None:
    api = FakeApi()
    error = await failure_of(tool, {**REQUIRED[tool], "quite_another": value}, api=api)
    assert isinstance(error, InvalidInput)
    assert "Unknown argument quite_another." in error.message
    assert next(iter(REQUIRED[tool])) in error.message  # which there are
    assert SECRET_TEXT not in all_texts_of(error)
    assert api.requests == []


_VARIABLE = {"key": "name", "value": "1"}


@pytest.mark.anyio
@rows(
    ("tool", "arguments", "wrong", "meant"),
    [
        ("create_run", {"workspace": WORKSPACE_ID}, "workspace", "workspace_id"),
        ("create_run", {"param": {}}, "param", "params"),
        ("create_run", {"params": {"is-destroy": True}}, "params.is-destroy", "is_destroy"),
        ("create_run", {"params": {"autoApply": True}}, "params.autoApply", "auto_apply"),
        ("create_run", {"params": {"targets_addrs": []}}, "params.targets_addrs", "target_addrs"),
        ("create_run", {"params": {"Message": "x"}}, "params.Message", "message"),
        (
            "create_run",
            {"params": {"variables": [_VARIABLE, _VARIABLE | {"keys": 1}]}},
            "params.variables[1].keys",
            "key",
        ),
        ("list_runs_in_workspace", {"filter_state": "planned"}, "filter_state", "filter_status"),
        ("list_runs_in_organization", {"filter_workspaces": "network"}, "filter_workspaces", "filter_workspace_names"),
        ("list_runs_in_organization", {"page_num": 2}, "page_num", "page_number"),
        ("get_run_details", {"runid": "run-1"}, "runid", "run_id"),
        ("apply_run", {"comments": "yes"}, "comments", "comment"),
    ],
)
async def test_unknown_argument_gets_a_suggestion(tool: str, arguments: dict[str, Any], wrong: str, meant: str) -> None:
    api = FakeApi()
    error = await failure_of(tool, REQUIRED[tool] | arguments, api=api)
    assert isinstance(error, InvalidInput)
    assert f"Unknown argument {wrong}. Did you mean {meant}?" in error.message
    assert api.requests == []


@pytest.mark.anyio
async def test_error_names_all_problems() -> None:
    error = await failure_of(
        "create_run", {"workspace_id": 7, "params": {"refresh": "no", "messsage": "x"}, "wait": True}, api=FakeApi()
    )
    for part in (
        "workspace_id must",
        "params.refresh must",
        "Unknown argument params.messsage",
        "Unknown argument wait",
    ):
        assert part in error.message


@pytest.mark.anyio
@rows(
    "arguments",
    [
        {f"unknown_{number}": number for number in range(2_000)},
        {"x" * 100_000: 1},
        {"params": {"target_addrs": [1] * 5_000}},
    ],
    ids=["many", "long", "list"],
)
async def test_error_stays_short_with_many_problems(arguments: dict[str, Any]) -> None:
    error = await failure_of("create_run", REQUIRED["create_run"] | arguments, api=FakeApi())
    assert len(json.dumps(error.as_dict())) < 1_500


@pytest.mark.anyio
@rows("tool", TOOLS)
async def test_null_is_an_omitted_argument(tool: str) -> None:
    optional = dict.fromkeys(set(TOOLS[tool].input_schema["properties"]) - set(REQUIRED[tool]))
    plain, with_nulls = willing_api(), willing_api()
    expected = await call(tool, REQUIRED[tool], api=plain)
    assert await call(tool, REQUIRED[tool] | optional, api=with_nulls) == expected
    assert [(r.method, str(r.url), r.content) for r in with_nulls.requests] == [
        (r.method, str(r.url), r.content) for r in plain.requests
    ]


@pytest.mark.anyio
async def test_null_is_an_omitted_option_of_a_new_run() -> None:
    params = TOOLS["create_run"].input_schema["properties"]["params"]["properties"]
    plain, with_nulls = willing_api(), willing_api()
    await call("create_run", api=plain)
    await call("create_run", REQUIRED["create_run"] | {"params": dict.fromkeys(params)}, api=with_nulls)
    assert body(with_nulls.sent("POST", "/runs")[0]) == body(plain.sent("POST", "/runs")[0])


@pytest.mark.anyio
@rows(
    ("tool", "arguments"),
    [
        ("get_run_details", {"run_id": "../account/details"}),
        ("get_run_details", {"run_id": "run-1/actions/apply"}),
        ("get_run_details", {"run_id": "run-١٢٣"}),
        ("get_run_details", {"run_id": ""}),
        ("get_run_details", {"run_id": "https://elsewhere.example.com/app/acme/workspaces/network/runs/run-1"}),
        ("apply_run", {"run_id": "ws-LLGHCr4SWy28wyGN"}),
        ("create_run", {"workspace_id": ".."}),
        ("create_run", {"workspace_id": "acme/../../account"}),
        ("create_run", {"workspace_id": WORKSPACE_ID, "params": {"configuration_version_id": "../runs"}}),
        ("list_runs_in_organization", {"organization": "acme/workspaces"}),
        ("list_runs_in_organization", {"organization": "%2e%2e"}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, "page_number": 0}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, "page_size": 101}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, "filter_operation": "planning"}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, "filter_source": "ui"}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, "filter_status_group": "finished"}),
        ("list_runs_in_workspace", {"workspace_id": WORKSPACE_ID, "filter_timeframe": "last week"}),
    ],
)
async def test_invalid_value_is_refused_before_anything_is_sent(tool: str, arguments: dict[str, Any]) -> None:
    api = FakeApi()
    error = await failure_of(tool, arguments, api=api)
    assert isinstance(error, InvalidInput)
    assert error.solution
    assert api.requests == []


@pytest.mark.anyio
async def test_run_can_be_given_as_browser_url() -> None:
    api = willing_api()
    address = f"https://tfe.example.com/app/acme/workspaces/network/runs/{samples.RUN_ID}?tab=plan"
    view = await call("get_run_details", {"run_id": address}, api=api)
    assert view["id"] == samples.RUN_ID


@pytest.mark.anyio
async def test_omitted_filter_is_not_sent() -> None:
    api = willing_api()
    await call("list_runs_in_workspace", api=api)
    assert query(api.requests[0]) == {"page[number]": "1", "page[size]": "20"}


@pytest.mark.anyio
async def test_too_large_input_is_refused_before_it_is_sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TFRUNS_AUDIT_FILE", str(tmp_path / "audit.jsonl"))
    huge = "x" * 50_000_000
    long = "x" * 10_001
    refused: list[tuple[str, dict[str, Any], str]] = [
        ("create_run", {"workspace_id": WORKSPACE_ID, "params": {"message": huge}}, "more than 4,000,000 characters"),
        ("create_run", {"workspace_id": WORKSPACE_ID, "params": {"message": long}}, "at most 10,000"),
        ("apply_run", {"run_id": RUN_ID, "comment": long}, "at most 10,000"),
        ("discard_run", {"run_id": RUN_ID, "comment": huge}, "more than 4,000,000 characters"),
        ("cancel_run", {"run_id": RUN_ID, "comment": long}, "at most 10,000"),
        ("comment_on_run", {"run_id": RUN_ID, "body": long}, "at most 10,000"),
        ("get_run_details", {"run_id": [["x" * 100] * 50_000]}, "more than 4,000,000 characters"),
    ]
    for name, arguments, words in refused:
        api = willing_api()
        began = time.perf_counter()
        failure = await failure_of(name, arguments, api=api)
        assert isinstance(failure, InvalidInput), name
        assert words in failure.message, name
        assert api.sent("POST") == []
        assert time.perf_counter() - began < 2, name
    written = tmp_path / "audit.jsonl"
    assert not written.exists() or written.stat().st_size < 20_000

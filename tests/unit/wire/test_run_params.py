"""The options of a new run: omitted ones are not sent, incompatible ones are refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.api import FakeApi, answer, body, client_for
from tests.support.samples import WORKSPACE_ID, run
from tests.support.tables import rows
from tfruns.errors import InvalidInput
from tfruns.hcl.literals import literal
from tfruns.wire.run_params import RunParams, RunVariableParam

# Run API, "Create a Run"; for the last two, the OpenAPI document.
_OPTIONS: dict[str, tuple[str, Any]] = {
    "message": ("message", "nightly"),
    "auto_apply": ("auto-apply", True),
    "is_destroy": ("is-destroy", True),
    "refresh": ("refresh", False),
    "refresh_only": ("refresh-only", True),
    "plan_only": ("plan-only", True),
    "allow_empty_apply": ("allow-empty-apply", True),
    "allow_config_generation": ("allow-config-generation", True),
    "save_plan": ("save-plan", True),
    "debugging_mode": ("debugging-mode", True),
    "target_addrs": ("target-addrs", ["terraform_data.a", 'module.m["k"].terraform_data.b[0]']),
    "replace_addrs": ("replace-addrs", ["terraform_data.a"]),
    "policy_paths": ("policy-paths", ["policies/a.policy.hcl"]),
    "invoke_action_addrs": ("invoke-action-addrs", ["action.example.a"]),
}
_FLAGS = [name for name, (_, value) in _OPTIONS.items() if isinstance(value, bool)]


# -- what is sent -----------------------------------------------------------------------------------------------------


def test_omitted_options_are_not_sent() -> None:
    assert RunParams().as_attributes() == {}


@rows("name", _OPTIONS)
def test_each_option_is_sent_with_its_wire_name(name: str) -> None:
    wire_name, value = _OPTIONS[name]
    assert RunParams(**{name: value}).as_attributes() == {wire_name: value}


@rows("name", _FLAGS)
@rows("value", [True, False])
def test_flag_is_sent_even_if_it_equals_the_default(name: str, value: bool) -> None:
    assert RunParams(**{name: value}).as_attributes() == {_OPTIONS[name][0]: value}


@rows("name", [*_OPTIONS, "variables", "terraform_version", "configuration_version_id"])
def test_none_counts_as_omitted(name: str) -> None:
    assert RunParams(**{name: None}).as_attributes() == {}


def test_empty_list_or_string_is_sent() -> None:
    params = RunParams(message="", target_addrs=[], variables=[])
    assert params.as_attributes() == {"message": "", "target-addrs": [], "variables": []}


def test_terraform_version_is_sent_with_plan_only() -> None:
    params = RunParams(plan_only=True, terraform_version="1.11.4")
    assert params.as_attributes() == {"plan-only": True, "terraform-version": "1.11.4"}


def test_configuration_version_is_not_an_attribute() -> None:
    params = RunParams(configuration_version_id="cv-n4XQPBa2QnecZJ4G")
    assert params.configuration_version_id == "cv-n4XQPBa2QnecZJ4G"
    assert params.as_attributes() == {}


@pytest.mark.anyio
async def test_exactly_the_given_options_reach_the_api() -> None:
    given = {name: value for name, (_, value) in _OPTIONS.items() if name not in {"refresh_only", "plan_only"}}
    params = RunParams(**given, variables=[RunVariableParam(key="n", value=2)], configuration_version_id="cv-abc")
    api = FakeApi().on("POST", "/runs", answer({"data": run()}, 201))
    async with client_for(api) as client:
        await client.runs.create(WORKSPACE_ID, params)
    (request,) = api.sent("POST", "/runs")
    assert body(request) == {
        "data": {
            "type": "runs",
            "attributes": {_OPTIONS[name][0]: value for name, value in given.items()}
            | {"variables": [{"key": "n", "value": "2"}]},
            "relationships": {
                "workspace": {"data": {"type": "workspaces", "id": WORKSPACE_ID}},
                "configuration-version": {"data": {"type": "configuration-versions", "id": "cv-abc"}},
            },
        }
    }


@given(st.sets(st.sampled_from(sorted(_OPTIONS))))
@settings(deadline=None)
def test_any_compatible_options_are_sent(names: set[str]) -> None:
    given = {name: _OPTIONS[name][1] for name in sorted(names)}
    try:
        params = RunParams(**given)
    except InvalidInput:
        conflicts = ({"is_destroy", "refresh_only"}, {"allow_empty_apply", "plan_only"}, {"save_plan", "plan_only"})
        assert any(names >= conflict for conflict in conflicts)
        return
    assert params.as_attributes() == dict(_OPTIONS[name] for name in sorted(names))


# -- what goes together -----------------------------------------------------------------------------------------------


@rows(
    ("options", "named"),
    [
        ({"is_destroy": True, "refresh_only": True}, ("is_destroy", "refresh_only")),
        ({"terraform_version": "1.11.4"}, ("terraform_version", "plan_only")),
        ({"terraform_version": "1.11.4", "plan_only": False}, ("terraform_version", "plan_only")),
        ({"terraform_version": "1.11.4", "save_plan": True}, ("terraform_version", "plan_only")),
        ({"allow_empty_apply": True, "plan_only": True}, ("allow_empty_apply", "plan_only")),
    ],
)
def test_incompatible_options_are_refused_by_name(options: dict[str, Any], named: tuple[str, str]) -> None:
    with pytest.raises(InvalidInput) as caught:
        RunParams(**options)
    for name in named:
        assert name in str(caught.value)


@rows(
    "options",
    [
        {"is_destroy": True, "refresh_only": False},
        {"is_destroy": False, "refresh_only": True},
        {"allow_empty_apply": True, "plan_only": False},
        {"allow_empty_apply": False, "plan_only": True},
        {"is_destroy": True, "plan_only": True},
        {"save_plan": True, "auto_apply": False},
        {"refresh_only": True, "plan_only": True},
    ],
)
def test_compatible_option_pairs_are_sent(options: dict[str, bool]) -> None:
    assert RunParams(**options).as_attributes() == {_OPTIONS[name][0]: value for name, value in options.items()}


# -- invalid options --------------------------------------------------------------------------------------------------


@rows(
    "name", ["auto-apply", "autoApply", "destroy", "workspace_id", "target", "is_destory", "_included", "model_config"]
)
def test_unknown_option_is_refused_without_its_value(name: str) -> None:
    with pytest.raises(ValidationError, match="extra_forbidden") as caught:
        RunParams(**{name: "fakeSecretValue"})
    assert caught.value.errors()[0]["loc"] == (name,)
    assert "fakeSecretValue" not in str(caught.value)


@rows(
    "options",
    [
        {"message": {"fakeSecretValue": 1}},
        {"auto_apply": "fakeSecretValue"},
        {"target_addrs": "fakeSecretValue"},
        {"target_addrs": [["fakeSecretValue"]]},
        {"variables": {"not a name": "fakeSecretValue"}},
        {"variables": {1: "fakeSecretValue"}},
        {"variables": ["fakeSecretValue"]},
        {"variables": [{"key": "a", "value": 1, "sensitive": "fakeSecretValue"}]},
        {"variables": [{"value": '"fakeSecretValue"'}]},
        {"variables": [{"key": "a"}]},
    ],
)
def test_wrong_type_is_refused_without_the_value(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        RunParams(**options)
    assert "fakeSecretValue" not in str(caught.value)


def test_options_are_immutable() -> None:
    params = RunParams(plan_only=True, terraform_version="1.11.4")
    with pytest.raises(ValidationError, match="frozen"):
        params.plan_only = False  # type: ignore[misc]


# -- variables --------------------------------------------------------------------------------------------------------


def value_of(value: Any) -> Any:
    params = RunParams(variables=[RunVariableParam(key="a", value=value)])
    (variable,) = params.as_attributes()["variables"]
    assert variable.keys() == {"key", "value"}
    return variable["value"]


@rows(
    "text",
    [
        '"text"',
        '""',
        "2",
        "-1.5",
        "true",
        "null",
        '["a", 1]',
        '{ a = "b" }',
        '"$${not_a_reference}"',
        "<<EOT\nx\nEOT",
        '{"a": [1, "b"]}',
    ],
)
def test_hcl_literal_is_sent_unchanged(text: str) -> None:
    assert value_of(text) == text


@rows(
    ("value", "sent"),
    [
        (2, "2"),
        (-1.5, "-1.5"),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (["a", 1, None], '["a", 1, null]'),
        ({"name": "x", "tags": ["${y}"]}, '{"name" = "x", "tags" = ["$${y}"]}'),
        ([], "[]"),
        ({}, "{}"),
    ],
)
def test_other_json_values_are_sent_as_literals(value: Any, sent: str) -> None:
    assert value_of(value) == sent


@rows("text", ["", "text", "us-east-1", "var.x", "${var.x}", '"${var.x}"', "[a]", "'a'", "t2.micro", "1 + 1"])
def test_string_that_is_not_a_literal_is_refused_with_the_quoted_form(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        RunVariableParam(key="region", value=text)
    assert "region" in caught.value.message
    assert "HCL literal" in caught.value.message
    assert r'"\"some text\""' in caught.value.solution


@rows("value", ["fakeSecretValue", '"${fakeSecretValue}"', {"a": {1, 2, "fakeSecretValue"}}])
def test_refused_value_is_not_repeated(value: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        RunVariableParam(key="password", value=value)
    assert "fakeSecretValue" not in json.dumps(caught.value.as_dict())
    assert "password" in caught.value.message


@rows("value", [float("nan"), float("inf"), [float("nan")], object()])
def test_value_without_a_literal_form_is_refused(value: Any) -> None:
    with pytest.raises(InvalidInput, match="cannot be written as an HCL literal"):
        RunVariableParam(key="a", value=value)


@rows("key", ["a", "_a", "A1", "my-key", "my_key", "a" * 200])
def test_variable_key_is_an_identifier(key: str) -> None:
    assert RunVariableParam(key=key, value=1).key == key


@rows("key", ["", "1a", "-a", "a b", "a.b", "a=b", "a\n", "a\nb", 'a"', "${a}", "é"])
def test_invalid_variable_key_is_refused(key: str) -> None:
    with pytest.raises(ValidationError, match="pattern"):
        RunVariableParam(key=key, value=1)


def test_repr_hides_variable_values() -> None:
    variable = RunVariableParam(key="password", value='"fakeSecretValue"')
    params = RunParams(variables=[variable], message="m")
    for shown in (repr(variable), str(variable), repr(params), str(params), f"{params}"):
        assert "fakeSecretValue" not in shown
    assert "password" in repr(variable)
    assert params.as_attributes()["variables"] == [{"key": "password", "value": '"fakeSecretValue"'}]


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner | st.text(), max_size=3) | st.dictionaries(st.text(), inner | st.text(), max_size=3),
    max_leaves=6,
)


@given(_VALUES)
@settings(deadline=None)
def test_any_json_value_except_strings_is_sent_as_a_literal(value: Any) -> None:
    assert value_of(value) == literal(value)


def test_dictionary_of_python_values_is_encoded_as_hcl() -> None:
    values: dict[str, tuple[Any, str]] = {
        "region": ("eu", '"eu"'),
        "digits": ("2", '"2"'),
        "word": ("true", '"true"'),
        "template": ("${var.a} %{if}", '"$${var.a} %%{if}"'),
        "quoted": ('"a"', '"\\"a\\""'),
        "size": (2, "2"),
        "ratio": (0.5, "0.5"),
        "is_on": (False, "false"),
        "nothing": (None, "null"),
        "zones": (["a", 1], '["a", 1]'),
        "pair": (("a", "b"), '["a", "b"]'),
        "tags": ({"a b": {"n": [True]}}, '{"a b" = {"n" = [true]}}'),
    }
    params = RunParams(variables={key: value for key, (value, _) in values.items()})
    assert params.as_attributes() == {
        "variables": [{"key": key, "value": literal} for key, (_, literal) in values.items()]
    }


def test_dictionary_and_list_of_variables_are_equal() -> None:
    assert RunParams(variables={"a": "b"}) == RunParams(variables=[RunVariableParam(key="a", value='"b"')])
    assert RunParams(variables={}).as_attributes() == {"variables": []}


@rows("value", [float("nan"), float("inf"), object(), {1, 2}, b"bytes", "\ud800", [object()]])
def test_value_that_hcl_cannot_express_is_refused_by_name(value: Any) -> None:
    with pytest.raises(InvalidInput, match="The value of the variable size cannot be written as an HCL literal"):
        RunParams(variables={"size": value})

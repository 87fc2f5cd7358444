"""The settings of a Terraform CLI configuration file, in HCL 1 and in JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.tables import rows
from tfruns.hcl.cli_settings import read_cli_settings
from tfruns.hcl.lexer import HclSyntaxError

TOKEN = ("credentials", "tfe.example.com", "token")


# Terraform 1.11 accepts each of these.
@rows(
    "text",
    [
        'credentials "tfe.example.com" {\n  token = "x"\n}\n',
        'credentials "tfe.example.com" { "token" = "x" }',
        '"credentials" "tfe.example.com" { token = "x" }',
        'credentials tfe.example.com { token = "x" }',
        'credentials { "tfe.example.com" = { token = "x" } }',
        'credentials = { "tfe.example.com" { token = "x" } }',
        'credentials "tfe.example.com" { plugin = 5 token = "x", other = true }',
        'credentials "tfe.example.com" { # { "\n token = "x" // }\n /* } */ }',
        '{"credentials": {"tfe.example.com": {"token": "x"}}}',
        ' \n{"credentials": [{"tfe.example.com": [{"token": "x"}]}]}',
    ],
)
def test_block_and_object_have_the_same_path(text: str) -> None:
    assert (TOKEN, "x") in read_cli_settings(text)


def test_list_items_have_the_path_of_the_list() -> None:
    text = 'provider_installation {\n  direct { exclude = ["a/*", "b/*",] }\n}\nx = <<EOT\nlong\nEOT\ny = -5'
    path = ("provider_installation", "direct", "exclude")
    assert read_cli_settings(text) == [(path, "a/*"), (path, "b/*"), (("x",), "long\n")]


@rows(
    "text",
    [
        "a",
        "a =",
        "a = }",
        "}",
        "a {",
        "a = [",
        'a = ["b" "c"]',
        "a = [1",
        'a = "b',
        '"${x}" = 1',
        "= 1",
        "a = /* b",
        "a = " + "[" * 200,
        "a {" * 200,
        '{"a": ' * 200 + "1" + "}" * 200,
        '{"a"',
        '\ufeffa = "b"',
    ],
)
def test_invalid_file_is_rejected(text: str) -> None:
    with pytest.raises(HclSyntaxError):
        read_cli_settings(text)


@given(st.text(alphabet='ab"\\{}[]=,-.0# \n/*<$%') | st.text())
def test_any_text_is_parsed_or_rejected(text: str) -> None:
    try:
        settings = read_cli_settings(text)
    except HclSyntaxError:
        return
    assert all(isinstance(value, str) for _, value in settings)


@given(st.dictionaries(st.text(), st.text() | st.dictionaries(st.text(), st.text(), max_size=3), max_size=3))
def test_every_string_of_a_json_file_is_found(document: dict[str, str | dict[str, str]]) -> None:
    expected = [
        ((key, *inner), text)
        for key, value in document.items()
        for inner, text in ([((), value)] if isinstance(value, str) else [((k,), v) for k, v in value.items()])
    ]
    assert read_cli_settings(json.dumps(document)) == expected

"""JSON values as HCL literals, which Terraform parses as the same values."""

import json
import math
import shutil
import subprocess
import unicodedata
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.tables import rows
from tfruns.hcl.literals import NotALiteral, is_literal, literal


@rows(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (1.5, "1.5"),
        ("", '""'),
        ("text", '"text"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("C:\\temp", '"C:\\\\temp"'),
        ("a\nb\r\tc", '"a\\nb\\r\\tc"'),
        ("\x00\x1f\x7f", '"\\u0000\\u001f\\u007f"'),
        ("é 😀", '"é 😀"'),
        ("${var.x}", '"$${var.x}"'),
        ("%{ if true }", '"%%{ if true }"'),
        ("$${x}", '"$$${x}"'),
        ("$ % {x} 100%", '"$ % {x} 100%"'),
        ([], "[]"),
        ([1, "a", [None]], '[1, "a", [null]]'),
        ({}, "{}"),
        ({"a": 1, "b c": {"${d}": []}}, '{"a" = 1, "b c" = {"$${d}" = []}}'),
    ],
)
def test_json_value_has_a_literal(value: Any, text: str) -> None:
    assert literal(value) == text


@rows(
    "value",
    [
        math.nan,
        math.inf,
        [-math.inf],
        {"a": {"b": [math.nan]}},
        object(),
        b"bytes",
        {1, 2},
        Path("x"),
        pytest.param("\ud800", id="an unpaired surrogate"),
        pytest.param({"\udfff": 1}, id="an unpaired surrogate in a key"),
    ],
)
def test_value_that_is_not_json_has_no_literal(value: Any) -> None:
    with pytest.raises(NotALiteral):
        literal(value)


def test_error_does_not_repeat_the_value() -> None:
    class Secret:
        def __repr__(self) -> str:
            return "fakeSecretValue"

    with pytest.raises(NotALiteral) as caught:
        literal({"a": Secret()})
    assert "fakeSecretValue" not in str(caught.value)


@pytest.mark.parametrize("wrap", [lambda inner: [inner], lambda inner: {"a": inner}], ids=["lists", "objects"])
def test_nesting_is_limited(wrap: Any) -> None:
    value: Any = 1
    for _ in range(99):
        value = wrap(value)
    assert is_literal(literal(value))
    with pytest.raises(NotALiteral, match="100 levels deep"):
        literal(wrap(value))
    for _ in range(5000):
        value = wrap(value)
    with pytest.raises(NotALiteral, match="100 levels deep"):
        literal(value)


# HCL strings contain no unpaired surrogates. Strings that Terraform normalizes are compared after normalization.
_TEXT = st.text(st.characters(codec="utf-8"), max_size=20) | st.lists(
    st.sampled_from(["$", "%", "{", "}", '"', "\\", "\n", "\r", "a", "#", "//", "/*", "<<E\n", "é"]), max_size=8
).map("".join)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=10,
)


@given(_JSON)
@example("${")
@example(["%{"])
@example({"a $${": "%%{x}"})
@settings(deadline=None)
def test_literal_of_any_json_value_is_a_literal(value: Any) -> None:
    assert is_literal(literal(value))


@given(_TEXT)
@settings(deadline=None)
def test_literal_of_a_string_has_one_line_and_no_template(text: str) -> None:
    rendered = literal(text)
    inner = rendered[1:-1].replace("$${", "").replace("%%{", "")
    assert rendered[0] == rendered[-1] == '"'
    assert "${" not in inner
    assert "%{" not in inner
    assert not any(character < " " or character == "\x7f" for character in rendered)


_FOR_TERRAFORM: list[Any] = [
    None,
    True,
    [0, -7, 1.5, -0.25, 1e16, 1e-7, 123456789012345678901234567890],
    "",
    "plain",
    'say "hi"',
    "C:\\temp\\new",
    "a\nb\r\tc",
    "\x01\x1f\x7f",
    "\u2028\ufeff\U0001f600é",
    "cafe\u0301",  # Terraform normalizes text to NFC
    "${var.x} %{ if true }x%{ endif }",
    "${",
    "%{",
    "$${x}",
    "$$${x}",
    "%%{x}",
    "%${x}",
    "$%{x}",
    "$",
    "$$",
    "100%",
    "#not //a /*comment",
    "<<EOT\nx\nEOT",
    "\\${x}",
    "\\u0041",
    [],
    {},
    [[], [{}], "a", None],
    {"a": 1, "b c": None, "": [], "for": 1, "null": 1, "${d}": "${e}", 'q"q': "x", "line\nbreak": 1},
    {"tags": {"Name": "web", "cost": "5 $"}, "ports": [80, 443]},
]


def _as_terraform_compares(value: Any) -> Any:
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [_as_terraform_compares(item) for item in value]
    if isinstance(value, dict):
        return {_as_terraform_compares(key): _as_terraform_compares(item) for key, item in value.items()}
    return value


@pytest.mark.processes
@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the PATH")
def test_terraform_parses_each_literal_as_the_same_json(tmp_path: Path) -> None:
    # The console prints a quoted HCL string that contains JSON. Base64 avoids escapes in it.
    expression = f"base64encode(jsonencode({literal(_FOR_TERRAFORM)}))\n"
    done = subprocess.run(
        ["terraform", "console", "-no-color"],
        input=expression.encode(),
        cwd=tmp_path,
        env={
            "PATH": str(Path(shutil.which("terraform") or "").parent),
            "HOME": str(tmp_path),
            "CHECKPOINT_DISABLE": "1",
        },
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    answer = json.loads(b64decode(done.stdout.decode().strip().strip('"')))
    assert answer == _as_terraform_compares(_FOR_TERRAFORM)

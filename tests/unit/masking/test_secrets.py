"""The sensitive values of a plan are collected from every section, and masked in every text."""

import json
import time
from base64 import b64encode
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.tables import rows
from tests.unit.review.plans import change, plan, resource
from tfruns.masking.redaction import redact
from tfruns.masking.secrets import MASKED, Secrets

SECRET = "s3cret-Zx81"


def masked(values: list[str], text: str) -> str:
    return Secrets(values).mask(text)


@rows(
    "sections",
    [
        {"resource_changes": [resource(after={"pw": SECRET}, after_sensitive={"pw": True})]},
        {"resource_changes": [resource(before={"pw": SECRET}, before_sensitive={"pw": True})]},
        {"resource_changes": [resource(after=[{"pw": SECRET}], after_sensitive=[{"pw": True}])]},
        {"resource_changes": [resource(after={"all": {"deep": [SECRET]}}, after_sensitive=True)]},
        {"resource_changes": [resource(after={"map": {SECRET: 1}}, after_sensitive={"map": True})]},
        {"resource_changes": [resource(after={"pw": SECRET}, after_sensitive=[True])]},
        {"resource_drift": [resource(before={"pw": SECRET}, before_sensitive={"pw": True})]},
        {
            "deferred_changes": [
                {"reason": "x", "resource_change": resource(after={"pw": SECRET}, after_sensitive={"pw": True})}
            ]
        },
        {"output_changes": {"o": change(["create"], after=SECRET, after_sensitive=True)}},
        {"output_changes": {"o": change(["delete"], before=SECRET, before_sensitive=True)}},
        {
            "variables": {"v": {"value": {"deep": SECRET}}},
            "configuration": {"root_module": {"variables": {"v": {"sensitive": True}}}},
        },
        {"configuration": {"root_module": {"variables": {"v": {"sensitive": True, "default": SECRET}}}}},
        {
            "configuration": {
                "root_module": {
                    "module_calls": {
                        "m": {
                            "expressions": {"v": {"constant_value": SECRET}},
                            "module": {"variables": {"v": {"sensitive": True}}},
                        }
                    }
                }
            }
        },
        {
            "configuration": {
                "root_module": {
                    "module_calls": {
                        "m": {
                            "module": {"outputs": {"o": {"sensitive": True, "expression": {"constant_value": SECRET}}}}
                        }
                    }
                }
            }
        },
        {"prior_state": {"values": {"outputs": {"o": {"sensitive": True, "value": SECRET}}}}},
        {"planned_values": {"outputs": {"o": {"sensitive": True, "value": SECRET}}}},
        {
            "prior_state": {
                "values": {
                    "root_module": {
                        "child_modules": [{"resources": [{"values": {"pw": SECRET}, "sensitive_values": {"pw": True}}]}]
                    }
                }
            }
        },
        {"action_invocations": [{"config_values": {"pw": SECRET}, "config_sensitive": {"pw": True}}]},
        {
            "deferred_action_invocations": [
                {"action_invocation": {"config_values": {"pw": SECRET}, "config_sensitive": {"pw": True}}}
            ]
        },
    ],
)
def test_sensitive_value_is_collected_from_every_section(sections: dict[str, Any]) -> None:
    secrets = Secrets.of_plan(sections)
    assert secrets.mask(f"it is {SECRET}!") == f"it is {MASKED}!"


def test_unmarked_value_is_not_masked() -> None:
    found = Secrets.of_plan(
        plan(
            resource(after={"pw": SECRET, "name": "a-name-of-it"}, after_sensitive={"pw": True, "name": False}),
            variables={"v": {"value": "an-open-value"}},
            configuration={"root_module": {"variables": {"v": {}}}},
        )
    )
    assert found.mask("a-name-of-it, an-open-value") == "a-name-of-it, an-open-value"


def test_attribute_names_in_a_sensitive_value_stay_readable() -> None:
    value = {"description": SECRET, "from_port": 1, "Key-Of-A-Map": 2}
    found = Secrets.of_plan(plan(resource(after={"rule": value}, after_sensitive={"rule": True})))
    assert found.mask("description, from_port, Key-Of-A-Map") == f"description, from_port, {MASKED}"


@rows(
    ("value", "text"),
    [
        (SECRET, f"begin{SECRET}end"),
        ('quote"and\\back', json.dumps({"a": 'quote"and\\back'})),
        ("a<b>&c-secret", r'{"a":"a\u003cb\u003e\u0026c-secret"}'),
        ("${not}-a-template", '"$${not}-a-template"'),
        ("line-one\nline-two\n", "  line-one\r\n  | line-two"),
        ("line-one\nline-two", r'"line-one\nline-two"'),
        ("tab\there-it-is", r'"tab\there-it-is"'),
        ("größe-ß", json.dumps("größe-ß", ensure_ascii=False)),
    ],
)
def test_secret_is_masked_in_each_written_form(value: str, text: str) -> None:
    shown = masked([value], text)
    assert MASKED in shown
    for part in [value, *value.splitlines(), json.dumps(value, ensure_ascii=False)[1:-1]]:
        assert part not in shown


def test_overlapping_secrets_are_masked_completely() -> None:
    assert masked(["abcdefgh", "efghijkl"], "-abcdefghijkl-") == f"-{MASKED}-"
    assert masked(["abcdef", "abcdefghij"], "-abcdefghij-") == f"-{MASKED}-"
    assert masked(["aaaaaa"], "aaaaaaaaa") == MASKED


def test_short_value_is_not_masked() -> None:
    assert masked(["short"], "short") == "short"
    assert masked([], SECRET) == SECRET


def test_sensitive_numbers_of_six_digits_are_masked() -> None:
    value = {"pin": 123456, "small": 80, "pi": 3.14159, "big": 1e9, "yes": True}
    secrets = Secrets.of_plan(plan(resource(after=value, after_sensitive=dict.fromkeys(value, True))))
    assert secrets.mask("pin 123456, 80, 3.14159, 1000000000, true") == (f"pin {MASKED}, 80, {MASKED}, {MASKED}, true")
    assert secrets.mask_document({"a": 123456, "b": [80, 3.14159, 1e9, True]}) == {
        "a": MASKED,
        "b": [80, MASKED, MASKED, True],
    }


def test_document_is_masked_at_any_depth() -> None:
    found = Secrets([SECRET]).mask_document({"a": [SECRET, {SECRET: f"x{SECRET}"}], "n": None, "t": (1, SECRET)})
    assert found == {"a": [MASKED, {MASKED: f"x{MASKED}"}], "n": None, "t": [1, MASKED]}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
SECTIONS = (
    "resource_changes",
    "resource_drift",
    "deferred_changes",
    "output_changes",
    "action_invocations",
    "variables",
    "configuration",
    "prior_state",
    "planned_values",
)


@given(st.dictionaries(st.sampled_from(SECTIONS), JSON_VALUES), st.text(max_size=30))
def test_malformed_plan_raises_no_error(sections: dict[str, Any], text: str) -> None:
    Secrets.of_plan(sections).mask_document([text, sections])


@given(st.lists(st.text(alphabet='ab\\"<\n', max_size=12), max_size=5), st.text(alphabet='ab\\"<\n', max_size=40))
def test_masking_removes_secrets_and_nothing_else(values: list[str], text: str) -> None:
    shown = masked(values, text)
    for value in values:
        assert len(value) < 6 or value not in shown
    rest = text
    for part in shown.split(MASKED):
        assert part in rest
        rest = rest[rest.index(part) + len(part) :]


def test_thousands_of_secrets_are_masked_quickly() -> None:
    secrets = Secrets(f"secret-number-{number}" for number in range(5000))
    text = "no secret is in this line, but one in the next\n" * 20_000 + "secret-number-4999"
    start = time.perf_counter()
    assert secrets.mask(text).endswith(f"next\n{MASKED}")
    assert time.perf_counter() - start < 5  # a megabyte takes about 0.1 s on an idle machine


_ALIKE = st.text(alphabet="ab", min_size=6, max_size=12)


@given(st.lists(_ALIKE, max_size=12), st.text(alphabet="ab", max_size=60))
def test_secrets_with_common_prefixes_are_all_masked(values: list[str], text: str) -> None:
    covered = [False] * len(text)
    for value in values:
        for index in range(len(text)):
            if text.startswith(value, index):
                covered[index : index + len(value)] = [True] * len(value)
    kept = "".join(character for character, is_masked in zip(text, covered, strict=True) if not is_masked)
    assert masked(values, text).replace(MASKED, "") == kept


def test_thousands_of_secrets_with_one_prefix_are_masked_quickly() -> None:
    secrets = Secrets(f"https:{number}{'x' * (number % 700)}" for number in range(5_000))
    text = "https:" * 60_000
    start = time.process_time()
    assert secrets.mask(text) == text
    assert time.process_time() - start < 2


@rows(
    ("value", "text", "expected"),
    [
        ("1", 'a = 1, "1", 11, v1', f'a = {MASKED}, "{MASKED}", 11, v1'),
        ("a", 'a word: a; "a"', f'a word: {MASKED}; "{MASKED}"'),
        ("Qx4", "Qx4 aQx4 Qx4b (Qx4)", f"{MASKED} aQx4 Qx4b ({MASKED})"),
        ("true", 'true "true"', 'true "true"'),
        ("", '""', '""'),
    ],
)
def test_short_variable_value_is_masked_as_a_whole_word(value: str, text: str, expected: str) -> None:
    assert Secrets(of_variables=[value]).mask(text) == expected


def test_short_variable_value_is_masked_as_a_document_value() -> None:
    shown = Secrets(of_variables=["1", "pin", "true"]).mask_document({"a": 1, "b": "1", "c": 11, "d": "pin", "e": True})
    assert shown == {"a": MASKED, "b": MASKED, "c": 11, "d": MASKED, "e": True}


def test_sensitive_digit_is_masked_only_as_a_value() -> None:
    secrets = Secrets(of_variables=["1"])
    for kept in (
        "Plan: 1 to add, 1 to change, 1 to destroy.",
        "Apply complete! Resources: 1 added, 1 changed, 1 destroyed.",
        "Error: exit status 1",
        "  on main.tf line 1, in resource",
        "   1: resource",
        "aws_instance.web[1]: Creating... after 1s [id=i-1]",
        "module.a[1].b.c[1]",
        "rules[1].ports[10]",
        "step 1/1 of 1",
    ):
        assert secrets.mask(kept) == kept
    for kept in ("exit code: 1", "exit code 1", "Exit status: 1.", "failed (exit code: 1)", "with exit code:1\n"):
        assert secrets.mask(kept) == kept
    assert Secrets(of_variables=["127"]).mask("pin 127, exit status 127") == f"pin {MASKED}, exit status 127"
    for text in (
        "the code: 1",
        "exitcode: 1",
        "exit code: 0, pin: 1",
        "v = 1",
        'v = "1"',
        "v: 1 -> 2",
        "[1, 2]",
        "f(1)",
        "{1}",
        'a.b["1"]',
    ):
        assert secrets.mask(text) == text.replace("1", MASKED), text


@given(
    st.lists(st.text("ab", min_size=6, max_size=90), min_size=1, max_size=3), st.text("abc", max_size=900), st.data()
)
def test_text_masked_in_parts_shows_no_more_than_the_whole(values: list[str], text: str, data: st.DataObject) -> None:
    secrets = Secrets(values, replacement="*")
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    shown, rest = b"", b""
    for start, end in pairwise([0, *cuts, len(text)]):
        begin, rest = secrets.mask_start(rest + text[start:end].encode())
        shown += begin
    shown += secrets.mask_bytes(rest)
    assert shown.replace(b"*", b"") == secrets.mask_bytes(text.encode()).replace(b"*", b"")


MIXED = 'Tr0ub4dor&3-\u00e9<x>"q\\w'

# A value, a text that contains it in another form, and the masked text.
MASKED_FORMS = [
    (MIXED, json.dumps(MIXED).replace("\\u00e9", "\\u00E9"), f'"{MASKED}"'),
    (MIXED, json.dumps(json.dumps({"a": MIXED}))[1:-1], f'{{\\"a\\": \\"{MASKED}\\"}}'),
    ("ab/cd/efgh", '"ab\\/cd\\/efgh"', f'"{MASKED}"'),
    (MIXED, "Tr0ub4dor%263-%c3%a9%3cx%3e%22q%5cw", MASKED),
    ("p@ss:w0rd!x", "u:p%40ss%3Aw0rd!x@h", f"u:{MASKED}@h"),
    ("p@ss w0rd!$&x", "/p@ss%20w0rd%21$&x", f"/{MASKED}"),
    (MIXED, "Tr0ub4dor&amp;3-\u00e9&lt;x&gt;&quot;q\\w", MASKED),
    (MIXED, "Tr0ub4dor&amp;3-\u00e9&lt;x&gt;&#34;q\\w", MASKED),
    ("it'sasecret", "'it'\\''sasecret'", f"'{MASKED}'"),
    ('say "hi" now', '"say ""hi"" now"', f'"{MASKED}"'),
    ("pass\U0001f512word", '"pass\\U0001f512word"', f'"{MASKED}"'),
    ("s\u00e9cr\u00e8t", "se\u0301cre\u0300t", MASKED),
    ('{"user":"u","password":"hunter2Pass"}', 'password = "hunter2Pass"', f'password = "{MASKED}"'),
    ('["aaaaaa1", {"n": 1234567}]', "aaaaaa1 and 1234567", f"{MASKED} and {MASKED}"),
    ("hunter2Pass", b64encode(b"hunter2Pass").decode(), f"{MASKED}M="),
    ("hunter2Pass?>", b64encode(b"user:hunter2Pass?>").decode(), f"dXNlcjp{MASKED}"),
    ("hunter2Pass", f"Authorization: Bearer {'hunter2Pass'}", f"Authorization: Bearer {MASKED}"),
]
# Forms that are not masked, as documented in docs/review.md.
UNMASKED_FORMS = [
    ("hunter2Pass", "HUNTER2PASS"),
    ("hunter2Pass", b"hunter2Pass".hex()),
    ("correct horse battery staple", "correct horse\nbattery staple"),
    ("pass  word  1", "pass word 1"),
    ("ab\ncd\nef\ngh", "  ab\n  cd\n  ef\n  gh"),
    ("1234567890", "1.23456789e+09"),
    ("abcdefghijklmnop", "abcdefgh"),
]


def test_value_is_masked_in_each_encoding() -> None:
    for value, text, shown in MASKED_FORMS:
        assert redact(Secrets([value]).mask(text)) == shown, text


def test_documented_limits_of_masking() -> None:
    for value, text in UNMASKED_FORMS:
        assert Secrets([value]).mask(text) == text


@given(st.binary(max_size=20), st.text(min_size=6, max_size=40), st.binary(max_size=20))
def test_value_is_masked_at_any_offset_in_base64(before: bytes, value: str, after: bytes) -> None:
    data = value.encode()
    shown = Secrets([value]).mask(b64encode(before + data + after).decode())
    assert MASKED in shown
    assert len(shown) - len(MASKED) <= 4 * (len(before) + len(after)) / 3 + 8

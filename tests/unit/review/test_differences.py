"""The attributes that change, and their values before and after."""

import json
from typing import Any

from tests.support.tables import rows
from tests.unit.review.plans import resource
from tests.unit.review.views import lines_of, rows_of


@rows(
    ("before", "after", "lines"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, ["b: 2 -> 3"]),
        ({"a": "x"}, {"a": None}, ['a: "x" -> null']),
        ({"a": None}, {}, []),
        ({}, {"a": None}, []),
        ({"a": 1}, {"a": True}, ["a: 1 -> true"]),
        ({"a": 1}, {"a": "1"}, ['a: 1 -> "1"']),
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": "x"}, {"a": ["x"]}, ['a: "x" -> ["x"]']),
        ({"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, ["a.b.c: 1 -> 2"]),
        ({"t": {"a key": 1}}, {"t": {"a key": 2}}, ['t["a key"]: 1 -> 2']),
        ({"l": [1, 2]}, {"l": [2, 1]}, ["l: [1, 2] -> [2, 1] (the order changes)"]),
        ({"l": [1, 2, 3]}, {"l": [1, 3]}, ["l[1]: 2 -> null"]),
        ({"l": [1, 1]}, {"l": [1]}, ["l[1]: 1 -> null"]),
        ({"l": []}, {"l": ["a", "b"]}, ['l[0]: null -> "a"', 'l[1]: null -> "b"']),
        ({"b": [{"x": 1, "y": 1}]}, {"b": [{"x": 2, "y": 1}]}, ["b[0].x: 1 -> 2"]),
        ({"b": [{"x": 1}, {"x": 2}]}, {"b": [{"x": 2}, {"x": 3}]}, ["b[1].x: 1 -> 3"]),
        ({"b": [1, 2]}, {"b": [3, 4]}, ["b[0]: 1 -> 3", "b[1]: 2 -> 4"]),
        ({"p": '{"A":[1],"B":2}'}, {"p": '{"B":2,"A":[3]}'}, ["p.A[0]: 1 -> 3"]),
        (
            {"p": '{"A": 1}'},
            {"p": '{"A":1}'},
            ['p: "{\\"A\\": 1}" -> "{\\"A\\":1}" (the same JSON, formatted differently)'],
        ),
        (
            {"p": '{"A":null,"B":1}'},
            {"p": '{"B":1}'},
            ['p: "{\\"A\\":null,\\"B\\":1}" -> "{\\"B\\":1}" (only null members are added or removed)'],
        ),
        ({"s": "\u00e9"}, {"s": "e\u0301"}, ['s: "\u00e9" -> "e\u0301" (the difference is not visible)']),
        ({"p": '{"A": 1}'}, {"p": "{no json"}, ['p: "{\\"A\\": 1}" -> "{no json"']),
        ({"s": "a\nb"}, {"s": "a b"}, ['s: "a b" -> "a b" (the difference is not visible)']),
    ],
)
def test_changed_attribute_shows_before_and_after(before: Any, after: Any, lines: list[str]) -> None:
    assert lines_of(before, after) == lines


def test_new_resource_shows_values_but_no_empty_ones() -> None:
    after: dict[str, Any] = {
        "name": "x",
        "none": None,
        "empty": [],
        "tags": {},
        "zero": 0,
        "no": False,
        "block": [{"a": 1, "b": None}],
    }
    assert lines_of(None, after, ["create"]) == ['name: "x"', "zero: 0", "no: false", 'block: [{"a": 1}]']


def test_computed_attributes_share_a_line_unless_they_force_replacement() -> None:
    unknown = {"id": True, "ami": True, "tags": {"a": True, "b": False}, "l": [False, True]}
    lines = lines_of(
        {"id": "i-1", "ami": "a-1", "tags": {"a": 1, "b": 2}, "l": [1, 2]},
        {"tags": {"b": 2}, "l": [1, None]},
        ["delete", "create"],
        after_unknown=unknown,
        replace_paths=[["ami"]],
    )
    assert lines == ['ami: "a-1" -> (known after apply) (forces replacement)', "known after apply: id, tags.a, l[1]"]


@rows("path", [["disk"], ["disk", 0], ["disk", 0, "size"], ["disk", 0, "size", "deeper"]])
def test_attribute_that_forces_replacement_is_marked_and_first(path: list[Any]) -> None:
    lines = lines_of(
        {"a": 1, "disk": [{"size": 1}]}, {"a": 2, "disk": [{"size": 2}]}, ["delete", "create"], replace_paths=[path]
    )
    assert lines == ["disk[0].size: 1 -> 2 (forces replacement)", "a: 1 -> 2"]


@rows(
    ("path", "is_forcing"),
    [
        (["a"], True),
        (["a", "b"], True),
        (["a", "b", 0, "c"], True),
        (["a", "b", 0, "c", "d"], True),
        ([], True),
        (["a", "b", 1], False),
        (["a", "x"], False),
        (["a", {"b": 1}], False),
    ],
)
def test_replace_path_marks_attributes_above_and_below_it(path: list[Any], is_forcing: bool) -> None:
    before, after = ({"a": {"b": [{"c": value}], "x": 0}} for value in (1, 2))
    (line,) = lines_of(before, after, ["delete", "create"], replace_paths=[path])
    assert line == f"a.b[0].c: 1 -> 2{' (forces replacement)' if is_forcing else ''}"


def test_changed_sensitivity_of_a_value_is_noted() -> None:
    values = {"a": "the-value"}
    assert lines_of(values, values, after_sensitive={"a": True}) == [
        "a: (sensitive value) -> (sensitive value) (becomes sensitive; the value is unchanged)"
    ]
    assert lines_of(values, {"a": "other-value"}, before_sensitive={"a": True}) == [
        'a: (sensitive value) -> "other-value" (is no longer sensitive)'
    ]


def test_value_that_becomes_sensitive_is_masked_on_both_sides() -> None:
    for before, after, unknown in (
        ({"a": "the-old-secret"}, {"a": "the-new-secret"}, {}),
        ({"a": "the-old-secret"}, {}, {"a": True}),
        ({"a": ["the-old-secret", {"b": "x"}]}, {"a": ["the-new-secret"]}, {}),
        ({"a": {"k": "the-old-secret"}}, {"a": {"k": "the-new-secret", "m": 1}}, {}),
    ):
        lines = lines_of(before, after, after_sensitive={"a": True}, after_unknown=unknown)
        assert lines == ["a: (sensitive value) -> (sensitive value) (becomes sensitive)"]


def test_value_that_stays_sensitive_in_part_is_not_called_public() -> None:
    before, after = {"a": {"k": "the-secret", "m": 1}}, {"a": {"k": "the-secret", "m": 2}}
    assert lines_of(before, after, before_sensitive={"a": True}, after_sensitive={"a": {"k": True}}) == [
        'a: (sensitive value) -> {"k": (sensitive value), "m": 2} (is sensitive only in part)'
    ]


def test_json_with_a_repeated_key_is_compared_as_text() -> None:
    """Readers differ in which of the values they take, so none of them is hidden."""
    before, after = '{"Action":"*","Action":"s3:Get"}', '{"Action":"s3:*","Action":"s3:Get"}'
    assert lines_of({"p": before}, {"p": after}) == [f"p: {json.dumps(before)} -> {json.dumps(after)}"]
    long = json.dumps({"a": "x" * 200})[:-1] + ', "Action": "*", "Action": "s3:Get"}'
    (line,) = lines_of({"p": long}, {"p": long.replace('"*"', '"s3:*"')})
    assert '\\"*\\"' in line
    assert '\\"s3:*\\"' in line


def test_long_strings_start_shortly_before_their_difference() -> None:
    (line,) = lines_of({"a": "x" * 3000 + "old"}, {"a": "x" * 3000 + "new"})
    assert line == 'a: "…xxxxxxxxxxxxold" -> "…xxxxxxxxxxxxnew"'
    (line,) = lines_of({"a": "x" * 100_000}, {"a": "y"})
    assert line == 'a: (100,000 characters) -> "y"'


@rows("actions", [["delete"], ["forget"], ["no-op"]])
def test_destroyed_forgotten_or_moved_resource_has_no_changes(actions: list[str]) -> None:
    (row,) = rows_of(resource("a.b", actions, before={"x": 1}, after=None, previous_address="a.c"))
    assert "changes" not in row


@rows(
    ("before", "after", "unknown", "lines"),
    [
        # Terraform before 1.1 omits unknown elements from sets and tuples.
        (["a", "b"], ["a"], [False, True], ['l[1]: "b" -> (known after apply)']),
        (["b"], [], [True], ['l[0]: "b" -> (known after apply)']),
        ([], ["x"], [True, False], ['l[1]: null -> "x"', "known after apply: l[0]"]),
        (["a", "b"], ["a", None], [False, True], ['l[1]: "b" -> (known after apply)']),
        (["a", "b"], ["a"], [False], ['l[1]: "b" -> null']),
    ],
)
def test_unknown_element_is_not_a_removal(
    before: list[Any], after: list[Any], unknown: list[Any], lines: list[str]
) -> None:
    found = lines_of({"l": before}, {"l": after}, after_unknown={"l": unknown})
    assert found == lines


def test_deeply_nested_json_strings_are_compared_as_strings() -> None:
    def nested(leaf: str, depth: int, texts: int) -> str:
        for _ in range(texts):
            value: Any = leaf
            for _ in range(depth):
                value = [value]
            leaf = json.dumps(value)
        return leaf

    for depth, texts in ((180, 5), (25, 12), (180, 1)):
        (line,) = lines_of({"t": nested("one", depth, texts)}, {"t": nested("two", depth, texts)})
        assert "one" in line
        assert "two" in line

"""The rows of a review, their order, and the notes."""

import json
from typing import Any

from tests.support.tables import rows
from tests.unit.review.plans import change, resource
from tests.unit.review.views import rows_of, view_of


def test_instances_with_equal_changes_are_one_row() -> None:
    equal = [
        resource(f"a.b[{n}]", index=n, before={"x": 1, "id": n}, after={"x": 2}, after_unknown={"id": True})
        for n in range(4)
    ]
    other = resource("a.b[7]", index=7, before={"x": 1}, after={"x": 9})
    rows = rows_of(
        *equal, resource("a.b[5]", index=5, before={"x": 1, "id": 5}, after={"x": 2}, after_unknown={"id": True}), other
    )
    assert [(row["address"], row.get("count"), row.get("keys")) for row in rows] == [
        ("a.b[*]", 5, ["0-3", "5"]),
        ("a.b[7]", None, None),
    ]
    assert rows[0]["changes"] == ["x: 1 -> 2", "known after apply: id"]


def test_instances_in_module_instances_are_one_row_with_every_key() -> None:
    many = [resource(f'module.m["k{n}"].a.b["x{n}"]', ["delete"]) for n in range(14)]
    (row,) = rows_of(*many)
    assert row["address"] == "module.m[*].a.b[*]"
    assert row["keys"] == [f"k{n}/x{n}" for n in range(14)]


def test_long_keys_are_split_into_rows_without_loss() -> None:
    many = [resource(f'a.b["key-{n:03}-{"x" * 60}"]', ["delete"]) for n in range(70)]
    rows = rows_of(*many)
    assert len(rows) > 1
    assert {row["address"] for row in rows} == {"a.b[*]"}
    assert sum(row["count"] for row in rows) == 70
    assert [key for row in rows for key in row["keys"]] == [f"key-{n:03}-{'x' * 60}" for n in range(70)]


def test_instances_with_different_changes_are_separate_rows() -> None:
    rows = rows_of(
        resource("a.b[0]", ["delete"], action_reason="delete_because_count_index"),
        resource("a.b[1]", ["delete"]),
        resource("a.b[2]", ["delete"], deposed="0011"),
        resource("a.b[3]", ["create"], after={"x": 1}),
        resource("a.b[4]", ["no-op"], importing={"id": "1"}),
        resource("a.b[5]", ["no-op"], importing={"id": "2"}),
        resource("a.c[0]", ["delete"]),
    )
    assert len(rows) == 7


def test_rows_are_ordered_by_danger_then_outputs_then_drift() -> None:
    drift = [
        resource("a.drifted", ["update"], before={"x": 1}, after={"x": 2}),
        resource("a.deleted", ["delete"], before={"x": 1}),
    ]
    rows = rows_of(
        resource("a.new", ["create"]),
        resource("aws_s3_bucket.data", ["update"], before={"x": 1}, after={"x": 2}),
        resource("a.forgotten", ["forget"]),
        resource("a.replaced", ["create", "delete"]),
        resource("a.gone", ["delete"]),
        resource_drift=drift,
        output_changes={"o": change(["create"], after=1), "same": change(["no-op"])},
        options={"is_refresh_only": True},
    )
    assert [(row["address"], row["action"]) for row in rows] == [
        ("a.gone", "destroy"),
        ("a.replaced", "replace"),
        ("a.forgotten", "forget"),
        ("aws_s3_bucket.data", "update"),
        ("a.new", "create"),
        ("output.o", "create"),
        ("a.drifted", "changed outside of Terraform"),
        ("a.deleted", "deleted outside of Terraform"),
    ]
    assert rows[1]["why"] == "the new object is created before the old one is destroyed"
    assert rows[3]["danger"] == "stores data"
    assert [row.get("changes") for row in rows[6:]] == [["x: 1 -> 2"], None]


def test_relevant_drift_is_shown_and_other_drift_is_counted() -> None:
    drift = [resource(name, before={"x": 1}, after={"x": 2}) for name in ("a.relevant[0]", "a.other")]
    relevant = [{"resource": "a.relevant", "attribute": ["x"]}]
    view = view_of(resource_drift=drift, relevant_attributes=relevant)
    assert [row["address"] for row in view["rows"]] == ["a.relevant[0]"]
    assert view["notes"] == ['Changed outside of Terraform and not shown: 1 resource (filter "drift").']


def test_data_source_read_is_counted_and_shown_by_its_filter() -> None:
    read = resource("data.a.b", ["read"], mode="data", action_reason="read_because_config_unknown")
    view = view_of(read)
    assert view["rows"] == []
    assert view["plan"] == "No changes."
    assert view["notes"] == ['The apply reads 1 data source (filter "read").']
    (row,) = rows_of(read, options={"filter_text": "read"})
    assert row["why"] == "its configuration is known only after apply"


def test_imports_moves_and_deferred_changes_are_rows() -> None:
    deferred = [{"reason": "instance_count_unknown", "resource_change": resource("a.late", ["create"], after={"x": 1})}]
    view = view_of(
        resource("a.taken", ["no-op"], importing={"id": "i-1"}),
        resource("a.later", ["no-op"], importing={"unknown": True}),
        resource("a.moved", ["no-op"], previous_address="a.old"),
        deferred_changes=deferred,
    )
    assert view["rows"] == [
        {"address": "a.taken", "action": "import", "import_id": "i-1"},
        {"address": "a.later", "action": "import", "import_id": "(known after apply)"},
        {"address": "a.moved", "action": "move", "moved_from": "a.old"},
        {
            "address": "a.late",
            "action": "create",
            "deferred": True,
            "why": "deferred to a later run: the number of instances is unknown (instance_count_unknown)",
            "changes": ["x: 1"],
        },
    ]
    assert view["plan"].endswith(" Deferred to a later run: 1.")
    assert view["counts"] == {"import": 2, "move": 1, "deferred": 1}


def test_notes_report_failures_and_unrecognized_entries() -> None:
    check = {
        "address": {"to_display": "check.c"},
        "status": "fail",
        "instances": [{"problems": [{"message": "It is\n\x1b[31mnot so."}]}],
    }
    view = view_of(
        resource("a.b", ["explode"]),
        1,
        errored=True,
        checks=[check] * 7 + [{"status": "pass"}, {"status": "error"}],
        action_invocations=[{"address": "action.x.y"}],
    )
    assert view["notes"] == [
        "Planning failed: this plan is incomplete and cannot be applied.",
        "tfruns does not recognize 2 entries of this plan. Review the plan in the browser before you apply it.",
        *['The check check.c failed: "It is not so."'] * 5,
        "Other checks that did not pass: 3.",
    ]
    assert view["rows"][0]["action"] == "explode"
    assert view["rows"][1] == {
        "address": "action.x.y",
        "action": "invoke",
        "why": "the plan does not contain its trigger",
    }
    assert view["plan"] == (
        "Plan: 0 to add, 0 to change, 0 to destroy, 1 with an unrecognized action. Actions: 1 to invoke."
    )


@rows(
    ("indexes", "keys"),
    [
        (["007", "08", "0123"], ["007", "08", "0123"]),
        (["1", "2", "3"], ["1", "2", "3"]),
        ([1, 2, 3, 7], ["1-3", "7"]),
        (["1" * 5_000, "2"], ["1" * 119 + "…", "2"]),
        (["\u0661", "\u0662"], ["\u0661", "\u0662"]),
        (['"q"', 'a"'], [r"\"q\"", r"a\""]),
        (["x[0].y", "a/b"], ["x[0].y", "a/b"]),
    ],
)
def test_instance_keys_are_shown_unchanged(indexes: list[Any], keys: list[str]) -> None:
    addresses = [f"a.b[{json.dumps(index, ensure_ascii=False)}]" for index in indexes]
    (row,) = rows_of(*[resource(address, ["delete"], before={"n": 1}) for address in addresses])
    assert row["keys"] == keys


def test_deposed_object_is_distinct_from_the_current_object() -> None:
    rows = rows_of(
        resource("a.b", ["delete"], deposed="1a2b3c4d", before={"n": 1}),
        resource("a.b", before={"n": 1}, after={"n": 2}),
    )
    assert [(row["address"], row["action"]) for row in rows] == [
        ("a.b (deposed object 1a2b3c4d)", "destroy"),
        ("a.b", "update"),
    ]


def test_check_is_omitted_only_if_passed_or_unknown() -> None:
    checks: list[dict[str, Any]] = [
        {"address": {"to_display": f"check.{status}"}, "status": status}
        for status in ("fail", "error", "pass", "unknown", "odd")
    ]
    assert view_of(checks=[*checks, {"status": "fail"}])["notes"] == [
        "The check check.fail failed.",
        "The check check.error could not be evaluated.",
        'The check check.odd has the status "odd".',
        "An unnamed check failed.",
    ]


def test_import_shows_its_id_or_identity() -> None:
    imports: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"id": "i-1"}, {"import_id": "i-1"}),
        (
            {"identity": {"account_id": "1", "bucket": "logs"}},
            {"import_identity": '{"account_id": "1", "bucket": "logs"}'},
        ),
        ({"id": "i-1", "identity": {"name": "n"}}, {"import_identity": '{"name": "n"}', "import_id": "i-1"}),
        ({"unknown": True}, {"import_id": "(known after apply)"}),
        ({}, {"import_id": "(not specified)"}),
        ({"unknown": False}, {"import_id": "(not specified)"}),
    ]
    for importing, expected in imports:
        (row,) = rows_of(resource("a.b", ["no-op"], importing=importing))
        assert row == {"address": "a.b", "action": "import", **expected}


def test_replaced_import_warns_that_it_destroys_the_object() -> None:
    (row,) = rows_of(resource("a.b", ["delete", "create"], importing={"id": "i"}))
    assert row["why"] == "this destroys the imported object"

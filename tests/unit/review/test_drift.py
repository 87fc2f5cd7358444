"""Drift is shown with the planned change of its resource, or as a row."""

from typing import Any

from tests.unit.review.plans import resource
from tests.unit.review.views import rows_of, view_of


def drifted(address: str, **fields: Any) -> dict[str, Any]:
    return resource(address, **{"before": {"x": 1}, "after": {"x": 9}, **fields})


def test_drift_is_shown_with_the_planned_change_of_its_resource() -> None:
    changed = [
        resource("a.updated", before={"x": 9}, after={"x": 1}),
        resource("a.gone", ["delete"], before={"x": 9}),
        resource("a.again", ["create"], after={"x": 1}),
        resource("a.new", ["no-op"], previous_address="a.old"),
    ]
    drift = [
        drifted("a.updated"),
        drifted("a.gone"),
        resource("a.again", ["delete"], before={"x": 1}),
        drifted("a.old"),
        drifted("a.elsewhere"),
    ]
    view = view_of(*changed, resource_drift=drift)
    outside = "outside of Terraform: x: 1 -> 9"
    assert [(row["address"], row["why"], row["changes"][-1:]) for row in view["rows"]] == [
        ("a.gone", "it was changed outside of Terraform", [outside]),
        ("a.updated", "it was changed outside of Terraform", [outside]),
        ("a.again", "it was deleted outside of Terraform", ["x: 1"]),
        ("a.new", "it was changed outside of Terraform", [outside]),
    ]
    assert view["notes"] == ['Changed outside of Terraform and not shown: 1 resource (filter "drift").']


def test_instances_with_different_drift_are_separate_rows() -> None:
    changed = [resource(f"a.b[{n}]", before={"x": 9}, after={"x": 1}) for n in range(4)]
    drift = [drifted("a.b[0]"), drifted("a.b[1]"), drifted("a.b[2]", before={"x": 5})]
    rows = rows_of(*changed, resource_drift=drift)
    assert [(row["address"], row.get("keys"), row.get("why")) for row in rows] == [
        ("a.b[*]", ["0-1"], "it was changed outside of Terraform"),
        ("a.b[2]", None, "it was changed outside of Terraform"),
        ("a.b[3]", None, None),
    ]


def test_drift_without_address_or_difference() -> None:
    def parts(**fields: Any) -> dict[str, Any]:
        entry = {**drifted("aws_sqs_queue.q"), **fields}
        del entry["address"]
        return entry

    drift = [
        parts(),
        parts(index=0),
        parts(index='a"b', change=drifted("a.b", after={"x": 8})["change"]),
        parts(module_address='module.m["eu"]'),
        parts(mode="data", module_address="module.m"),
        parts(change=drifted("a.b", before={"x": 9})["change"]),
    ]
    view = view_of(resource_drift=drift, options={"is_refresh_only": True})
    assert [row["address"] for row in view["rows"]] == [
        "aws_sqs_queue.q",
        "aws_sqs_queue.q[0]",
        'aws_sqs_queue.q["a\\"b"]',
        'module.m["eu"].aws_sqs_queue.q',
        "module.m.data.aws_sqs_queue.q",
    ]
    assert view["changed_outside_of_terraform"] == 5
    assert "notes" not in view

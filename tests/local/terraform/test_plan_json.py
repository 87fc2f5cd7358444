"""The changes in a JSON plan."""

from typing import Any

import pytest

from tests.support.tables import rows
from tfruns.local.terraform.plan_json import ResourceCounts, counts, has_changes


def resource(*actions: str, mode: str = "managed", previous: str | None = None, **change: Any) -> dict[str, Any]:
    fields = {"previous_address": previous} if previous else {}
    return {"address": "a.b", "mode": mode, "change": {"actions": list(actions), **change}, **fields}


def plan(*resources: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"resource_changes": list(resources), **fields}


def test_counts_match_terraforms_summary() -> None:
    some = plan(
        resource("create"),
        resource("update"),
        resource("delete"),
        resource("delete", "create"),
        resource("create", "delete"),
        resource("create", "forget"),
        resource("forget"),
        resource("no-op", importing={"id": "x"}),
        resource("update", importing={"id": "y"}),
        resource("no-op"),
        resource("read", mode="data"),
    )
    assert counts(some) == ResourceCounts(additions=4, changes=2, destructions=3, imports=2)
    assert counts({}) == ResourceCounts()


@pytest.mark.parametrize("says", [True, False])
def test_applyable_decides_whether_a_plan_has_changes(says: bool) -> None:
    assert has_changes(plan(resource("create"), applyable=says)) is says


@rows(
    ("some", "expected"),
    [
        ({}, False),
        (plan(resource("no-op"), output_changes={"o": {"actions": ["no-op"]}}), False),
        (plan(resource("no-op"), resource_drift=[resource("update")]), False),
        (plan(resource("create")), True),
        (plan(resource("forget")), True),
        (plan(resource("no-op", previous="a.c")), True),
        (plan(resource("no-op", importing={"id": "x"})), True),
        (plan(output_changes={"o": {"actions": ["create"]}}), True),
    ],
)
def test_without_applyable_any_change_counts(some: dict[str, Any], expected: bool) -> None:
    assert has_changes(some) is expected


def test_drift_counts_only_in_a_refresh_only_plan() -> None:
    drifted = plan(resource("no-op"), resource_drift=[resource("update")])
    assert has_changes(drifted, is_refresh_only=True)
    assert not has_changes(plan(resource("create")), is_refresh_only=True)

"""The reasons for changes, and the triggers of actions."""

from typing import Any

from tests.unit.review.plans import resource
from tests.unit.review.views import rows_of, view_of

# -- actions ----------------------------------------------------------------------------------------------------------


def invocation(address: str = "action.aws_lambda_invoke.purge", **fields: Any) -> dict[str, Any]:
    return {"address": address, "type": "aws_lambda_invoke", "name": "purge", **fields}


def lifecycle(event: str, **fields: Any) -> dict[str, Any]:
    trigger = {"triggering_resource_address": "aws_db_instance.db", "action_trigger_event": event, **fields}
    return {"lifecycle_action_trigger": trigger}


def test_action_row_shows_its_trigger() -> None:
    triggers: list[tuple[dict[str, Any], str]] = [
        ({"invoke_action_trigger": {}}, "the run requested its invocation"),
        (
            {"invoke_action_trigger": {"calling_resource_address": "a.b"}},
            "the run requested its invocation for a.b",
        ),
        (lifecycle("BeforeCreate"), "before aws_db_instance.db is created"),
        (lifecycle("AfterUpdate"), "after aws_db_instance.db is updated"),
        (lifecycle("BeforeDestroy", on_failure="Taint"), 'before aws_db_instance.db is destroyed; on failure: "Taint"'),
        (lifecycle("DuringTheNight"), '"DuringTheNight" of aws_db_instance.db'),
        ({"lifecycle_action_trigger": {"action_trigger_event": "AfterCreate"}}, "after an unnamed resource is created"),
        ({}, "the plan does not contain its trigger"),
    ]
    found = [rows_of(action_invocations=[invocation(**trigger)])[0]["why"] for trigger, _ in triggers]
    assert found == [why for _, why in triggers]


def test_action_row_shows_its_masked_configuration() -> None:
    entry = invocation(
        config_values={"function_name": "purge", "token": "s3cret-Zx81", "copy": "with s3cret-Zx81", "id": None},
        config_sensitive={"token": True},
        config_unknown={"id": True},
    )
    (row,) = rows_of(action_invocations=[entry])
    assert row["changes"] == [
        'function_name: "purge"',
        "token: (sensitive value)",
        'copy: "with (sensitive value)"',
        "known after apply: id",
    ]


def test_action_with_several_triggers_has_a_row_for_each() -> None:
    events = ("AfterCreate", "BeforeUpdate")
    rows = rows_of(action_invocations=[invocation(**lifecycle(event)) for event in events])
    assert [row["why"] for row in rows] == [
        "after aws_db_instance.db is created",
        "before aws_db_instance.db is updated",
    ]


def test_instances_of_an_action_are_one_row_with_keys() -> None:
    many = [invocation(f'action.aws_lambda_invoke.purge["{key}"]', config_values={"x": 1}) for key in ("a", "b")]
    (row,) = rows_of(action_invocations=many)
    assert (row["address"], row["count"], row["keys"]) == ("action.aws_lambda_invoke.purge[*]", 2, ["a", "b"])


def test_deferred_action_is_a_row_but_not_counted_as_invoked() -> None:
    later = [{"reason": "deferred_prereq", "action_invocation": invocation(**lifecycle("AfterCreate"))}]
    view = view_of(deferred_action_invocations=later)
    assert view["counts"] == {"deferred": 1}
    assert view["rows"] == [
        {
            "address": "action.aws_lambda_invoke.purge",
            "action": "invoke",
            "deferred": True,
            "why": (
                "after aws_db_instance.db is created; deferred to a later run: a prerequisite is deferred "
                "(deferred_prereq)"
            ),
        }
    ]
    for text in ("invoke", "deferred", "aws_lambda_invoke"):
        found = view_of(deferred_action_invocations=later, options={"filter_text": text})
        assert found["total_rows"] == 1, text


def test_malformed_actions_are_counted_as_unrecognized() -> None:
    for sections in (
        {"action_invocations": [1]},
        {"action_invocations": [{"type": "x"}]},
        {"action_invocations": {"a": 1}},
        {"deferred_action_invocations": [{"reason": "x"}]},
    ):
        note = view_of(**sections)["notes"][0]
        assert note.startswith("tfruns does not recognize 1 entry of this plan."), sections


# -- reasons ----------------------------------------------------------------------------------------------------------


def test_unknown_reasons_are_quoted() -> None:
    deferred = [{"reason": "of_tomorrow", "resource_change": resource("a.late", ["create"])}]
    gone = resource("a.gone", ["delete"], action_reason='delete_because_"x"')
    rows = rows_of(gone, resource("a.odd", ["destroy", "forget"]), deferred_changes=deferred)
    assert [(row["action"], row["why"]) for row in rows] == [
        ("destroy+forget", "tfruns does not recognize this action; review it in the browser"),
        ("destroy", 'Terraform\'s reason: "delete_because_\\"x\\""'),
        ("create", 'deferred to a later run: "of_tomorrow"'),
    ]

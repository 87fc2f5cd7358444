"""Actions, imports, deferrals and drift are rows like any other, with what a reader has to know of them."""

from typing import Any

from tests.unit.review.plans import resource
from tests.unit.review.test_rows import rows_of, view_of

# -- actions ----------------------------------------------------------------------------------------------------------


def invocation(address: str = "action.aws_lambda_invoke.purge", **fields: Any) -> dict[str, Any]:
    return {"address": address, "type": "aws_lambda_invoke", "name": "purge", **fields}


def lifecycle(event: str, **fields: Any) -> dict[str, Any]:
    trigger = {"triggering_resource_address": "aws_db_instance.db", "action_trigger_event": event, **fields}
    return {"lifecycle_action_trigger": trigger}


def test_the_trigger_of_an_action_is_told() -> None:
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


def test_the_configuration_of_an_action_is_shown_and_masked() -> None:
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


def test_an_action_that_several_resources_invoke_is_a_row_for_each_of_them() -> None:
    events = ("AfterCreate", "BeforeUpdate")
    rows = rows_of(action_invocations=[invocation(**lifecycle(event)) for event in events])
    assert [row["why"] for row in rows] == [
        "after aws_db_instance.db is created",
        "before aws_db_instance.db is updated",
    ]


def test_instances_of_an_action_are_one_row_with_their_keys() -> None:
    many = [invocation(f'action.aws_lambda_invoke.purge["{key}"]', config_values={"x": 1}) for key in ("a", "b")]
    (row,) = rows_of(action_invocations=many)
    assert (row["address"], row["count"], row["keys"]) == ("action.aws_lambda_invoke.purge[*]", 2, ["a", "b"])


def test_a_deferred_action_is_a_row_and_is_not_among_those_invoked() -> None:
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


def test_malformed_actions_are_counted_as_unreadable() -> None:
    for sections in (
        {"action_invocations": [1]},
        {"action_invocations": [{"type": "x"}]},
        {"action_invocations": {"a": 1}},
        {"deferred_action_invocations": [{"reason": "x"}]},
    ):
        note = view_of(**sections)["notes"][0]
        assert note.startswith("tfruns does not recognize 1 entry of this plan."), sections


# -- reasons ----------------------------------------------------------------------------------------------------------


def test_reasons_that_are_not_known_are_quoted() -> None:
    deferred = [{"reason": "of_tomorrow", "resource_change": resource("a.late", ["create"])}]
    gone = resource("a.gone", ["delete"], action_reason='delete_because_"x"')
    rows = rows_of(gone, resource("a.odd", ["destroy", "forget"]), deferred_changes=deferred)
    assert [(row["action"], row["why"]) for row in rows] == [
        ("destroy+forget", "tfruns does not recognize this action; review it in the browser"),
        ("destroy", 'Terraform\'s reason: "delete_because_\\"x\\""'),
        ("create", 'deferred to a later run: "of_tomorrow"'),
    ]


# -- imports ----------------------------------------------------------------------------------------------------------


def test_an_import_tells_its_id_or_its_identity() -> None:
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


def test_an_import_that_is_replaced_destroys_what_it_imports() -> None:
    (row,) = rows_of(resource("a.b", ["delete", "create"], importing={"id": "i"}))
    assert row["why"] == "this destroys the imported object"


# -- drift ------------------------------------------------------------------------------------------------------------


def drifted(address: str, **fields: Any) -> dict[str, Any]:
    return resource(address, **{"before": {"x": 1}, "after": {"x": 9}, **fields})


def test_drift_is_shown_with_every_resource_that_the_plan_changes() -> None:
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


def test_siblings_with_other_drift_are_rows_of_their_own() -> None:
    changed = [resource(f"a.b[{n}]", before={"x": 9}, after={"x": 1}) for n in range(4)]
    drift = [drifted("a.b[0]"), drifted("a.b[1]"), drifted("a.b[2]", before={"x": 5})]
    rows = rows_of(*changed, resource_drift=drift)
    assert [(row["address"], row.get("keys"), row.get("why")) for row in rows] == [
        ("a.b[*]", ["0-1"], "it was changed outside of Terraform"),
        ("a.b[2]", None, "it was changed outside of Terraform"),
        ("a.b[3]", None, None),
    ]


def test_drift_without_an_address_or_a_difference() -> None:
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

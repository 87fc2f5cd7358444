"""The summary of a plan: counts, dangerous changes, and the fingerprint."""

import copy
from dataclasses import replace
from typing import Any

from tests.support.tables import rows
from tests.unit.review.plans import PLAN_ID, RUN_ID, change, document, plan, resource
from tfruns.review.plan_document import read_plan_document
from tfruns.review.summary import DangerousChange, PlanCounts, PlanSummary, danger_lines, fingerprint, summarize


def summary_of(*resources: Any, **sections: Any) -> PlanSummary:
    return summarize(document(*resources, **sections))


EVERYTHING = (
    resource("a.created", ["create"]),
    resource("a.changed", ["update"]),
    resource("a.gone", ["delete"]),
    resource("a.replaced", ["delete", "create"]),
    resource("a.replaced_other_way", ["create", "delete"]),
    resource("a.replaced_and_kept", ["create", "forget"]),
    resource("a.forgotten", ["forget"]),
    resource("a.moved", ["no-op"], previous_address="a.old"),
    resource("a.moved_and_changed", ["update"], previous_address="a.older"),
    resource("a.imported", ["no-op"], importing={"id": "i-1"}),
    resource("a.same", ["no-op"]),
    resource("data.a.read", ["read"], mode="data"),
)


def test_counts_include_each_change_but_no_reads_or_no_ops() -> None:
    counts = summary_of(*EVERYTHING).counts
    assert counts == PlanCounts(add=2, change=2, destroy=1, replace=2, imported=1, move=2, forget=2)
    assert counts.as_dict() == {
        "add": 2,
        "change": 2,
        "destroy": 1,
        "replace": 2,
        "import": 1,
        "move": 2,
        "forget": 2,
    }
    assert counts.line == "Plan: 1 to import, 4 to add, 2 to change, 3 to destroy, 2 to forget, 2 to move."


@rows(
    ("source", "is_plan"),
    [
        ({}, False),
        ({"message": "Welcome to the proxy"}, False),
        ({"format_version": "2.0", "resource_changes": []}, False),
        ({"format_version": "1.2"}, True),
        ({"format_version": "0.2"}, True),
        ({"plan_format_version": "1.1"}, True),
        ({"resource_changes": []}, True),
    ],
)
def test_unrecognized_plan_is_destructive(source: dict[str, Any], is_plan: bool) -> None:
    found = read_plan_document(source, run_id=RUN_ID, plan_id=PLAN_ID, is_redacted=False)
    assert summarize(found).is_destructive is not is_plan


def test_plan_without_changes_has_no_counts() -> None:
    found = summary_of(resource("a.same", ["no-op"]), output_changes={"o": change(["no-op"])})
    assert found.counts.as_dict() == {}
    assert found.outputs == 0
    assert not found.is_destructive


def test_dangers_are_complete_and_the_worst_is_first() -> None:
    found = summary_of(
        resource("aws_db_instance.changed", ["update"]),
        resource("a.forgotten", ["forget"]),
        resource("a.replaced", ["delete", "create"]),
        resource("a.gone", ["delete"]),
        resource("aws_s3_bucket.gone", ["delete"]),
        resource("a.created", ["create"]),
        resource("a.changed", ["update"]),
    )
    assert found.dangers == (
        DangerousChange("aws_s3_bucket.gone", "will be destroyed; it stores data"),
        DangerousChange("a.gone", "will be destroyed"),
        DangerousChange("a.replaced", "will be destroyed and recreated"),
        DangerousChange("a.forgotten", "will no longer be managed by Terraform, but will not be destroyed"),
        DangerousChange("aws_db_instance.changed", "will be updated in place; it stores data"),
    )


@rows(
    ("type_", "is_store"),
    [
        ("aws_s3_bucket", True),
        ("aws_s3_bucket_policy", False),
        ("aws_s3_bucket_public_access_block", False),
        ("google_sql_database_instance", True),
        ("azurerm_key_vault_access_policy", False),
        ("azurerm_mssql_database", True),
        ("aws_instance", False),
        ("aws_rds_global_cluster", True),
        ("aws_secretsmanager_secret_rotation", False),
        ("aws_s3_bucket_inventory", False),
        ("azurerm_resource_group", True),
        ("azurerm_storage_account_network_rules", False),
        ("google_storage_bucket_access_control", False),
        ("cloudflare_r2_bucket", True),
        ("hcloud_volume_attachment", False),
    ],
)
def test_data_stores_are_distinguished_from_their_settings(type_: str, is_store: bool) -> None:
    (danger,) = summary_of(resource(f"{type_}.x", ["delete"])).dangers
    assert ("stores data" in danger.why) is is_store


@rows(
    ("actions", "is_destructive"),
    [
        (["delete"], True),
        (["delete", "create"], True),
        (["create", "delete"], True),
        (["create", "forget"], True),
        (["forget", "create"], True),
        (["obliterate"], True),
        (["create"], False),
        (["update"], False),
        (["forget"], False),
        (["no-op"], False),
        (["read"], False),
    ],
)
def test_only_destroying_or_unknown_actions_are_destructive(actions: list[str], is_destructive: bool) -> None:
    assert summary_of(resource("a.b", actions)).is_destructive is is_destructive


@rows(
    "sections",
    [
        {"resource_changes": [1]},
        {"resource_changes": {"a": 1}},
        {"resource_changes": [{"address": "a.b"}]},
        {"resource_changes": [{"address": 1, "change": {"actions": ["no-op"]}}]},
        {"resource_changes": [{"address": "a.b", "change": {"actions": "delete"}}]},
        {"output_changes": [1]},
        {"deferred_changes": [{"reason": "x"}]},
    ],
)
def test_unrecognized_sections_are_destructive(sections: dict[str, Any]) -> None:
    assert summary_of(**sections).is_destructive


def test_address_of_a_danger_is_masked_and_on_one_line() -> None:
    address = 'a.b["s3cret-Zx81\n\x1b[31mIgnore all\u202e that ' + "x" * 500 + '"]'
    marks = {"before": {"pw": "s3cret-Zx81"}, "before_sensitive": {"pw": True}}
    (danger,) = summary_of(resource(address, ["delete"], **marks)).dangers
    assert danger.address.isprintable()
    assert danger.address.startswith('a.b["(sensitive value) Ignore all that xxx')
    assert len(danger.address) == 160


def test_danger_of_a_deposed_object_names_its_key() -> None:
    (danger,) = summary_of(resource("a.b", ["delete"], deposed="00112233")).dangers
    assert danger.address == "a.b (deposed object 00112233)"


def test_instances_are_one_danger_with_every_key() -> None:
    gone = [resource(f'aws_s3_bucket.team["team-{n:02}"]', ["delete"]) for n in range(25)]
    counted = [resource(f"a.web[{n}]", ["forget"]) for n in (0, 1, 2, 5)]
    modules = [resource(f'module.m["{key}"].a.b', ["delete", "create"]) for key in ("eu", "us")]
    found = summary_of(*gone, *counted, *modules, resource("a.b[0]", ["delete"], deposed="0011"))
    teams = ", ".join(f"team-{n:02}" for n in range(25))
    assert danger_lines(found.dangers) == [
        f"- aws_s3_bucket.team[*]: will be destroyed; it stores data (25: {teams})",
        "- a.b[0] (deposed object 0011): will be destroyed",
        "- module.m[*].a.b: will be destroyed and recreated (2: eu, us)",
        "- a.web[*]: will no longer be managed by Terraform, but will not be destroyed (4: 0-2, 5)",
    ]


def test_truncated_danger_list_points_to_the_review() -> None:
    gone = [resource(f'a.b["{n:04}-{"k" * 90}"]', ["delete"]) for n in range(200)]
    others = [resource(f"a.c{n}", ["delete"]) for n in range(3)]
    lines = danger_lines(summary_of(*gone, *others).dangers)
    assert sum(map(len, lines)) < 4_500
    assert lines[0].startswith("- a.b[*]: will be destroyed (200: 0000-kkk")
    assert lines[0].endswith("k …)")
    assert lines[-1] == "- this list is truncated: the review of the plan lists all 203"


INVOCATION = {"address": "action.aws_lambda_invoke.purge", "type": "aws_lambda_invoke", "config_values": {"all": True}}


def test_actions_are_counted_and_dangerous() -> None:
    later = {"reason": "excluded", "action_invocation": INVOCATION}
    found = summary_of(action_invocations=[INVOCATION], deferred_action_invocations=[later])
    assert found.counts.as_dict() == {"invoke": 1, "deferred": 1}
    assert found.counts.line == (
        "Plan: 0 to add, 0 to change, 0 to destroy. Actions: 1 to invoke. Deferred to a later run: 1."
    )
    assert found.is_destructive
    assert danger_lines(found.dangers) == [
        "- action.aws_lambda_invoke.purge: will be invoked; the plan does not show what the action changes"
    ]


# -- the fingerprint --------------------------------------------------------------------------------------------------

BASE = plan(
    resource("a.b", before={"pw": "old-secret"}, after={"pw": "new-secret"}, after_sensitive={"pw": True}),
    resource("a.forgotten", ["forget"]),
    resource("a.taken", ["no-op"], importing={"identity": {"name": "logs"}}, generated_config="resource {}"),
    deferred_changes=[{"reason": "excluded", "resource_change": resource("a.late", ["create"])}],
    action_invocations=[INVOCATION],
    deferred_action_invocations=[{"reason": "excluded", "action_invocation": INVOCATION}],
    output_changes={"o": change(["create"], after=1)},
    resource_drift=[resource("a.c", before={"x": 1}, after={"x": 2})],
)


def fingerprint_of(source: Any, **fields: Any) -> str:
    read = read_plan_document(source, run_id="run-1", plan_id="plan-1", is_redacted=False)
    return fingerprint(replace(read, **fields))


def test_fingerprint_does_not_depend_on_key_order() -> None:
    def reversed_keys(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: reversed_keys(item) for key, item in reversed(value.items())}
        return [reversed_keys(item) for item in value] if isinstance(value, list) else value

    assert fingerprint_of(BASE) == fingerprint_of(copy.deepcopy(BASE)) == fingerprint_of(reversed_keys(BASE))
    assert len(fingerprint_of(BASE)) == 32


def test_fingerprint_depends_on_run_and_plan() -> None:
    others = {fingerprint_of(BASE, run_id="run-2"), fingerprint_of(BASE, plan_id="plan-2")}
    assert len({fingerprint_of(BASE), *others}) == 3


@rows(
    ("path", "value"),
    [
        (("resource_changes", 0, "address"), "a.bb"),
        (("resource_changes", 0, "change", "actions", 0), "delete"),
        (("resource_changes", 0, "change", "after", "pw"), "other-secret"),
        (("resource_changes", 0, "change", "before", "pw"), 1),
        (("output_changes", "o", "after"), True),
        (("output_changes", "o", "after"), 1.0),
        (("output_changes", "o", "after"), "1"),
        (("output_changes", "o", "after"), None),
        (("resource_drift", 0, "change", "after", "x"), 3),
        (("resource_drift", 0), None),
        (("deferred_changes",), [1]),
        (("deferred_changes", 0, "reason"), "not_included"),
        (("deferred_changes", 0, "resource_change", "change", "actions"), ["delete"]),
        (("action_invocations", 0, "address"), "action.x.z"),
        (("action_invocations", 0, "config_values", "all"), False),
        (("action_invocations", 0, "invoke_action_trigger"), {"calling_resource_address": "a.b"}),
        (("action_invocations",), []),
        (("deferred_action_invocations", 0, "reason"), "not_included"),
        (("deferred_action_invocations", 0, "action_invocation", "config_values", "all"), False),
        (("deferred_action_invocations",), []),
        (("resource_changes", 1, "change", "actions"), ["delete"]),
        (("resource_changes", 1), None),
        (("resource_changes", 2, "change", "importing", "identity", "name"), "other"),
        (("resource_changes", 2, "change", "importing"), {"id": "logs"}),
        (("resource_changes", 2, "change", "generated_config"), "other"),
        (("complete",), False),
        (("errored",), True),
        (("checks",), [{"status": "fail"}]),
    ],
)
def test_any_difference_changes_the_fingerprint(path: tuple[Any, ...], value: Any) -> None:
    other = copy.deepcopy(BASE)
    target: Any = other
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    assert fingerprint_of(other) != fingerprint_of(BASE)

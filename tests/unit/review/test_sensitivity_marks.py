"""Plans without reliable marks: values are masked by name and schema, and a note explains why."""

import json
from typing import Any

from tests.unit.review.plans import change, resource
from tests.unit.review.test_review_cases import CASES
from tests.unit.review.views import view_of
from tfruns.review.plan_document import read_plan_document
from tfruns.review.sensitivity_marks import is_secret_name

SECRET = "n3w-pa55word"
NOTE = "Values are masked by the names of their attributes; any other value may still be secret."


def unmarked(address: str = "a.b", **values: Any) -> dict[str, Any]:
    """A resource without marks, as in Terraform before 0.15.1."""
    entry = resource(address, before={}, after=values)
    for side in ("before", "after"):
        del entry["change"][f"{side}_sensitive"]
    return entry


SHAPES: dict[str, Any] = {
    "an attribute": {"password": SECRET},
    "a nested block": {"login": [{"user": "u", "password": SECRET}]},
    "a map": {"config": {"apiKey": SECRET}},
    "everything below": {"credentials": [{"anything": {"deep": SECRET}}]},
    "a named variable": {"env": [{"name": "DB_PASSWORD", "value": SECRET}, {"name": "ENV", "value": "prod"}]},
    "a JSON text": {"definitions": json.dumps([{"environment": [{"name": "API_TOKEN", "value": SECRET}]}])},
    "a copy elsewhere": {"secret": SECRET, "command": f"run --with={SECRET}"},
    "camel case": {"masterUserPassword": SECRET},
}


def test_values_with_secret_names_are_masked_in_any_structure() -> None:
    for version in ("0.12.31", "0.13.5", "0.14.11", "0.15.0", "0.15.1", "1.0.11", "1.0.0-beta1"):
        for name, values in SHAPES.items():
            view = view_of(unmarked(**values), terraform_version=version)
            assert SECRET not in json.dumps(view), (version, name)
            assert "(sensitive value)" in json.dumps(view), (version, name)


def test_note_explains_masking_by_name() -> None:
    marks: dict[str, Any] = {"before_sensitive": {}, "after_sensitive": {}}
    expected = {
        "0.15.0": f"Terraform 0.15.0 does not mark sensitive values in plans. {NOTE}",
        "1.0.11": f"Terraform 1.0.11 does not mark sensitive values inside nested attributes. {NOTE}",
        "1.1.0": None,
        "1.11.4": None,
    }
    found = {
        version: view_of(resource(before={}, after={"a": 1}, **marks), terraform_version=version).get("notes")
        for version in expected
    }
    assert found == {version: [note] if note else None for version, note in expected.items()}


def test_missing_marks_cause_masking_by_name_in_any_version() -> None:
    without = unmarked(password=SECRET)
    output = change(["create"], after=SECRET)
    del output["after_sensitive"]
    plans: list[dict[str, Any]] = [
        {"resource_changes": [without]},
        {"resource_changes": [], "resource_drift": [without], "relevant_attributes": [{"resource": "a.b"}]},
        {"deferred_changes": [{"reason": "excluded", "resource_change": without}]},
        {"output_changes": {"db_password": output}},
    ]
    for sections in plans:
        view = view_of(**sections)
        assert SECRET not in json.dumps(view)
        assert view["notes"][0] == f"Some changes in this plan have no marks of sensitive values. {NOTE}"
        assert "(sensitive value)" in json.dumps(view["rows"])


def test_outputs_declared_sensitive_elsewhere_are_masked() -> None:
    short = {"value": "abc", "sensitive": True}
    sources: list[dict[str, Any]] = [
        {"planned_values": {"outputs": {"o": short}}},
        {"prior_state": {"values": {"outputs": {"o": short}}}},
        {"configuration": {"root_module": {"outputs": {"o": {"sensitive": True}}}}},
    ]
    for source in sources:
        output = change(["update"], before="abc", after="abd")
        del output["before_sensitive"], output["after_sensitive"]
        (row,) = view_of(terraform_version="0.14.11", output_changes={"o": output}, **source)["rows"]
        assert row["changes"] == ["value: (sensitive value) -> (sensitive value)"]


def test_values_of_variables_with_secret_names_are_masked() -> None:
    view = view_of(
        unmarked(command=f"echo {SECRET}"), terraform_version="0.13.5", variables={"db_password": {"value": SECRET}}
    )
    assert view["rows"][0]["changes"] == ['command: null -> "echo (sensitive value)"']


def test_plan_without_a_version_uses_that_of_its_run() -> None:
    source = {"plan_format_version": "0.2", "resource_changes": [resource(before={}, after={"password": SECRET})]}
    for version, is_unmarked in (("0.13.5", True), ("1.5.7", False), ("latest", False), ("", False)):
        read = read_plan_document(source, run_id="r", plan_id="p", is_redacted=True, terraform_version=version)
        assert bool(read.marks_problem) is is_unmarked, version


def test_secret_names_are_distinguished_from_property_names() -> None:
    secret = (
        "password admin_password db_passwd pwd passphrase secret client_secret secret_string token auth_token "
        "private_key privateKey api_key apikey accessKey secret_access_key primary_access_key account_key "
        "connection_string credentials kube_config authorization pin db_dsn master-password"
    )
    harmless = (
        "name id key tags public_key key_name kms_key_id secret_arn secret_name secret_id access_key_id token_type "
        "password_length token_ttl description author monkey compass pinned passthrough secret_version password_policy "
        "authors keyboard token_url"
    )
    assert [name for name in secret.split() if not is_secret_name(name)] == []
    assert [name for name in harmless.split() if is_secret_name(name)] == []


PROVIDER = "registry.terraform.io/hashicorp/aws"
TEXT: dict[str, Any] = {"type": "string", "optional": True}
SENSITIVE = TEXT | {"sensitive": True}
NESTED = {"attributes": {"plain": TEXT, "hush": SENSITIVE}}
BLOCK = {
    "attributes": {
        "plain": TEXT,
        "result": SENSITIVE,
        "settings": {"nested_type": {**NESTED, "nesting_mode": "single"}},
        "by_name": {"nested_type": {**NESTED, "nesting_mode": "map"}},
    },
    "block_types": {
        "login": {"nesting_mode": "list", "block": {**NESTED, "block_types": {"deep": {"block": NESTED}}}},
        "users": {"nesting_mode": "set", "block": NESTED},
    },
}


def test_attributes_declared_sensitive_by_a_schema_are_masked() -> None:
    hush = {"plain": "shown", "hush": SECRET}
    shapes: dict[str, Any] = {
        "an attribute": {"result": SECRET, "plain": "shown"},
        "an object": {"settings": hush},
        "a map": {"by_name": {"a": hush, "b": {"plain": "shown"}}},
        "a block": {"login": [{"plain": "shown"}, hush]},
        "a set": {"users": [hush]},
        "a block in a block": {"login": [{"plain": "shown", "deep": [hush]}]},
        "everything in it": {"plain": "shown", "result": {"any": [SECRET]}},
        "a copy": {"result": SECRET, "plain": f"shown {SECRET}"},
    }
    schemas = {PROVIDER: {"resource_schemas": {"a": {"block": BLOCK}}}}
    for name, values in shapes.items():
        shown = json.dumps(view_of(unmarked(**values), terraform_version="0.14.11", provider_schemas=schemas))
        assert SECRET not in shown, name
        assert "shown" in shown, name
        assert SECRET in json.dumps(view_of(unmarked(**values), terraform_version="0.14.11")), name


def test_copies_of_sensitive_data_source_values_are_masked() -> None:
    schemas = {PROVIDER: {"data_source_schemas": {"a": {"block": BLOCK}}}}
    source = unmarked("a.b", result=SECRET) | {"mode": "data"}
    copy = unmarked("a.c", plain=f"shown {SECRET}")
    shown = json.dumps(view_of(source, copy, terraform_version="0.14.11", provider_schemas=schemas))
    assert SECRET not in shown
    assert "shown (sensitive value)" in shown


def test_malformed_schema_marks_nothing() -> None:
    malformed: tuple[Any, ...] = (
        None,
        [],
        {PROVIDER: None},
        {PROVIDER: {"resource_schemas": {"a": {"block": {"attributes": []}}}}},
    )
    for schemas in malformed:
        shown = view_of(unmarked(plain="shown"), terraform_version="0.14.11", provider_schemas=schemas)
        assert shown["rows"][0]["changes"] == ['plain: null -> "shown"']


def test_full_plan_has_no_schemas() -> None:
    for name in ("invoked_action", "action_after_create"):  # created by Terraform
        assert "provider_schemas" not in json.loads((CASES / f"{name}.json").read_text())

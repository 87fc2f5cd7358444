"""The plan as the Terraform CLI renders it: with the providers' schemas, and without any sensitive value.

Sources: HCP Terraform API, "Retrieve the redacted JSON execution plan"; for the form, `jsonformat.Plan` of the
Terraform CLI. Sensitive values become texts, whatever their type, and the CLI shows none of them, but it compares them
to find out what changes. So equal values of a resource become equal texts, from which no value can be found out.

Terraform marks what it knows to be sensitive, but loses the mark where a provider copies a value. So what is marked in
one place is masked in every place, and the values of sensitive variables also within longer texts.
"""

import hashlib
import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from tfruns.local.execution.plan_json import Document, resource_changes
from tfruns.masking.written_forms import SHORTEST

_SCHEMAS_OF_MODE = {"managed": "resource_schemas", "data": "data_source_schemas"}


def providers_of(plan: Document) -> set[str]:
    """The providers whose schemas the redacted plan needs."""
    return {thing["provider_name"] for _, thing in _typed(plan)}


def redacted_plan(plan: Document, schemas: Document, *, secret_texts: Iterable[str] = ()) -> dict[str, Any]:
    """The redacted form of a plan.

    Args:
        plan: what `terraform show -json` says.
        schemas: what `terraform providers schema -json` says.
        secret_texts: further texts that must not be in it.
    """
    mask = _Mask([*secret_texts, *_sensitive_variables(plan)], _marked(plan))
    return {
        "plan_format_version": plan["format_version"],
        "resource_drift": [mask.resource(change) for change in plan.get("resource_drift") or []],
        "resource_changes": [mask.resource(change) for change in resource_changes(plan)],
        "deferred_changes": [
            {**deferred, "resource_change": mask.resource(deferred["resource_change"])}
            for deferred in plan.get("deferred_changes") or []
        ],
        "action_invocations": [mask.action(action) for action in plan.get("action_invocations") or []],
        "relevant_attributes": plan.get("relevant_attributes") or [],
        "output_changes": {
            name: mask.change(change, f"output.{name}") for name, change in (plan.get("output_changes") or {}).items()
        },
        "provider_format_version": schemas["format_version"],
        "provider_schemas": _needed(plan, schemas.get("provider_schemas") or {}),
    }


class _Mask:
    """Replaces sensitive values. Its key is made for one plan and then forgotten."""

    def __init__(self, parts: Iterable[str], texts: Iterable[str]) -> None:
        self._key = secrets.token_bytes(32)
        self._parts = [part for part in parts if len(part) >= SHORTEST]
        self._texts = {text for text in texts if len(text) >= SHORTEST}

    def resource(self, resource: Document) -> dict[str, Any]:
        return {**resource, "change": self.change(resource["change"], resource["address"])}

    def action(self, action: Document) -> dict[str, Any]:
        values = self._masked(action.get("config_values"), action.get("config_sensitive"), action["address"])
        return {**action, "config_values": values}

    def change(self, change: Document, address: str) -> dict[str, Any]:
        return {
            **change,
            "before": self._masked(change.get("before"), change.get("before_sensitive"), address),
            "after": self._masked(change.get("after"), change.get("after_sensitive"), address),
        }

    def _masked(self, value: Any, marks: Any, address: str) -> Any:
        """The value, masked where the marks, which have its shape, say true, and where a secret is in it."""
        if marks is True:
            return None if value is None else self._text(value, address)
        if isinstance(value, Mapping):
            of_keys = marks if isinstance(marks, Mapping) else {}
            return {key: self._masked(item, of_keys.get(key), address) for key, item in value.items()}
        if isinstance(value, list):
            of_items = marks if isinstance(marks, list) else []
            return [self._masked(item, mark, address) for item, mark in zip_longest(value, of_items[: len(value)])]
        if isinstance(value, str) and (value in self._texts or any(part in value for part in self._parts)):
            return self._text(value, address)
        return value

    def _text(self, value: Any, address: str) -> str:
        text = json.dumps([address, value], sort_keys=True).encode(errors="surrogatepass")
        return f"sensitive-{hashlib.blake2b(text, key=self._key, digest_size=6).hexdigest()}"


def _marked(plan: Document) -> Iterator[str]:
    """The texts that are marked sensitive anywhere in the plan."""
    resources = [*(plan.get("resource_drift") or []), *resource_changes(plan)]
    for change in (*(resource["change"] for resource in resources), *(plan.get("output_changes") or {}).values()):
        for side in ("before", "after"):
            yield from _marked_texts(change.get(side), change.get(f"{side}_sensitive"))


def _marked_texts(value: Any, marks: Any) -> Iterator[str]:
    if marks is True:
        yield from _texts(value)
    elif isinstance(value, Mapping) and isinstance(marks, Mapping):
        for key, item in value.items():
            yield from _marked_texts(item, marks.get(key))
    elif isinstance(value, list) and isinstance(marks, list):
        for item, mark in zip(value, marks, strict=False):
            yield from _marked_texts(item, mark)


def _sensitive_variables(plan: Document) -> Iterator[str]:
    """The texts in the values of the variables that the configuration calls sensitive."""
    declared = plan.get("configuration", {}).get("root_module", {}).get("variables") or {}
    for name, variable in (plan.get("variables") or {}).items():
        if declared.get(name, {}).get("sensitive"):
            yield from _texts(variable.get("value"))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _typed(plan: Document) -> list[tuple[str, Document]]:
    """Whatever in the plan has a provider and a type, with the name of the table that has its schema."""
    changes = [
        *(plan.get("resource_drift") or []),
        *resource_changes(plan),
        *(deferred["resource_change"] for deferred in plan.get("deferred_changes") or []),
    ]
    actions = plan.get("action_invocations") or []
    return [(_SCHEMAS_OF_MODE[change["mode"]], change) for change in changes if change["mode"] in _SCHEMAS_OF_MODE] + [
        ("action_schemas", action) for action in actions
    ]


def _needed(plan: Document, schemas: Document) -> dict[str, Any]:
    """The schemas of the types in the plan. All those of a large provider are tens of megabytes."""
    needed: dict[str, Any] = {}
    for table, thing in _typed(plan):
        provider, type_ = thing["provider_name"], thing["type"]
        schema = (schemas.get(provider) or {}).get(table, {}).get(type_)
        if schema is not None:
            needed.setdefault(provider, {}).setdefault(table, {})[type_] = schema
    return needed

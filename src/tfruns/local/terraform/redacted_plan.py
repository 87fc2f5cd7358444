"""The redacted plan that the Terraform CLI renders: with the providers' schemas and without sensitive values.

Sources: HCP Terraform API, "Retrieve the redacted JSON execution plan"; for the format, `jsonformat.Plan` of the
Terraform CLI. Each sensitive value becomes a string, whatever its type. The CLI does not show these strings, but
compares them to detect changes. So equal values of a resource become equal strings, which do not reveal the value.

Terraform marks sensitive values, but loses the mark if a provider copies a value. So a value that is marked anywhere is
masked everywhere, and the values of sensitive variables are also masked inside longer strings.
"""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any

from tfruns.local.exact_json import write_json
from tfruns.local.terraform.plan_json import Document, resource_changes
from tfruns.masking.plan_values import sensitive_values, variable_values
from tfruns.masking.redaction import REMOVED
from tfruns.masking.secrets import Secrets

_SCHEMAS_OF_MODE = {"managed": "resource_schemas", "data": "data_source_schemas"}


def providers_of(plan: Document) -> set[str]:
    """The providers whose schemas the redacted plan needs."""
    return {item["provider_name"] for _, item in _typed(plan)}


def redacted_plan(plan: Document, schemas: Document, *, secret_texts: Iterable[str] = ()) -> dict[str, Any]:
    """Redact a plan.

    Args:
        plan: the output of `terraform show -json`.
        schemas: the output of `terraform providers schema -json`.
        secret_texts: the values of variables that the workspace declares as sensitive.
    """
    known = Secrets(sensitive_values(plan), of_variables=[*secret_texts, *variable_values(plan)], replacement=REMOVED)
    mask = _Mask(known)
    return {
        "plan_format_version": plan["format_version"],
        "resource_drift": [mask.resource(change) for change in plan.get("resource_drift") or []],
        "resource_changes": [mask.resource(change) for change in resource_changes(plan)],
        "deferred_changes": [
            {**deferred, "resource_change": mask.resource(deferred["resource_change"])}
            for deferred in plan.get("deferred_changes") or []
        ],
        "action_invocations": [mask.action(action) for action in plan.get("action_invocations") or []],
        "relevant_attributes": known.mask_document(plan.get("relevant_attributes") or []),
        "output_changes": {
            name: mask.change(change, f"output.{name}") for name, change in (plan.get("output_changes") or {}).items()
        },
        "provider_format_version": schemas["format_version"],
        "provider_schemas": _needed(plan, schemas.get("provider_schemas") or {}),
    }


class _Mask:
    """Replaces sensitive values and marks them as sensitive. Its key is random and used for one plan only."""

    def __init__(self, known: Secrets) -> None:
        self._key = secrets.token_bytes(32)
        self._known = known

    def resource(self, resource: Document) -> dict[str, Any]:
        named = {name: self._known.mask_document(resource[name]) for name in _NAMES if name in resource}
        return {**resource, **named, "change": self.change(resource["change"], resource["address"])}

    def action(self, action: Document) -> dict[str, Any]:
        named = {name: self._known.mask_document(action[name]) for name in _NAMES if name in action}
        return {**action, **named, **self._side(action, "config_values", "config_sensitive", action["address"])}

    def change(self, change: Document, address: str) -> dict[str, Any]:
        sides = [self._side(change, side, f"{side}_sensitive", address) for side in ("before", "after")]
        return {**change, **sides[0], **sides[1]}

    def _side(self, change: Document, side: str, sensitive: str, address: str) -> dict[str, Any]:
        given = change.get(sensitive)
        value, marks = self._masked(change.get(side), given, address)
        return {side: value} if marks == given else {side: value, sensitive: marks}

    def _masked(self, value: Any, marks: Any, address: str) -> tuple[Any, Any]:
        """Mask a value where its marks, which have the same structure, are true, or where it contains a secret.

        Returns:
            The masked value and its marks.
        """
        if marks is True:
            return (None if value is None else self._text(value, address)), True
        if isinstance(value, Mapping):
            return self._masked_object(value, marks if isinstance(marks, Mapping) else {}, marks, address)
        if isinstance(value, list):
            of_items = marks if isinstance(marks, list) else []
            pairs = [self._masked(item, mark, address) for item, mark in zip_longest(value, of_items[: len(value)])]
            is_marked = any(mark for _, mark in pairs)
            return [item for item, _ in pairs], [_mark(mark, item) for item, mark in pairs] if is_marked else marks
        if value is not None and value != "" and self._known.mask_document(value) != value:
            return self._text(value, address), True
        return value, marks

    def _masked_object(
        self, value: Mapping[str, Any], of_keys: Mapping[str, Any], marks: Any, address: str
    ) -> tuple[Any, Any]:
        shown, found = {}, dict(of_keys)
        for key, item in value.items():
            name = key if self._known.mask(key) == key else self._text(key, address)
            shown[name], mark = self._masked(item, of_keys.get(key), address)
            if name != key:
                found.pop(key, None)
            if mark:
                found[name] = mark
        return shown, found if found or isinstance(marks, Mapping) else marks

    def _text(self, value: Any, address: str) -> str:
        text = write_json([address, value], sort_keys=True).encode(errors="surrogatepass")
        return f"sensitive-{hashlib.blake2b(text, key=self._key, digest_size=6).hexdigest()}"


_NAMES = ("address", "index", "previous_address", "module_address", "previous_module_address")


def _mark(mark: Any, item: Any) -> Any:
    """The mark of an item; if it has none, an empty one of the item's type."""
    if mark is not None:
        return mark
    return {} if isinstance(item, Mapping) else [] if isinstance(item, list) else False


def _typed(plan: Document) -> list[tuple[str, Document]]:
    """The parts of the plan that have a provider and a type, with the name of the table that contains their schema."""
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
    """The schemas of the types in the plan. The complete schemas of a large provider are tens of megabytes."""
    needed: dict[str, Any] = {}
    for table, item in _typed(plan):
        provider, type_ = item["provider_name"], item["type"]
        schema = (schemas.get(provider) or {}).get(table, {}).get(type_)
        if schema is not None:
            needed.setdefault(provider, {}).setdefault(table, {})[type_] = schema
    return needed

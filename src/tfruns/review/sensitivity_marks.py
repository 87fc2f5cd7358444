"""Marks of sensitive values for plans in which Terraform's own marks are missing.

Terraform before 0.15.1 marks nothing in a plan, and before 1.1 nothing inside nested attributes. In such a plan, an
unmarked value may be a secret. Marks are added for attributes that a provider schema declares sensitive (only the
redacted form contains schemas), and for values whose name suggests a secret, such as a password or a token.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tfruns.review.values import parse_json_text

_Object = Mapping[str, Any]

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_MARKS_ATTRIBUTES = (0, 15, 1)
_MARKS_NESTED = (1, 1, 0)

_SECRET = re.compile(
    r"passw|passphrase|passcode|(^|_)pwd|secret|token|credential|connection_?string|kube_?config|authorization"
    r"|(private|api|access|auth|account|primary|secondary|shared|storage|signing|encryption|master|admin|ssh)_?key"
    r"|(^|_)(pin|psk|sas|dsn)$"
)
# Names of properties of a secret that are not secret.
_HARMLESS = re.compile(
    r"_(ids?|arns?|names?|types?|ttl|length|count|versions?|policy|enabled|expiration|expiry|urls?|uri|endpoint|path"
    r"|format|age|days|hours|period|size|status|mode)$"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAME_KEYS = ("name", "key", "Name", "Key")  # of an element such as {name: "DB_PASSWORD", value: "…"}
_VALUE_KEYS = ("value", "Value")

_SIDES = ("before", "after")
_MARKS = ("before_sensitive", "after_sensitive")
_SIDES_AND_MARKS = (*zip(_SIDES, _MARKS, strict=True),)
_RESOURCES = ("resource_changes", "resource_drift")


def marks_problem(plan: _Object, terraform_version: str = "") -> str:
    """Why the marks of a plan are unreliable; empty if they are reliable.

    Args:
        plan: the JSON of the plan.
        terraform_version: the Terraform version of the run, for a plan that does not contain a version.
    """
    text = str(plan.get("terraform_version") or terraform_version)
    found = _VERSION.match(text)
    version = tuple(map(int, found.groups())) if found else _MARKS_NESTED
    if version < _MARKS_ATTRIBUTES:
        return f"Terraform {text} does not mark sensitive values in plans"
    if version < _MARKS_NESTED:
        return f"Terraform {text} does not mark sensitive values inside nested attributes"
    if any(_lacks_marks(change) for change in _changes(plan)):
        return "Some changes in this plan have no marks of sensitive values"
    return ""


def add_marks(plan: _Object, schemas: _Object | None = None) -> dict[str, Any]:
    """Return the plan with added marks, by schema and by name.

    Args:
        plan: the JSON of the plan.
        schemas: the schemas by provider, as in `terraform providers schema -json`; those of the plan if omitted.
    """
    marked = dict(plan)
    known = Schemas(_object(schemas if schemas is not None else plan.get("provider_schemas")))
    for name, mark in _SECTIONS.items():
        section = plan.get(name)
        if isinstance(section, list):
            marked[name] = [mark(entry, known) if isinstance(entry, dict) else entry for entry in section]
    outputs = plan.get("output_changes")
    if isinstance(outputs, dict):
        sensitive = _sensitive_outputs(plan)
        marked["output_changes"] = {
            name: _output(change, name, is_sensitive=name in sensitive) if isinstance(change, dict) else change
            for name, change in outputs.items()
        }
    variables = plan.get("variables")
    if isinstance(variables, dict):
        marked["configuration"] = _mark_secret_variables(plan.get("configuration"), variables)
    return marked


def _mark_secret_variables(configuration: Any, variables: _Object) -> _Object:
    """Declare the variables sensitive whose name suggests a secret."""
    given = _object(configuration)
    root = _object(given.get("root_module"))
    declared = _object(root.get("variables"))
    secret = {name: {"sensitive": True} for name in variables if is_secret_name(name)}
    return {**given, "root_module": {**root, "variables": {**declared, **secret}}}


def is_secret_name(name: str) -> bool:
    """Whether a name suggests that its value is a secret."""
    plain = _CAPITAL.sub("_", name).lower().replace("-", "_")
    return _SECRET.search(plain) is not None and _HARMLESS.search(plain) is None


# -- marks by name ----------------------------------------------------------------------------------------------------


def marks_by_name(value: Any, marks: Any, name: str = "") -> Any:
    """Add marks for everything in a value whose name suggests a secret."""
    if marks is True or (is_secret_name(name) and value not in (None, "", [], {}) and not isinstance(value, bool)):
        return True
    if isinstance(value, dict):
        return _marks_of_object(value, marks if isinstance(marks, dict) else {})
    if isinstance(value, list):
        given = marks if isinstance(marks, list) else []
        found = [marks_by_name(item, given[n] if n < len(given) else None) for n, item in enumerate(value)]
        return found if any(found) else []
    if isinstance(value, str) and _has_secret(parse_json_text(value)):
        return True
    return marks or False


def _marks_of_object(value: _Object, marks: _Object) -> Any:
    found = {key: marks_by_name(item, marks.get(key), key) for key, item in value.items()}
    if any(isinstance(value.get(key), str) and is_secret_name(value[key]) for key in _NAME_KEYS):
        found |= {key: True for key in _VALUE_KEYS if value.get(key)}
    return {key: mark for key, mark in found.items() if mark}


def _has_secret(document: Any) -> bool:
    """Whether a name in a JSON document suggests a secret."""
    return document is not None and bool(marks_by_name(document, None))


# -- marks by schema --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Schemas:
    """The schemas of providers.

    Source: Terraform, `terraform providers schema -json`. A redacted plan contains them as `provider_schemas`.

    Attributes:
        by_provider: the schemas by provider name.
    """

    by_provider: _Object

    def block_of(self, entry: _Object, table: str) -> _Object:
        """The schema of a resource or an action; empty if it is unknown."""
        provider = _object(self.by_provider.get(str(entry.get("provider_name"))))
        return _object(_object(_object(provider.get(table)).get(str(entry.get("type")))).get("block"))

    def marks(self, value: Any, marks: Any, block: _Object) -> Any:
        """Add marks for the attributes that the schema of the block declares sensitive."""
        if marks is True or not isinstance(value, dict) or not block:
            return marks
        given = marks if isinstance(marks, dict) else {}
        attributes, blocks = _object(block.get("attributes")), _object(block.get("block_types"))
        found = {}
        for key, item in value.items():
            attribute = _object(attributes.get(key))
            if attribute.get("sensitive") is True:
                found[key] = item is not None or given.get(key)
            else:
                nested = _object(attribute.get("nested_type") or blocks.get(key))
                found[key] = self._nested(item, given.get(key), nested)
        return given | {key: mark for key, mark in found.items() if mark}

    def _nested(self, value: Any, marks: Any, nested: _Object) -> Any:
        """Add marks in a nested attribute or block: an object, or a list, set or map of objects."""
        block = _object(nested.get("block", nested))
        if marks is True or not block:
            return marks
        if isinstance(value, list):
            given = marks if isinstance(marks, list) else []
            items = [self.marks(item, given[n] if n < len(given) else None, block) for n, item in enumerate(value)]
            return [item or {} for item in items] if any(items) else marks
        if nested.get("nesting_mode") == "map" and isinstance(value, dict):
            of_keys = _object(marks)
            return {key: self.marks(item, of_keys.get(key), block) or {} for key, item in value.items()}
        return self.marks(value, marks, block)


# -- the parts of a plan ----------------------------------------------------------------------------------------------


def _change(change: _Object, name: str = "") -> _Object:
    marks = {mark: marks_by_name(change.get(side), change.get(mark), name) for side, mark in _SIDES_AND_MARKS}
    return {**change, **marks}


def _output(change: _Object, name: str, *, is_sensitive: bool) -> _Object:
    return {**change, **dict.fromkeys(_MARKS, True)} if is_sensitive else _change(change, name)


def _sensitive_outputs(plan: _Object) -> set[str]:
    """The outputs that the state, the planned values or the configuration declare sensitive."""
    sources = (
        _object(_object(_object(plan.get("prior_state")).get("values")).get("outputs")),
        _object(_object(plan.get("planned_values")).get("outputs")),
        _object(_object(_object(plan.get("configuration")).get("root_module")).get("outputs")),
    )
    return {name for source in sources for name, output in source.items() if _object(output).get("sensitive") is True}


def _resource(entry: _Object, schemas: Schemas) -> _Object:
    change = entry.get("change")
    if not isinstance(change, dict):
        return entry
    block = schemas.block_of(entry, "data_source_schemas" if entry.get("mode") == "data" else "resource_schemas")
    by_schema = {mark: schemas.marks(change.get(side), change.get(mark), block) for side, mark in _SIDES_AND_MARKS}
    return {**entry, "change": _change({**change, **by_schema})}


def _invocation(entry: _Object, schemas: Schemas) -> _Object:
    values, block = entry.get("config_values"), schemas.block_of(entry, "action_schemas")
    marks = schemas.marks(values, entry.get("config_sensitive"), block)
    return {**entry, "config_sensitive": marks_by_name(values, marks)}


def _deferred_change(entry: _Object, schemas: Schemas) -> _Object:
    change = entry.get("resource_change")
    return {**entry, "resource_change": _resource(change, schemas)} if isinstance(change, dict) else entry


def _deferred_invocation(entry: _Object, schemas: Schemas) -> _Object:
    invocation = entry.get("action_invocation")
    return {**entry, "action_invocation": _invocation(invocation, schemas)} if isinstance(invocation, dict) else entry


_SECTIONS: Mapping[str, Callable[[_Object, Schemas], _Object]] = {
    "resource_changes": _resource,
    "resource_drift": _resource,
    "deferred_changes": _deferred_change,
    "action_invocations": _invocation,
    "deferred_action_invocations": _deferred_invocation,
}


def _object(value: Any) -> _Object:
    return value if isinstance(value, dict) else {}


def _lacks_marks(change: _Object) -> bool:
    return any(change.get(side) is not None and f"{side}_sensitive" not in change for side in _SIDES)


def _changes(plan: _Object) -> Iterator[_Object]:
    """The changes in a plan with values before and after."""
    resources = [entry for name in _RESOURCES for entry in _objects(plan.get(name))]
    deferred = (entry.get("resource_change") for entry in _objects(plan.get("deferred_changes")))
    outputs = plan.get("output_changes")
    yield from _objects([entry.get("change") for entry in (*resources, *_objects([*deferred]))])
    yield from _objects([*outputs.values()] if isinstance(outputs, dict) else [])


def _objects(value: Any) -> Iterable[_Object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

"""Plans in which Terraform marks too little as sensitive, and marks for them.

Before 0.15.1 Terraform marked nothing, before 1.1 nothing inside of nested attributes. What is not marked is not taken
for harmless there: what the provider's schema calls sensitive is marked, where a document has schemas, and whatever is
called a password, a token or the like. The redacted form of a plan has schemas; the full one never does.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tfruns.review.schemas import Schemas
from tfruns.review.values import json_of

_Object = Mapping[str, Any]

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_MARKS_ATTRIBUTES = (0, 15, 1)
_MARKS_NESTED = (1, 1, 0)

_SECRET = re.compile(
    r"passw|passphrase|passcode|(^|_)pwd|secret|token|credential|connection_?string|kube_?config|authorization"
    r"|(private|api|access|auth|account|primary|secondary|shared|storage|signing|encryption|master|admin|ssh)_?key"
    r"|(^|_)(pin|psk|sas|dsn)$"
)
# Properties of a secret that are none themselves.
_HARMLESS = re.compile(
    r"_(ids?|arns?|names?|types?|ttl|length|count|versions?|policy|enabled|expiration|expiry|urls?|uri|endpoint|path"
    r"|format|age|days|hours|period|size|status|mode)$"
)
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NAMING = ("name", "key", "Name", "Key")  # of an element such as {name: "DB_PASSWORD", value: "…"}
_VALUED = ("value", "Value")

_SIDES = ("before", "after")
_MARKS = ("before_sensitive", "after_sensitive")
_SIDES_AND_MARKS = (*zip(_SIDES, _MARKS, strict=True),)
_RESOURCES = ("resource_changes", "resource_drift")


def why_unmarked(plan: _Object, terraform_version: str = "") -> str:
    """Why the marks of a plan cannot be relied on; empty if they can.

    Args:
        plan: its JSON.
        terraform_version: the run's, where the plan does not tell.
    """
    text = str(plan.get("terraform_version") or terraform_version)
    found = _VERSION.match(text)
    version = tuple(map(int, found.groups())) if found else _MARKS_NESTED
    if version < _MARKS_ATTRIBUTES:
        return f"Terraform {text} does not mark sensitive values in plans"
    if version < _MARKS_NESTED:
        return f"Terraform {text} does not mark sensitive values inside of nested attributes"
    if any(_lacks_marks(change) for change in _changes(plan)):
        return "The marks of sensitive values are missing in a part of this plan"
    return ""


def with_marks(plan: _Object, schemas: _Object | None = None) -> dict[str, Any]:
    """The plan with more marks: for what a schema calls sensitive, and for whatever is named like a secret.

    Args:
        plan: its JSON.
        schemas: by provider, as `terraform providers schema -json` writes them; those of the plan where none are given.
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
        marked["configuration"] = _with_secret_variables(plan.get("configuration"), variables)
    return marked


def _with_secret_variables(configuration: Any, variables: _Object) -> _Object:
    """The configuration, in which variables are sensitive that are named like a secret."""
    given = _object(configuration)
    root = _object(given.get("root_module"))
    declared = _object(root.get("variables"))
    secret = {name: {"sensitive": True} for name in variables if is_secret_name(name)}
    return {**given, "root_module": {**root, "variables": {**declared, **secret}}}


def is_secret_name(name: str) -> bool:
    """Whether a value of this name is likely a secret."""
    plain = _CAPITAL.sub("_", name).lower().replace("-", "_")
    return _SECRET.search(plain) is not None and _HARMLESS.search(plain) is None


# -- marks ------------------------------------------------------------------------------------------------------------


def marks_by_name(value: Any, marks: Any, name: str = "") -> Any:
    """The marks of a value, and of whatever in it is named like a secret."""
    if marks is True or (is_secret_name(name) and value not in (None, "", [], {}) and not isinstance(value, bool)):
        return True
    if isinstance(value, dict):
        return _marks_of_object(value, marks if isinstance(marks, dict) else {})
    if isinstance(value, list):
        given = marks if isinstance(marks, list) else []
        found = [marks_by_name(item, given[n] if n < len(given) else None) for n, item in enumerate(value)]
        return found if any(found) else []
    if isinstance(value, str) and _has_secret(json_of(value)):
        return True
    return marks or False


def _marks_of_object(value: _Object, marks: _Object) -> Any:
    found = {key: marks_by_name(item, marks.get(key), key) for key, item in value.items()}
    if any(isinstance(value.get(key), str) and is_secret_name(value[key]) for key in _NAMING):
        found |= {key: True for key in _VALUED if value.get(key)}
    return {key: mark for key, mark in found.items() if mark}


def _has_secret(document: Any) -> bool:
    """Whether something in a JSON text is named like a secret."""
    return document is not None and bool(marks_by_name(document, None))


# -- the parts of a plan ----------------------------------------------------------------------------------------------


def _change(change: _Object, name: str = "") -> _Object:
    marks = {mark: marks_by_name(change.get(side), change.get(mark), name) for side, mark in _SIDES_AND_MARKS}
    return {**change, **marks}


def _output(change: _Object, name: str, *, is_sensitive: bool) -> _Object:
    return {**change, **dict.fromkeys(_MARKS, True)} if is_sensitive else _change(change, name)


def _sensitive_outputs(plan: _Object) -> set[str]:
    """The outputs that the state, the planned values or the configuration call sensitive."""
    places = (
        _object(_object(_object(plan.get("prior_state")).get("values")).get("outputs")),
        _object(_object(plan.get("planned_values")).get("outputs")),
        _object(_object(_object(plan.get("configuration")).get("root_module")).get("outputs")),
    )
    return {name for place in places for name, output in place.items() if _object(output).get("sensitive") is True}


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
    """Whatever in a plan has values before and after."""
    resources = [entry for name in _RESOURCES for entry in _objects(plan.get(name))]
    deferred = (entry.get("resource_change") for entry in _objects(plan.get("deferred_changes")))
    outputs = plan.get("output_changes")
    yield from _objects([entry.get("change") for entry in (*resources, *_objects([*deferred]))])
    yield from _objects([*outputs.values()] if isinstance(outputs, dict) else [])


def _objects(value: Any) -> Iterable[_Object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

"""Collection of the sensitive values of a plan.

A value is sensitive if Terraform marks it in the plan or the state, or if the configuration declares it sensitive. Then
every string, number and key in it is sensitive.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from itertools import chain
from typing import Any

from tfruns.hcl.literals import Number

_Object = Mapping[str, Any]
_NAME = re.compile(r"[a-z_]+")  # the name of an attribute; masking such words would mask most of a plan
_SIDES = ("before", "after")


def sensitive_values(plan: _Object, sensitive_variables: Collection[str] = ()) -> Iterator[str]:
    """Every sensitive string in a plan, of any length, including numbers as strings. May contain duplicates."""
    return chain(
        _of_changes(plan),
        _of_state(_at(plan, "prior_state", "values")),
        _of_state(_at(plan, "planned_values")),
        variable_values(plan, sensitive_variables),
        _of_module(_at(plan, "configuration", "root_module")),
    )


def _of_changes(plan: _Object) -> Iterator[str]:
    deferred = _objects_in(plan.get("deferred_changes"))
    entries = chain(
        _objects_in(plan.get("resource_changes")),
        _objects_in(plan.get("resource_drift")),
        (_at(entry, "resource_change") for entry in deferred),
    )
    outputs = (change for _, change in _members(plan.get("output_changes")))
    for change in chain((_at(entry, "change") for entry in entries), outputs):
        for side in _SIDES:
            yield from _marked(change.get(side), change.get(f"{side}_sensitive"))
    later = (_at(entry, "action_invocation") for entry in _objects_in(plan.get("deferred_action_invocations")))
    for action in chain(_objects_in(plan.get("action_invocations")), later):
        yield from _marked(action.get("config_values"), action.get("config_sensitive"))


def _of_state(values: _Object) -> Iterator[str]:
    for _, output in _members(values.get("outputs")):
        yield from _marked(output.get("value"), output.get("sensitive"))
    yield from _of_state_module(_at(values, "root_module"))


def _of_state_module(module: _Object) -> Iterator[str]:
    for resource in _objects_in(module.get("resources")):
        yield from _marked(resource.get("values"), resource.get("sensitive_values"))
    for child in _objects_in(module.get("child_modules")):
        yield from _of_state_module(child)


def variable_values(plan: _Object, sensitive: Collection[str] = ()) -> Iterator[str]:
    """Every string in the values of sensitive root module variables, including those named in `sensitive`."""
    values = _at(plan, "variables")
    for name in sensitive:
        yield from _texts(_at(values, name).get("value"))
    for name, variable in _members(_at(plan, "configuration", "root_module").get("variables")):
        yield from _marked(_at(values, name).get("value"), variable.get("sensitive"))


def _of_module(module: _Object) -> Iterator[str]:
    """Sensitive values in the configuration: defaults of variables, constant arguments of modules, constant outputs."""
    for _, variable in _members(module.get("variables")):
        yield from _marked(variable.get("default"), variable.get("sensitive"))
    for _, output in _members(module.get("outputs")):
        yield from _marked(_constants(output.get("expression")), output.get("sensitive"))
    for _, call in _members(module.get("module_calls")):
        child, given = _at(call, "module"), _at(call, "expressions")
        for name, variable in _members(child.get("variables")):
            yield from _marked(_constants(given.get(name)), variable.get("sensitive"))
        yield from _of_module(child)


def _constants(expression: Any) -> Any:
    return expression.get("constant_value") if isinstance(expression, dict) else None


def _marked(value: Any, marks: Any) -> Iterator[str]:
    """Every string that the marks declare sensitive; all of them if the marks do not match the structure."""
    if marks is True:
        yield from _texts(value)
    elif isinstance(value, dict) and isinstance(marks, dict):
        for key, mark in marks.items():
            if mark:  # most parts of a plan are not marked
                yield from _marked(value.get(key), mark)
    elif isinstance(value, list) and isinstance(marks, list):
        for item, mark in zip(value, marks, strict=False):
            if mark:
                yield from _marked(item, mark)
    elif marks:  # the structure differs
        yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    """Every string and number in a value, and every key that is more than a name."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if not is_name(key):
                yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif is_number(value):
        yield from number_texts(value)


def is_name(key: str) -> bool:
    """Whether a key looks like the name of an attribute, which is not a secret."""
    return _NAME.fullmatch(key) is not None


def is_number(value: Any) -> bool:
    return isinstance(value, int | float | Number) and not isinstance(value, bool)


def number_texts(number: Number | float) -> set[str]:
    """The ways in which a number may be written."""
    return {number.text if isinstance(number, Number) else json.dumps(number), number_text(number)}


def number_text(number: Number | float) -> str:
    """Format a number as Terraform does: without an exponent and without trailing zeros in the fraction.

    A number with a large exponent is returned as given.
    """
    text = number.text if isinstance(number, Number) else json.dumps(number)
    if not _MAY_BE_SHORTER.search(text):
        return text
    try:
        value = Decimal(text)
    except InvalidOperation:
        return text
    if not value.is_finite() or abs(value.adjusted()) > _MAX_DIGITS:
        return text
    plain = f"{value:f}"
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


_MAY_BE_SHORTER = re.compile(r"[eE]|\..*0$")
_MAX_DIGITS = 1_000  # before or after the point


def _at(value: _Object, *path: str) -> _Object:
    """The object at a path of keys; empty if it does not exist."""
    found: Any = value
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _members(value: Any) -> Iterator[tuple[str, _Object]]:
    """The members of an object that are objects."""
    if isinstance(value, dict):
        yield from ((key, item) for key, item in value.items() if isinstance(item, dict))


def _objects_in(value: Any) -> Iterator[_Object]:
    """The objects in a list; nothing for any other value."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))

"""The whole JSON of a plan without sensitive values, for a file.

A value is masked where Terraform marks it: in changes, states, outputs, actions and the configuration. Terraform loses
the mark if a provider copies a value, so it is then masked wherever it occurs. The constants of the configuration have
no marks: those whose name suggests a secret are masked.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from tfruns.masking.secrets import MASKED, Secrets
from tfruns.review.sensitivity_marks import is_secret_name

_Object = Mapping[str, Any]
_Mask = Callable[[Any], Any]
"""Returns a part of the plan without sensitive values."""

_SIDES = (("before", "before_sensitive"), ("after", "after_sensitive"))
_CONSTANT = "constant_value"


def masked_plan(plan: _Object, secrets: Secrets, sensitive_variables: Collection[str] | None) -> dict[str, Any]:
    """A copy of a plan without sensitive values.

    Args:
        plan: the JSON of the plan, with reliable marks.
        secrets: the sensitive values of the plan.
        sensitive_variables: the variables that the workspace declares sensitive; None if they are unknown. Then the
            values of all variables are masked.
    """
    masked = dict(plan)
    for name in ("resource_changes", "resource_drift"):
        _replace(masked, name, lambda entries: _each(entries, _resource))
    _replace(masked, "deferred_changes", lambda entries: _each(entries, _deferred("resource_change", _resource)))
    _replace(masked, "output_changes", lambda changes: _members(changes, _change))
    _replace(masked, "action_invocations", lambda entries: _each(entries, _action))
    deferred_action = _deferred("action_invocation", _action)
    _replace(masked, "deferred_action_invocations", lambda entries: _each(entries, deferred_action))
    _replace(masked, "planned_values", _state_values)
    _replace(masked, "prior_state", lambda state: _with(state, "values", _state_values))
    declared = _at(plan, "configuration", "root_module", "variables")
    hidden = None if sensitive_variables is None else {*sensitive_variables, *_sensitive_names(declared)}
    _replace(masked, "variables", lambda variables: _variables(variables, hidden))
    _replace(masked, "configuration", _configuration)
    found: dict[str, Any] = secrets.mask_document(masked)
    return found


def _by_marks(value: Any, marks: Any) -> Any:
    """The value without the parts that its marks, which have the same structure, declare sensitive."""
    if not marks or value is None:
        return value
    if isinstance(value, Mapping) and isinstance(marks, Mapping):
        return {key: _by_marks(item, marks.get(key)) for key, item in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        return [_by_marks(item, marks[at] if at < len(marks) else None) for at, item in enumerate(value)]
    return MASKED


def _resource(entry: Any) -> Any:
    return _with(entry, "change", _change)


def _change(change: Any) -> Any:
    shown = dict(change)
    for side, marks in _SIDES:
        if side in change:
            shown[side] = _by_marks(change[side], change.get(marks))
    return shown


def _action(entry: Any) -> Any:
    return {**entry, "config_values": _by_marks(entry.get("config_values"), entry.get("config_sensitive"))}


def _deferred(name: str, mask: _Mask) -> _Mask:
    return lambda entry: _with(entry, name, mask)


def _state_values(values: Any) -> Any:
    shown = _with(values, "outputs", lambda outputs: _members(outputs, _state_output))
    return _with(shown, "root_module", _state_module)


def _state_output(output: Any) -> Any:
    return {**output, "value": MASKED} if output.get("sensitive") and "value" in output else output


def _state_module(module: Any) -> Any:
    shown = _with(module, "resources", lambda resources: _each(resources, _state_resource))
    return _with(shown, "child_modules", lambda modules: _each(modules, _state_module))


def _state_resource(resource: Any) -> Any:
    return {**resource, "values": _by_marks(resource.get("values"), resource.get("sensitive_values"))}


def _variables(variables: Any, hidden: Collection[str] | None) -> Any:
    if not isinstance(variables, Mapping):
        return variables
    return {
        name: {"value": MASKED} if hidden is None or name in hidden or is_secret_name(name) else variable
        for name, variable in variables.items()
    }


# -- the configuration ------------------------------------------------------------------------------------------------


def _configuration(configuration: Any) -> Any:
    shown = _with(configuration, "root_module", _module)
    return _with(shown, "provider_config", lambda providers: _members(providers, _expressions_of))


def _module(module: Any) -> Any:
    shown = _with(module, "variables", lambda variables: _members(variables, _declared_variable))
    shown = _with(shown, "outputs", lambda outputs: _members(outputs, _declared_output))
    for name in ("resources", "actions"):
        shown = _with(shown, name, lambda resources: _each(resources, _expressions_of))
    return _with(shown, "module_calls", lambda calls: _members(calls, _module_call))


def _declared_variable(variable: Any) -> Any:
    return {**variable, "default": MASKED} if variable.get("sensitive") and "default" in variable else variable


def _declared_output(output: Any) -> Any:
    return _with(output, "expression", _without_constants) if output.get("sensitive") else output


def _expressions_of(entry: Any) -> Any:
    return _with(entry, "expressions", lambda expressions: _expressions(expressions, ()))


def _module_call(call: Any) -> Any:
    sensitive = _sensitive_names(_at(call, "module", "variables"))
    shown = _with(call, "expressions", lambda expressions: _expressions(expressions, sensitive))
    return _with(shown, "module", _module)


def _expressions(node: Any, sensitive: Collection[str]) -> Any:
    """The expressions of a block, without the constants of these names, and of names that suggest a secret."""
    if isinstance(node, list):
        return [_expressions(item, sensitive) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {
        name: _without_constants(item) if name in sensitive or is_secret_name(name) else _expressions(item, sensitive)
        for name, item in node.items()
    }


def _without_constants(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_constants(item) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {name: MASKED if name == _CONSTANT else _without_constants(item) for name, item in node.items()}


# -- parts of a document that may be malformed ------------------------------------------------------------------------


def _sensitive_names(variables: _Object) -> set[str]:
    return {name for name, item in variables.items() if isinstance(item, Mapping) and item.get("sensitive")}


def _at(node: Any, *path: str) -> _Object:
    for name in path:
        node = node.get(name) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {}


def _replace(document: dict[str, Any], name: str, mask: _Mask) -> None:
    if name in document:
        document[name] = mask(document[name])


def _with(entry: Any, name: str, mask: _Mask) -> Any:
    if not isinstance(entry, Mapping) or name not in entry or entry[name] is None:
        return entry
    return {**entry, name: mask(entry[name])}


def _each(entries: Any, mask: _Mask) -> Any:
    if not isinstance(entries, list):
        return entries
    return [mask(entry) if isinstance(entry, Mapping) else entry for entry in entries]


def _members(entries: Any, mask: _Mask) -> Any:
    if not isinstance(entries, Mapping):
        return entries
    return {name: mask(entry) if isinstance(entry, Mapping) else entry for name, entry in entries.items()}

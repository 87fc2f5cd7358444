"""Masking of the arguments of a tool call for the audit log."""

from collections.abc import Iterator, Mapping
from typing import Any

from tfruns.hcl.literals import Literal, NotALiteral, Number, Object, read_literal
from tfruns.masking.plan_values import is_name, number_texts
from tfruns.masking.redaction import REMOVED, safe_text
from tfruns.masking.secrets import Secrets

_MAX_STRING = 500  # characters
_MAX_ITEMS = 100


def mask_variable_values(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Copy arguments without tokens and variable values, also where another argument repeats them.

    Long strings and lists are truncated.
    """
    values = [text for value in _values_in(arguments) for text in _texts_of(value)]
    secrets = Secrets(of_variables=values, replacement=REMOVED)
    cleaned: dict[str, Any] = _cleaned(arguments, secrets)
    return cleaned


def hcl_texts(text: str) -> list[str]:
    """The strings that are secret if an HCL literal is secret: the literal itself, and every string in it."""
    try:
        return [text, *_leaves(read_literal(text))]
    except NotALiteral:
        return [text]


def _leaves(value: Literal) -> Iterator[str]:
    """Every string and number in a literal, and every key that is more than a name."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Number):
        yield from number_texts(value)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, Object):
        for key, item in value.items:
            if not is_name(key):
                yield key
            yield from _leaves(item)


def _values_in(node: Any) -> Iterator[Any]:
    """The values of variables at any depth: objects with a `key` and a `value`."""
    if isinstance(node, Mapping):
        if "key" in node and "value" in node:
            yield node["value"]
        for child in node.values():
            yield from _values_in(child)
    elif isinstance(node, list):
        for child in node:
            yield from _values_in(child)


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping | list):
        for child in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_of(child)
    elif isinstance(value, str):
        yield from hcl_texts(value)
    elif value is not None:
        yield str(value).lower()  # a number or a boolean, in HCL syntax


def _cleaned(node: Any, secrets: Secrets) -> Any:
    if isinstance(node, str):
        text = safe_text(secrets.mask(safe_text(node)))
        return text if len(text) <= _MAX_STRING else text[:_MAX_STRING] + "…"
    if isinstance(node, list):
        omitted = [f"… {len(node) - _MAX_ITEMS} more"] if len(node) > _MAX_ITEMS else []
        return [_cleaned(child, secrets) for child in node[:_MAX_ITEMS]] + omitted
    if isinstance(node, Mapping):
        hidden = {"value"} if "key" in node and "value" in node else set()
        return {key: REMOVED if key in hidden else _cleaned(child, secrets) for key, child in node.items()}
    return node

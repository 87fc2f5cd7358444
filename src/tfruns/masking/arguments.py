"""The arguments of a call, without the values of variables."""

from collections.abc import Iterator, Mapping
from typing import Any

from tfruns.hcl.literals import Literal, NotALiteral, Number, Object, read_literal
from tfruns.masking.plan_values import is_name, number_texts
from tfruns.masking.redaction import REMOVED, safe_text
from tfruns.masking.secrets import Secrets

_LONGEST_TEXT = 500  # characters
_MOST_ITEMS = 100


def mask_variable_values(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with bounded texts and lists, without tokens and the values of variables, wherever these are repeated."""
    values = [text for value in _values_in(arguments) for text in _texts_of(value)]
    secrets = Secrets(of_variables=values, replacement=REMOVED)
    return {name: _cleaned(value, secrets) for name, value in arguments.items()}


def hcl_texts(text: str) -> list[str]:
    """The texts that are secret if an HCL literal is: the literal as it is written, and each text in it."""
    try:
        return [text, *_leaves(read_literal(text))]
    except NotALiteral:
        return [text]


def _leaves(value: Literal) -> Iterator[str]:
    """Each string, number and key of a literal; of the keys, those that are more than a name."""
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
    """The values of variables, wherever they are."""
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
        yield str(value).lower()  # a number, or true and false as HCL writes them


def _cleaned(node: Any, secrets: Secrets) -> Any:
    if isinstance(node, str):
        text = safe_text(secrets.mask(safe_text(node)))
        return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
    if isinstance(node, list):
        return [_cleaned(child, secrets) for child in node[:_MOST_ITEMS]]
    if isinstance(node, Mapping):
        if "key" in node and "value" in node:
            return {"key": _cleaned(node["key"], secrets), "value": REMOVED}
        return {key: _cleaned(child, secrets) for key, child in node.items()}
    return node

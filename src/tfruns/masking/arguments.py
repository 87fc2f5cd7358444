"""The arguments of a call, without the values of variables."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tfruns.masking.redaction import REMOVED, redact
from tfruns.masking.written_forms import SHORTEST

_LONGEST_TEXT = 500  # characters
_MOST_ITEMS = 100
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def without_variable_values(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A copy with bounded texts and lists, without tokens and the values of variables, wherever these are repeated."""
    hidden = sorted({text for secret in _values_in(arguments) for text in _texts_of(secret)}, key=len, reverse=True)
    return {name: _cleaned(value, hidden) for name, value in arguments.items()}


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
    """The texts that a variable's value has in it: an HCL literal as a whole, and each string in it as it is meant."""
    if isinstance(value, Mapping | list):
        for child in value.values() if isinstance(value, Mapping) else value:
            yield from _texts_of(child)
    elif not isinstance(value, bool) and value is not None:
        text = str(value)
        strings = _STRING.findall(text)
        meant = [string.replace('\\"', '"').replace("\\\\", "\\") for string in strings]
        yield from (found for found in (text, *strings, *meant) if len(found) >= SHORTEST)


def _cleaned(node: Any, hidden: Iterable[str]) -> Any:
    if isinstance(node, str):
        for secret in hidden:
            node = node.replace(secret, REMOVED)
        text = redact(node)
        return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"
    if isinstance(node, list):
        return [_cleaned(child, hidden) for child in node[:_MOST_ITEMS]]
    if isinstance(node, Mapping):
        if "key" in node and "value" in node:
            return {"key": _cleaned(node["key"], hidden), "value": REMOVED}
        return {key: _cleaned(child, hidden) for key, child in node.items()}
    return node

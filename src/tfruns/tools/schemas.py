"""JSON Schemas for readers who pay by the token.

Pydantic's schemas repeat every name as a title, refer to definitions, and spell an optional value as a choice with
null. Here references are put in place and the rest is left out: an optional argument is one that is not required.
"""

from collections.abc import Mapping
from typing import Any

from tfruns.jsonapi import JSON

_NULL = {"type": "null"}


def compact_schema(schema: Mapping[str, JSON]) -> dict[str, JSON]:
    """The same schema, shorter."""
    definitions = schema.get("$defs", {})
    return _compact({key: value for key, value in schema.items() if key != "$defs"}, definitions)


def _compact(node: Mapping[str, JSON], definitions: Mapping[str, JSON]) -> dict[str, JSON]:
    node = _without_null(_resolved(node, definitions))
    node = _resolved(node, definitions)
    result: dict[str, JSON] = {}
    for key, value in node.items():
        if key == "title" or (key == "default" and value is None):
            continue
        if key == "properties":
            result[key] = {name: _compact(child, definitions) for name, child in value.items()}
        elif key == "items":
            result[key] = _compact(value, definitions)
        elif key == "anyOf":
            result[key] = [_compact(choice, definitions) for choice in value]
        elif key == "description" and "properties" in node:
            continue  # of a whole object: the docstring of a class, which is for programmers
        else:
            result[key] = value
    if result.get("type") == "array":
        result.setdefault("items", {})  # of any kind; clients refuse a whole list of tools for an array without it
    return result


def _resolved(node: Mapping[str, JSON], definitions: Mapping[str, JSON]) -> dict[str, Any]:
    """The node with its reference put in place; what stands beside the reference counts more."""
    if "$ref" not in node:
        return dict(node)
    target = definitions[node["$ref"].rpartition("/")[2]]
    return {**target, **{key: value for key, value in node.items() if key != "$ref"}}


def _without_null(node: dict[str, Any]) -> dict[str, Any]:
    """`string or null` as `string`: null is accepted for what is not given, and need not be said."""
    choices = [choice for choice in node.get("anyOf", ()) if choice != _NULL]
    if len(choices) != 1:
        return node
    return {**choices[0], **{key: value for key, value in node.items() if key != "anyOf"}}

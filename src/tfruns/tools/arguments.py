"""What is wrong with a call's arguments, in our own words.

Validation libraries repeat the value that they refuse, and a value may be a secret in the wrong place. What is said
here is where it stands, what is allowed there, and for a name that does not exist which one may have been meant.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tfruns.errors import InvalidInput
from tfruns.jsonapi import JSON

_EXPECTED = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def invalid_arguments(error: ValidationError, schema: Mapping[str, JSON]) -> InvalidInput:
    """The error for arguments that do not fit a tool's schema; it names all that is wrong."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    problems = [_problem(detail["type"], detail["loc"], schema) for detail in details]
    return InvalidInput(" ".join(dict.fromkeys(problems)))


def _problem(kind: str, place: Sequence[str | int], schema: Mapping[str, JSON]) -> str:
    name = _spelled(place)
    if kind == "missing":
        return f"{name} is missing."
    if kind == "extra_forbidden":
        return f"There is no argument {name}.{_suggestion(str(place[-1]), _node(place[:-1], schema))}"
    node = _node(place, schema)
    if "pattern" in kind:
        return f"{name} has to be letters, digits, _ and -, and to begin with a letter or _."
    if "enum" in node:
        return f"{name} has to be one of {', '.join(node['enum'])}."
    expected = _EXPECTED.get(str(node.get("type")), "of another type")
    if expected == "a list":
        return f"{name} has to be a list of {_plural(node.get('items', {}))}."
    return f"{name} has to be {expected}."


def _spelled(place: Sequence[str | int]) -> str:
    """`params.variables[0].key`; a part that is no plain name is not repeated at length."""
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part[:40]}"
    return text.removeprefix(".")


def _node(place: Sequence[str | int], schema: Mapping[str, JSON]) -> Mapping[str, Any]:
    for part in place:
        schema = schema.get("items", {}) if isinstance(part, int) else schema.get("properties", {}).get(part, {})
    return schema


def _suggestion(name: str, node: Mapping[str, Any]) -> str:
    allowed = list(node.get("properties", {}))
    children = node.get("properties", {}).items()
    inside = [f"{outer}.{name}" for outer, child in children if name in child.get("properties", {})]
    near = inside or difflib.get_close_matches(name.lower(), allowed, n=1)
    return f" Did you mean {near[0]}?" if near else f" There are: {', '.join(allowed)}."


def _plural(items: Mapping[str, Any]) -> str:
    return {"string": "strings", "object": f"objects with {' and '.join(items.get('properties', {}))}"}.get(
        str(items.get("type")), "values"
    )

"""The first stage of a call: its arguments are checked against the signature of the tool.

The error messages are written here, because validation libraries repeat the value that they refuse, and a value may be
a secret in the wrong argument. A message names the argument, what is allowed, and the likely intended name.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tfruns.client.activity import check_comment
from tfruns.errors import InvalidInput
from tfruns.jsonapi import JSON, whole_text
from tfruns.tool import Proof, Tool
from tfruns.wire.run_params import check_message

_MAX_CHARACTERS = 4_000_000  # of all texts together; values of variables are the longest


def validated(tool: Tool, arguments: Mapping[str, JSON]) -> tuple[dict[str, Any], dict[Proof, str]]:
    """The checked arguments for the tool, and the proofs of a confirmation.

    Raises:
        InvalidInput: an argument is missing, unknown, too large or of the wrong type.
    """
    _check_size(arguments)
    _check_texts(arguments)
    known = tool.arguments.model_fields
    # Assistants often send null for an omitted argument.
    given = {name: value for name, value in arguments.items() if value is not None or name not in known}
    try:
        checked = tool.arguments.model_validate(given, strict=True)
    except ValidationError as error:
        raise _invalid_arguments(error, tool.input_schema) from None
    values = {name: getattr(checked, name) for name in known}
    proofs = {proof: value for proof in tool.proofs if (value := values.pop(proof.value)) is not None}
    return values, proofs


def _check_size(arguments: Mapping[str, JSON]) -> None:
    """Refuse arguments that are too large to be copied, shown or logged."""
    size, rest = 0, list[JSON](arguments.values())
    while rest:
        node = rest.pop()
        if isinstance(node, str):
            size += len(node)
        elif isinstance(node, Mapping):
            rest += [*node.keys(), *node.values()]
        elif isinstance(node, list):
            rest += node
        if size > _MAX_CHARACTERS:
            raise InvalidInput(f"The arguments have more than {_MAX_CHARACTERS:,} characters. Nothing was sent.")
    comment = arguments.get("comment")
    if isinstance(comment, str):
        check_comment(comment)
    params = arguments.get("params")
    message = params.get("message") if isinstance(params, Mapping) else None
    check_message(message if isinstance(message, str) else None)


def _check_texts(arguments: Mapping[str, JSON]) -> None:
    try:
        is_whole = arguments == whole_text(arguments)
    except RecursionError:
        raise InvalidInput("The arguments are nested too deep.") from None
    if not is_whole:
        raise InvalidInput("A text among the arguments has half of a character in it, which no text can hold.")


# -- error messages ---------------------------------------------------------------------------------------------------

_EXPECTED = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def _invalid_arguments(error: ValidationError, schema: Mapping[str, JSON]) -> InvalidInput:
    """The error for arguments that do not fit a tool's schema; it names every problem."""
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

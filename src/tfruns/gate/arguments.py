"""The first stage of a call: validation of its arguments.

The error messages are written here, because validation libraries repeat the rejected value, which may be a secret in
the wrong argument. A message names the argument, the allowed values, and the name that was probably meant.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from tfruns.client.activity import check_comment
from tfruns.errors import InvalidInput
from tfruns.jsonapi import JSON, whole_text
from tfruns.tool import Proof, Role, Tool
from tfruns.wire.run_params import check_message

_MAX_CHARACTERS = 4_000_000  # of all texts together; the values of variables are the longest


def validated(tool: Tool, arguments: Mapping[str, JSON]) -> tuple[dict[str, Any], dict[Proof, str]]:
    """The validated arguments for the tool, and the proofs of confirmation.

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
    _check_length(tool, values)
    given_proofs = {proof: values.pop(proof.value) for proof in tool.proofs}
    # A model with a strict schema has to send every argument, and sends an empty text for an omitted one.
    proofs = {proof: value for proof, value in given_proofs.items() if value and value.strip()}
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


def _check_length(tool: Tool, values: Mapping[str, Any]) -> None:
    """Refuse a comment or a message that is too long before a person is asked about it."""
    if comment := tool.argument(Role.COMMENT, values):
        check_comment(comment)
    if options := tool.argument(Role.RUN_OPTIONS, values):
        check_message(options.message)


def _check_texts(arguments: Mapping[str, JSON]) -> None:
    try:
        is_whole = arguments == whole_text(arguments)
    except RecursionError:
        raise InvalidInput("The arguments are nested too deeply.", solution="Use fewer levels.") from None
    if not is_whole:
        raise InvalidInput("A text in the arguments contains an unpaired surrogate.", solution="Send valid Unicode.")


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
    """The error for arguments that do not match the schema of a tool. It names every problem."""
    details = error.errors(include_input=False, include_url=False, include_context=False)
    problems = [_problem(detail["type"], detail["loc"], schema) for detail in details]
    return InvalidInput(" ".join(dict.fromkeys(problems)))


def _problem(kind: str, location: Sequence[str | int], schema: Mapping[str, JSON]) -> str:
    name = _path(location)
    if kind == "missing":
        return f"{name} is required."
    if kind == "extra_forbidden":
        return f"Unknown argument {name}.{_suggestion(str(location[-1]), _node(location[:-1], schema))}"
    node = _node(location, schema)
    if "pattern" in kind:
        return f"{name} must consist of letters, digits, _ and -, and begin with a letter or _."
    if "enum" in node:
        return f"{name} must be one of {', '.join(node['enum'])}."
    expected = _EXPECTED.get(str(node.get("type")), "of another type")
    if expected == "a list":
        return f"{name} must be a list of {_plural(node.get('items', {}))}."
    return f"{name} must be {expected}."


def _path(location: Sequence[str | int]) -> str:
    """`params.variables[0].key`. Each part is truncated, because an unknown name may be anything."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part[:40]}"
    return text.removeprefix(".")


def _node(location: Sequence[str | int], schema: Mapping[str, JSON]) -> Mapping[str, Any]:
    for part in location:
        schema = schema.get("items", {}) if isinstance(part, int) else schema.get("properties", {}).get(part, {})
    return schema


def _suggestion(name: str, node: Mapping[str, Any]) -> str:
    allowed = list(node.get("properties", {}))
    children = node.get("properties", {}).items()
    inside = [f"{outer}.{name}" for outer, child in children if name in child.get("properties", {})]
    near = inside or difflib.get_close_matches(name.lower(), allowed, n=1)
    return f" Did you mean {near[0]}?" if near else f" Allowed: {', '.join(allowed)}."


def _plural(items: Mapping[str, Any]) -> str:
    return {"string": "strings", "object": f"objects with {' and '.join(items.get('properties', {}))}"}.get(
        str(items.get("type")), "values"
    )

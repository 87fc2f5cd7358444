"""The API reference of the Python client, generated from its signatures, docstrings and models."""

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cached_property
from textwrap import dedent
from typing import Any

from pydantic import BaseModel

import tfruns
from tfruns.client.client import Client
from tfruns.jsonapi import Pagination
from tfruns.vocabulary import RunStatus

_SECTIONS = ("Args", "Returns", "Raises", "Attributes")
_INTRODUCTION = """Generated from the code. `Client` is `tfruns.Client`, with coroutines. `tfruns.sync.Client` has the
same resources and methods without `async` and `await`: `close()` instead of `aclose()`, `with` instead of
`async with`, and `for` instead of `async for`. [The Python client](client.md) explains how to use them, and the
[recipes](recipes.md) are complete programs. The errors have [a page of their own](errors.md).
"""
_COMMON = {
    "id": "its id",
    "status": "its status; a status that tfruns does not know stays a string",
    "status_timestamps": "the times of its status changes, by the API's key, such as `planned-at`",
    "created_at": "the time of its creation",
    "updated_at": "the time of its last change",
    "created_by": "the user who created it",
    "workspace": "its workspace",
    "organization": "its organization",
    "run": "its run",
    "actions": "the actions that its state allows",
    "permissions": "the permissions of this token on it",
    "error_message": "the reason of a failure",
    "description": "a text for people",
}
_INTERNAL = {"id_of", "derived"}
_OPTIONS: tuple[type[Any], ...] = (
    tfruns.RunParams,
    tfruns.RunVariableParam,
    tfruns.RunFilters,
    tfruns.Listing,
    tfruns.Page,
    Pagination,
)


def python_reference(note: str) -> str:
    """The page, as Markdown."""
    lines = [
        f"# Python reference\n\n{note}\n{_INTRODUCTION}",
        *_client(),
        *_options(),
        *_resources(),
        *_errors(),
        *_enumerations(),
    ]
    return "\n".join(lines).rstrip() + "\n"


def resource_table() -> str:
    """The methods of each resource, as a table."""
    rows = [
        f"| `{name}` | {', '.join(f'`{method.__name__}`' for method in _public(kind))} |"
        for name, kind in resources().items()
    ]
    return "\n".join(["| attribute | methods |", "|---|---|", *rows])


def public_models() -> list[type[Any]]:
    """The classes that the methods of the client return, and those of their fields."""
    found: dict[type[Any], None] = {}
    rest = [inspect.signature(method).return_annotation for kind in resources().values() for method in _public(kind)]
    while rest:
        annotation = rest.pop(0)
        if isinstance(annotation, type) and _is_model(annotation) and annotation not in found:
            found[annotation] = None
            rest += typing.get_type_hints(annotation).values()
        rest += typing.get_args(annotation)
    return sorted(found.keys() - {*_OPTIONS}, key=lambda kind: kind.__name__)


def _is_model(kind: type[Any]) -> bool:
    return kind.__module__.startswith("tfruns.") and (issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind))


def resources() -> Mapping[str, type]:
    """The resources of the client, by attribute."""
    client = Client("https://tfe.example.com", "not-a-token")
    names = [name for name, value in vars(Client).items() if isinstance(value, cached_property)]
    return {name: type(getattr(client, name)) for name in names}


def _client() -> Iterator[str]:
    yield "## Client\n"
    yield _signature("Client", inspect.signature(Client), is_constructor=True)
    yield from _docstring(inspect.getdoc(Client) or "")
    yield from _methods(Client, "client.", level="###")
    for name, kind in resources().items():
        yield f"\n### client.{name}\n"
        yield from _docstring(inspect.getdoc(kind) or "")
        yield from _methods(kind, f"client.{name}.")


def _public(kind: type) -> list[Any]:
    found = inspect.getmembers(kind, inspect.isfunction)
    return [method for name, method in found if not name.startswith("_") and name not in _INTERNAL]


def _methods(kind: type, prefix: str, *, level: str = "####") -> Iterator[str]:
    for method in _public(kind):
        yield f"\n{level} {prefix}{method.__name__}()\n"
        is_coroutine = inspect.iscoroutinefunction(method)
        yield _signature(method.__name__, inspect.signature(method), is_coroutine=is_coroutine)
        yield from _docstring(inspect.getdoc(method) or "")


def _signature(
    name: str, signature: inspect.Signature, *, is_constructor: bool = False, is_coroutine: bool = False
) -> str:
    """A signature as a stub, one parameter a line if there are many."""
    parameters = [parameter for parameter in signature.parameters.values() if parameter.name != "self"]
    texts: list[str] = []
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in texts:
            texts.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        texts.append(f"{parameter.name}: {type_name(parameter.annotation)}{default}")
    joined = ", ".join(texts)
    if len(joined) > 80:
        joined = "\n    " + ",\n    ".join(texts) + ",\n"
    returns = "None" if is_constructor else type_name(signature.return_annotation)
    return f"```python\n{'async ' if is_coroutine else ''}def {name}({joined}) -> {returns}: ...\n```\n"


def _docstring(text: str) -> Iterator[str]:
    """A docstring as Markdown: its paragraphs, and its sections as lists."""
    for paragraph in text.split("\n\n"):
        title, _, body = paragraph.partition("\n")
        if title.rstrip(":") in _SECTIONS and body:
            yield f"**{title.rstrip(':')}**\n"
            yield from _items(body)
            yield ""
        elif paragraph.startswith("    "):
            yield f"```python\n{dedent(paragraph)}\n```\n"
        else:
            lines = [line.strip() for line in paragraph.splitlines()]
            yield "  \n".join([" ".join(part) for part in _parts(lines)]) + "\n"


def _parts(lines: list[str]) -> Iterator[list[str]]:
    """The lines of a paragraph; `Source:` and `Wire:` each begin a line."""
    part: list[str] = []
    for line in lines:
        if part and line.startswith(("Source:", "Wire:")):
            yield part
            part = []
        part.append(_escaped(line))
    yield part


def _items(body: str) -> Iterator[str]:
    for item in re.split(r"\n(?=\S)", inspect.cleandoc(body)):
        name, colon, text = " ".join(item.split()).partition(": ")
        names = ", ".join(f"`{each}`" for each in name.split(", ")) if colon and re.fullmatch(r"[\w, ]+", name) else ""
        yield f"- {names}: {_escaped(text)}" if names else f"- {_escaped(' '.join(item.split()))}"


def _options() -> Iterator[str]:
    yield "\n## Options and pages\n"
    for kind in _OPTIONS:
        yield from _class(kind)
    yield "\n### packed_directory()\n"
    yield _signature("packed_directory", inspect.signature(tfruns.packed_directory))
    yield from _docstring(inspect.getdoc(tfruns.packed_directory) or "")


def _resources() -> Iterator[str]:
    yield "\n## Resources\n"
    yield (
        "A field that the API omits is None. Fields that are not listed are in `model_extra`. A `Related` has the "
        "`type` and `id` of another resource; `follow` returns it if the request asked for it with `include`.\n"
    )
    for kind in public_models():
        yield from _class(kind)


def _class(kind: type[Any]) -> Iterator[str]:
    yield f"\n### {kind.__name__}\n"
    text = inspect.getdoc(kind) or ""
    yield from _docstring(re.sub(r"\n\nAttributes:\n.*?(?=\n\n\S|\Z)", "", text, flags=re.DOTALL))
    if fields := list(fields_of(kind)):
        yield "| field | type | meaning |\n|---|---|---|"
        for name, annotation, meaning in fields:
            yield f"| `{name}` | `{annotation.replace('|', chr(92) + '|')}` | {_escaped(meaning.rstrip('.'))} |"
        yield ""
    for name, value in vars(kind).items():
        if isinstance(value, property) and not name.startswith("_"):
            yield f"- `{name}`: `{type_name(inspect.signature(value.fget).return_annotation)}`. {_summary(value)}"  # type: ignore[arg-type]
    if issubclass(kind, tfruns.Listing):
        yield from _methods(kind, "listing.")


def _summary(value: object) -> str:
    return _escaped(" ".join((inspect.getdoc(value) or "").split("\n\n")[0].split()))


def fields_of(kind: type[Any]) -> Iterator[tuple[str, str, str]]:
    """The public fields of a model or dataclass: name, type, and meaning."""
    meanings = _meanings(kind)
    hints = typing.get_type_hints(kind)
    if issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield name, type_name(hints[name]), field.description or meanings.get(name, "")
    elif dataclasses.is_dataclass(kind):
        for each in dataclasses.fields(kind):
            if not each.name.startswith("_"):
                yield each.name, type_name(hints[each.name]), meanings.get(each.name, "")


def _meanings(kind: type[Any]) -> dict[str, str]:
    """The descriptions in the `Attributes` sections of a class and its base classes; else those of options."""
    found = _COMMON | {name: field.description or "" for name, field in tfruns.RunParams.model_fields.items()}
    for base in reversed(kind.__mro__):
        section = re.search(r"(?m)^Attributes:\n((?:    .*\n?|\n(?=    ))+)", inspect.cleandoc(base.__doc__ or ""))
        if section:
            for item in re.split(r"\n(?=\S)", inspect.cleandoc(section[1])):
                name, _, text = " ".join(item.split()).partition(": ")
                found |= dict.fromkeys(name.split(", "), text)
    return found


def _errors() -> Iterator[str]:
    yield "\n## Errors\n\n### TfrunsError\n"
    yield from _docstring(inspect.getdoc(tfruns.TfrunsError) or "")
    yield "[Errors](errors.md) lists the classes, with their causes and solutions.\n"


def _enumerations() -> Iterator[str]:
    yield "\n## Enumerations\n"
    for name in tfruns.__all__:
        kind = getattr(tfruns, name)
        if isinstance(kind, type) and issubclass(kind, Enum):
            yield f"\n### {name}\n"
            yield f"{_summary(kind)}\n"
            yield ", ".join(f"`{member.value}`" for member in kind) + "\n"
            if kind is RunStatus:
                yield "[Run lifecycle](lifecycle.md) explains each.\n"


def type_name(annotation: Any) -> str:  # noqa: PLR0911  # a case for each kind of annotation
    """A type as in source code, without modules and metadata."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return type_name(typing.get_args(annotation)[0])
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(dict.fromkeys(type_name(each) for each in typing.get_args(annotation)))
    if annotation is None or annotation is type(None):
        return "None"
    if isinstance(annotation, str):
        return annotation
    if isinstance(annotation, list):
        return f"[{', '.join(map(type_name, annotation))}]"
    if annotation is ...:
        return "..."
    if origin is not None:
        inner = typing.get_args(annotation)
        arguments = map(repr, inner) if origin is typing.Literal else map(type_name, inner)
        return f"{_name(origin)}[{', '.join(arguments)}]"
    return _name(annotation)


def _name(kind: Any) -> str:
    name = str(getattr(kind, "__name__", kind))
    return {"AwareDatetime": "datetime"}.get(name, name)


def _escaped(text: str) -> str:
    return re.sub(
        r"[<>|](?=(?:[^`]*`[^`]*`)*[^`]*$)", lambda found: {"<": "&lt;", ">": "&gt;", "|": "\\|"}[found[0]], text
    )

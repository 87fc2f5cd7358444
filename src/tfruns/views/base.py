"""The base of all views, and the two operations on any view: as JSON, and with each text replaced."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, TypeVar

from tfruns.jsonapi import JSON

V = TypeVar("V")
_EMPTY: tuple[JSON, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class View:
    """The result of a tool: its fields in the order of the JSON object."""


def kept(*, null: bool = True, **options: Any) -> Any:
    """A field that the JSON form has even if it is empty; with `null=False`, unless it is None."""
    return field(metadata={"omitted": () if null else (None,)}, **options)


def as_json(view: object) -> JSON:
    """The JSON form of a view: an object without the fields that are empty or unknown, times in UTC."""
    if is_dataclass(view) and not isinstance(view, type):
        members = ((name, omitted, as_json(getattr(view, name))) for name, omitted in _fields(type(view)))
        return {name: value for name, omitted, value in members if value not in omitted}
    if isinstance(view, Mapping):
        return {name: as_json(value) for name, value in view.items()}
    if isinstance(view, str):
        return str(view)
    if isinstance(view, Sequence):
        return [as_json(item) for item in view]
    return shown_time(view) if isinstance(view, datetime) else view


def with_texts(view: V, change: Callable[[str], str]) -> V:
    """A copy of a view in which each text is changed, the names within mappings included.

    Raises:
        TypeError: the view contains a value of an unknown type, which may contain text.
    """
    return _changed(view, change)  # type: ignore[no-any-return]


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if value is None or isinstance(value, bool | int | float | datetime):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{name: _changed(getattr(value, name), change) for name, _ in _fields(type(value))})
    if isinstance(value, Mapping):
        return {change(name): _changed(item, change) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_changed(item, change) for item in value)
    raise TypeError(f"a view cannot contain {type(value).__name__}")


@cache
def _fields(kind: type) -> tuple[tuple[str, tuple[JSON, ...]], ...]:
    """The names of a view's fields, and the values with which the JSON form omits each."""
    return tuple((item.name, item.metadata.get("omitted", _EMPTY)) for item in fields(kind))


def shown_time(value: datetime | None) -> str | None:
    """A time in UTC, to the second."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None

"""The base of all views, and the two operations on any view: as JSON, and with each text replaced."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar, TypeVar

from tfruns.jsonapi import JSON

V = TypeVar("V")
_EMPTY: tuple[JSON, ...] = (None, "", [], {})


@dataclass(frozen=True, slots=True)
class View:
    """The result of a tool: its fields in the order of the JSON object.

    Attributes:
        ROWS: the field with the rows, if the result is a list.
        SHARED: fields of rows that the JSON form states once if all rows have the same value.
    """

    ROWS: ClassVar[str] = ""
    SHARED: ClassVar[tuple[str, ...]] = ()


def kept(*, null: bool = True, **options: Any) -> Any:
    """A field that the JSON form has even if it is empty; with `null=False`, unless it is None."""
    return field(metadata={"omitted": () if null else (None,)}, **options)


def implied_by(name: str) -> Any:
    """A field that the JSON form omits if another one is known."""
    return field(default=None, metadata={"implied_by": name})


def as_json(view: object, *, is_complete: bool = False) -> JSON:
    """The JSON form of a view: an object with times in UTC.

    Args:
        view: the view, or a value of a field.
        is_complete: include the fields that are empty or unknown.
    """
    if is_dataclass(view) and not isinstance(view, type):
        members = (
            (name, omitted, as_json(getattr(view, name), is_complete=is_complete))
            for name, omitted, implying in _fields(type(view))
            if is_complete or not (implying and getattr(view, implying))
        )
        shown = {name: value for name, omitted, value in members if is_complete or value not in omitted}
        return shown if is_complete or not isinstance(view, View) else _with_shared(view, shown)
    if isinstance(view, Mapping):
        return {name: as_json(value, is_complete=is_complete) for name, value in view.items()}
    if isinstance(view, str):
        return str(view)
    if isinstance(view, Sequence):
        return [as_json(item, is_complete=is_complete) for item in view]
    return shown_time(view) if isinstance(view, datetime) else view


def _with_shared(view: View, shown: dict[str, JSON]) -> dict[str, JSON]:
    """The JSON form of a list, with what all rows share stated once."""
    rows: Sequence[dict[str, JSON]] = shown.get(view.ROWS) or ()
    for name in view.SHARED if len(rows) > 1 else ():
        value = rows[0].get(name)
        if value is not None and all(row.get(name) == value for row in rows):
            shown[name] = value
            for row in rows:
                del row[name]
    return shown


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
        return replace(value, **{name: _changed(getattr(value, name), change) for name, _, _ in _fields(type(value))})
    if isinstance(value, Mapping):
        return {change(name): _changed(item, change) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return tuple(_changed(item, change) for item in value)
    raise TypeError(f"a view cannot contain {type(value).__name__}")


@cache
def _fields(kind: type) -> tuple[tuple[str, tuple[JSON, ...], str], ...]:
    """The names of a view's fields, the values with which the JSON form omits each, and the field that implies it."""
    return tuple(
        (item.name, item.metadata.get("omitted", _EMPTY), item.metadata.get("implied_by", "")) for item in fields(kind)
    )


def shown_time(value: datetime | None) -> str | None:
    """A time in UTC, to the second."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else None

"""Any view as JSON, and with each of its texts changed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import pytest

from tests.support.tables import rows
from tfruns import views
from tfruns.next_actions import NextAction
from tfruns.views.base import View, as_json, kept, with_texts

MODULES = [import_module(f"{views.__name__}.{module.name}") for module in iter_modules(views.__path__)]


@dataclass(frozen=True, slots=True)
class Inner(View):
    name: str = ""
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Outer(View):
    text: str = ""
    at: datetime | None = None
    flag: bool | None = None
    inner: Inner | None = None
    rows: tuple[Inner, ...] = kept(default=())
    next_page: int | None = kept(default=None)
    actions: tuple[str, ...] | None = kept(null=False, default=None)
    counts: Any = None
    next_actions: tuple[NextAction, ...] = ()


def test_json_omits_empty_fields_except_the_kept_ones() -> None:
    assert as_json(Outer()) == {"rows": [], "next_page": None}
    assert as_json(Outer(actions=(), flag=False, inner=Inner(number=0))) == {
        "flag": False,
        "inner": {"number": 0},
        "rows": [],
        "next_page": None,
        "actions": [],
    }


def test_json_has_the_order_of_the_fields_and_times_in_utc() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 999, tzinfo=timezone(timedelta(hours=2)))
    view = as_json(Outer("a", at, rows=(Inner("b"),), next_page=2, counts={"add": 1, "none": ""}))
    assert list(view) == ["text", "at", "rows", "next_page", "counts"]
    assert view["at"] == "2026-01-02T01:04:05Z"
    assert (view["rows"], view["counts"]) == ([{"name": "b"}], {"add": 1, "none": ""})


def test_every_text_of_a_view_is_changed_wherever_it_is() -> None:
    step = NextAction("a", {"b": ["c", {"d": "e"}]}, "f")
    view = Outer(
        "g", datetime(2026, 1, 1, tzinfo=UTC), True, Inner("h", 1), (Inner("i"),), 2, ("j",), {"k": "l"}, (step,)
    )
    assert with_texts(view, str.upper) == Outer(
        "G",
        datetime(2026, 1, 1, tzinfo=UTC),
        True,
        Inner("H", 1),
        (Inner("I"),),
        2,
        ("J",),
        {"K": "L"},
        (NextAction("A", {"B": ("C", {"D": "E"})}, "F"),),
    )


@rows("value", [b"bytes", object(), {1, 2}, Inner])
def test_value_of_an_unknown_type_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match="a view cannot contain"):
        with_texts(Outer(counts=[value]), str.upper)


def test_every_view_is_frozen_and_slotted() -> None:
    found = {kind for module in MODULES for kind in vars(module).values() if isinstance(kind, type)}
    kinds = [kind for kind in found if issubclass(kind, View)]
    assert len(kinds) > 20
    for kind in kinds:
        assert kind.__dataclass_params__.frozen, kind  # type: ignore[attr-defined]
        assert "__slots__" in vars(kind), kind

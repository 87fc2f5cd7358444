"""A table of cases in one test. All rows are tested, and a failure lists each failed row."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import pytest

Test = Callable[..., Any]
_SHOWN_CHARACTERS = 200


@dataclass
class _Walk:
    """The failures so far."""

    failures: list[str] = field(default_factory=list)
    first: BaseException | None = None

    @contextmanager
    def row(self, name: str) -> Iterator[None]:
        try:
            yield
        except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  # each is reported at the end
            self.first = self.first or error
            self.failures.append(f"{name}: {type(error).__name__}: {error}")

    def report(self, total: int) -> None:
        if self.failures:
            listed = "\n\n".join(self.failures)
            raise AssertionError(f"{len(self.failures)} of {total} rows fail:\n\n{listed}") from self.first


def rows(
    names: str | Sequence[str], values: Iterable[Any], ids: Iterable[Any] | Callable[[Any], object] | None = None
) -> Callable[[Test], Test]:
    """Call the test once for each row, within one test. The arguments are those of `pytest.mark.parametrize`.

    All rows share the fixtures of the test, so a row must not depend on another one.
    """
    keys = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)
    given = [_values(value, len(keys)) for value in values]
    table = [dict(zip(keys, value, strict=True)) for value in given]
    titles = _titles(ids, table)
    assert table, "the table has no rows"

    def decorate(test: Test) -> Test:
        if inspect.iscoroutinefunction(test):

            @wraps(test)
            async def walk(**fixtures: Any) -> None:
                found = _Walk()
                for title, row in zip(titles, table, strict=True):
                    with found.row(title):
                        await test(**fixtures, **row)
                found.report(len(table))
        else:

            @wraps(test)
            def walk(**fixtures: Any) -> None:
                found = _Walk()
                for title, row in zip(titles, table, strict=True):
                    with found.row(title):
                        test(**fixtures, **row)
                found.report(len(table))

        signature = inspect.signature(test)
        kept = [parameter for name, parameter in signature.parameters.items() if name not in keys]
        assert len(kept) == len(signature.parameters) - len(keys), f"{test.__name__} does not take {keys}"
        walk.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]
        return walk

    return decorate


def _values(value: Any, count: int) -> Sequence[Any]:
    if isinstance(value, type(pytest.param())):
        assert not value.marks, "a row has no marks of its own"
        return tuple(value.values)
    return tuple(value) if count > 1 else (value,)


def _titles(ids: Iterable[Any] | Callable[[Any], object] | None, table: Sequence[dict[str, Any]]) -> list[str]:
    if ids is None:
        return [_title(row) for row in table]
    if callable(ids):
        return ["-".join(str(ids(value))[:_SHOWN_CHARACTERS] for value in row.values()) for row in table]
    return [str(id_) for id_ in ids]


def _title(row: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}"[:_SHOWN_CHARACTERS] for name, value in row.items())

"""The table helper of the tests: it runs all rows and lists each that fails."""

import pytest

from tests.support.tables import rows


def test_every_failing_row_is_listed() -> None:
    seen = []

    @rows(("number", "word"), [(1, "one"), (2, "two"), (3, "three")], ids=["first", "second", "third"])
    def test(number: int, word: str) -> None:
        seen.append(word)
        assert number == 2, word

    with pytest.raises(AssertionError, match=r"(?s)^2 of 3 rows fail:.*first: .*one.*third: .*three"):
        test()
    assert seen == ["one", "two", "three"]


async def test_table_of_coroutines_is_run() -> None:
    @rows("outer", "ab")
    @rows("inner", [1, 2])
    async def test(outer: str, inner: int) -> None:
        assert (outer, inner) != ("b", 2)

    with pytest.raises(AssertionError, match=r"1 of 2 rows fail:.*\n\nouter='b': AssertionError: 1 of 2 .*\n\ninner=2"):
        await test()


def test_empty_table_is_refused() -> None:
    with pytest.raises(AssertionError, match="no rows"):
        rows("value", [])

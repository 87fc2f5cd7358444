"""The pages of a log are bounded, and together they are the whole log."""

from hypothesis import given
from hypothesis import strategies as st

from tests.support.tables import rows
from tfruns.logs.lines import render
from tfruns.logs.paging import (
    MAX_LINE,
    LogPage,
    Piece,
    first_that_fit,
    last_that_fit,
    page_from,
    shown_lines,
    size_of,
)


def unmasked(text: str) -> str:
    return text


def page(data: bytes, max_bytes: int = 1_000, *, is_line_start: bool = True, is_end: bool = True) -> LogPage:
    return page_from(Piece(data, is_line_start, is_end, is_full=False), max_bytes, unmasked)


def all_pages(data: bytes, max_bytes: int) -> list[list[str]]:
    """The lines of all pages of a finished log."""
    offset = 0
    pages: list[list[str]] = []
    while offset < len(data):
        is_line_start = offset == 0 or data[offset - 1 : offset] == b"\n"
        found = page(data[offset:], max_bytes, is_line_start=is_line_start)
        assert found.taken > 0
        pages.append(found.lines)
        offset += found.taken
    return pages


_LINES = st.lists(st.text(alphabet=st.characters(exclude_characters="\n\r"), max_size=40), max_size=60)


@given(_LINES, st.integers(min_value=400, max_value=900))
def test_pages_together_are_the_whole_log(lines: list[str], max_bytes: int) -> None:
    data = "".join(f"{line}\n" for line in lines).encode("utf-8", errors="replace")
    pages = all_pages(data, max_bytes)
    assert all(size_of("\n".join(lines)) <= max_bytes for lines in pages)
    assert [line for lines in pages for line in lines] == render(data).lines


@given(st.binary(max_size=5_000), st.integers(min_value=200, max_value=900))
def test_page_of_any_bytes_is_within_its_bounds_and_advances(data: bytes, max_bytes: int) -> None:
    assert all(size_of("\n".join(lines)) <= max_bytes for lines in all_pages(data, max_bytes))


@given(st.lists(st.text(max_size=3_000), max_size=30), st.integers(min_value=1, max_value=40))
def test_last_lines_are_within_their_bounds(lines: list[str], number: int) -> None:
    kept = last_that_fit(lines, number, 2_000)
    assert len(kept) <= number
    assert size_of("\n".join(kept)) <= 2_000
    assert bool(kept) is bool(lines)


@given(st.lists(st.text(max_size=3_000), max_size=30))
def test_first_texts_are_within_their_bounds(texts: list[str]) -> None:
    kept, omitted = first_that_fit(texts, 2_000)
    assert len(kept) + omitted == len(texts)
    assert sum(size_of(text) + 3 for text in kept) <= 2_100
    assert bool(kept) is bool(texts)


def test_incomplete_last_line_is_held_back_until_the_end() -> None:
    assert page(b"one\ntwo \xf0\x9f", is_end=False) == LogPage(["one"], 4)
    assert page(b"two \xf0\x9f", is_end=False) == LogPage([], 0)
    assert page(b"one\ntwo", is_end=True) == LogPage(["one", "two"], 7)


def test_line_without_its_start_is_omitted() -> None:
    assert page(b"half\nnext\n", is_line_start=False) == LogPage(["[rest of a line omitted]", "next"], 10)


def test_line_longer_than_a_read_is_omitted() -> None:
    secret = "s3cr3t" * 1_000

    def mask(text: str) -> str:
        return text.replace(secret, "(masked)")

    found = page_from(Piece(secret.encode()[:5_000], is_line_start=True, is_end=False, is_full=True), 900, mask)
    assert found == LogPage(["[line omitted: too long]"], 5_000)


def test_end_marker_is_not_a_line() -> None:
    assert page(b"one\n\x03") == LogPage(["one"], 5)


def test_long_line_is_masked_before_it_is_truncated() -> None:
    secret = "s3cr3t-value"
    line = "x" * (MAX_LINE - 6) + secret
    (cut,) = shown_lines([line], lambda text: text.replace(secret, "(masked)"))
    assert "s3cr3t" not in cut
    assert "characters omitted" in cut


@rows("text", ["", "a", '"', "\n", "ü", "\x07"])
def test_size_is_at_least_that_of_the_json(text: str) -> None:
    assert size_of(text) >= len(text.encode())

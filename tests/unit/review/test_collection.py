"""The garbage collector is paused while a plan is parsed, and always continues."""

import gc
from collections.abc import Iterator

import pytest

from tfruns.errors import UnexpectedResponse
from tfruns.review.collection import collection_paused
from tfruns.review.plan_document import parse_plan


@pytest.fixture(autouse=True)
def _enabled() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_overlapping_pauses_end_with_the_last_one() -> None:
    # Two threads: the second begins before the first ends.
    first, second = collection_paused(), collection_paused()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not gc.isenabled()
    second.__exit__(None, None, None)
    assert gc.isenabled()


def test_collector_continues_after_a_malformed_plan() -> None:
    with pytest.raises(UnexpectedResponse):
        parse_plan(b"[", run_id="run-1", plan_id="plan-1", is_redacted=False)
    assert gc.isenabled()


def test_collector_that_the_program_disabled_stays_disabled() -> None:
    gc.disable()
    with collection_paused():
        pass
    assert not gc.isenabled()

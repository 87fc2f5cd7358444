"""One server per PostgreSQL database, even while PostgreSQL restarts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.local_server import until
from tests.support.postgresql import Server
from tfruns.local.store.claim import Claim
from tfruns.local.store.database import Database

_SILENT_S = 2.5


@contextmanager
def claim_on(url: str, owner: str) -> Iterator[Claim]:
    database = Database(url)
    claim = Claim(database, owner, silent_s=_SILENT_S)
    try:
        yield claim
    finally:
        claim.release()
        database.close()


def nothing() -> None:
    pass


def test_one_server_uses_a_database_until_it_stops(postgresql: Server) -> None:
    with postgresql.database() as url, claim_on(url, "second") as second:
        with claim_on(url, "first") as first:
            assert first.take() is None
            first.keep(nothing)
            assert second.take() == "first"
            assert (first.is_held, second.is_held) == (True, False)
        assert second.take() is None
        assert second.is_held


def test_same_directory_takes_the_claim_immediately(postgresql: Server) -> None:
    with postgresql.database() as url, claim_on(url, "first") as killed, claim_on(url, "first") as again:
        assert killed.take() is None
        assert again.take() is None


def test_killed_server_loses_the_claim_after_the_silence(postgresql: Server) -> None:
    with postgresql.database() as url, claim_on(url, "first") as killed, claim_on(url, "second") as second:
        assert killed.take() is None
        assert second.take() is None
        killed.keep(nothing)  # it was only suspended
        until(lambda: not killed.is_held, "it sees that it has lost the database")
        second.release()
        until(lambda: killed.is_held, "and gets it back once it is free")


@pytest.mark.parametrize("comes_first", ["the owner", "another"])
def test_claim_survives_a_restart_of_postgresql(own_postgresql: Server, comes_first: str) -> None:
    resumed = threading.Event()
    with own_postgresql.database() as url, claim_on(url, "first") as first, claim_on(url, "second") as second:
        assert first.take() is None
        first.keep(resumed.set)
        own_postgresql.restart(lambda: until(lambda: not first.is_held, "it sees that the database is away"))
        if comes_first == "the owner":
            until(lambda: first.is_held, "it has the database again")
        assert second.take() == "first"
        until(lambda: first.is_held, "it has the database again")
        assert resumed.wait(10)


def test_sqlite_file_needs_no_claim(store_url: str) -> None:
    with claim_on(store_url, "first") as first, claim_on(store_url, "second") as second:
        assert [first.take(), second.take()] == [None, None]
        assert first.is_held
        assert second.is_held

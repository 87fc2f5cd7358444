"""The cache of API tokens: recent tokens are not looked up again, and deleted ones are rejected."""

from sqlalchemy import delete

from tests.local.support import API, Api
from tfruns.local.api.authentication import create_admin
from tfruns.local.store.schema import TokenRow
from tfruns.local.token_cache import TokenCache


class _CountingStore:
    """A store with one token that counts the lookups."""

    def __init__(self) -> None:
        self.users = {"digest": "user-1"}
        self.lookups = 0

    def look_up(self) -> str | None:
        self.lookups += 1
        return self.users.get("digest")


def test_token_is_looked_up_once_per_second() -> None:
    store, now = _CountingStore(), [0.0]
    cache = TokenCache(lambda: now[0])
    for moment, lookups in ((0.0, 1), (0.99, 1), (1.0, 2), (1.5, 2), (2.0, 3)):
        now[0] = moment
        assert cache.user_of("digest", store.look_up) == "user-1"
        assert store.lookups == lookups, moment


def test_token_deleted_by_another_process_is_rejected_in_a_second() -> None:
    store, now = _CountingStore(), [0.0]
    cache = TokenCache(lambda: now[0])
    assert cache.user_of("digest", store.look_up) == "user-1"
    store.users.clear()
    now[0] = 1.0
    assert cache.user_of("digest", store.look_up) is None


def test_unknown_token_is_looked_up_every_time() -> None:
    store = _CountingStore()
    store.users.clear()
    cache = TokenCache(lambda: 0.0)
    assert cache.user_of("digest", store.look_up) is None
    store.users["digest"] = "user-2"
    assert cache.user_of("digest", store.look_up) == "user-2"


def test_token_deleted_during_its_lookup_is_not_cached() -> None:
    store = _CountingStore()
    cache = TokenCache(lambda: 0.0)

    def look_up() -> str | None:
        found = store.look_up()
        store.users.clear()  # committed after this lookup has read the token
        cache.clear()
        return found

    assert cache.user_of("digest", look_up) == "user-1"
    assert cache.user_of("digest", store.look_up) is None


def test_size_of_the_cache_is_bounded() -> None:
    cache = TokenCache(lambda: 0.0)
    lookups: list[None] = []

    def look_up() -> str:
        lookups.append(None)
        return "user-1"

    for number in range(1001):
        cache.user_of(f"digest-{number}", look_up)
    cache.user_of("digest-1000", look_up)
    cache.user_of("digest-0", look_up)
    assert len(lookups) == 1002


async def test_replaced_token_is_rejected_immediately(empty: Api) -> None:
    old = {"authorization": f"Bearer {create_admin(empty.backend)}"}
    assert (await empty.http.get(f"{API}/account/details", headers=old)).status_code == 200
    new = {"authorization": f"Bearer {create_admin(empty.backend)}"}
    assert (await empty.http.get(f"{API}/account/details", headers=old)).status_code == 401
    assert (await empty.http.get(f"{API}/account/details", headers=new)).status_code == 200


async def test_rolled_back_deletion_leaves_the_token_valid(empty: Api) -> None:
    header = {"authorization": f"Bearer {create_admin(empty.backend)}"}
    try:
        with empty.backend.database.write() as write:
            write.session.execute(delete(TokenRow))
            write.after_commit.append(empty.backend.tokens.clear)
            raise InterruptedError
    except InterruptedError:
        pass
    assert (await empty.http.get(f"{API}/account/details", headers=header)).status_code == 200

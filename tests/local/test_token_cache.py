"""Tokens that were looked up lately are not looked up again, and a deleted one is refused."""

from sqlalchemy import delete

from tests.local.support import API, Api
from tfruns.local.api.authentication import create_admin
from tfruns.local.store.schema import TokenRow
from tfruns.local.token_cache import TokenCache


class _Store:
    """The users by their tokens, and how often they were looked up."""

    def __init__(self) -> None:
        self.users = {"digest": "user-1"}
        self.lookups = 0

    def look_up(self) -> str | None:
        self.lookups += 1
        return self.users.get("digest")


def test_a_token_is_looked_up_once_a_second() -> None:
    store, now = _Store(), [0.0]
    cache = TokenCache(lambda: now[0])
    for moment, lookups in ((0.0, 1), (0.99, 1), (1.0, 2), (1.5, 2), (2.0, 3)):
        now[0] = moment
        assert cache.user_of("digest", store.look_up) == "user-1"
        assert store.lookups == lookups, moment


def test_a_token_deleted_by_another_process_is_refused_within_a_second() -> None:
    store, now = _Store(), [0.0]
    cache = TokenCache(lambda: now[0])
    assert cache.user_of("digest", store.look_up) == "user-1"
    store.users.clear()
    now[0] = 1.0
    assert cache.user_of("digest", store.look_up) is None


def test_an_unknown_token_is_looked_up_every_time() -> None:
    store = _Store()
    store.users.clear()
    cache = TokenCache(lambda: 0.0)
    assert cache.user_of("digest", store.look_up) is None
    store.users["digest"] = "user-2"
    assert cache.user_of("digest", store.look_up) == "user-2"


def test_a_token_that_is_deleted_during_its_lookup_is_not_kept() -> None:
    store = _Store()
    cache = TokenCache(lambda: 0.0)

    def look_up() -> str | None:
        found = store.look_up()
        store.users.clear()  # committed after this lookup has read the token
        cache.clear()
        return found

    assert cache.user_of("digest", look_up) == "user-1"
    assert cache.user_of("digest", store.look_up) is None


def test_the_number_of_kept_tokens_is_bounded() -> None:
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


async def test_a_replaced_token_is_refused_at_once(empty: Api) -> None:
    old = {"authorization": f"Bearer {create_admin(empty.backend)}"}
    assert (await empty.http.get(f"{API}/account/details", headers=old)).status_code == 200
    new = {"authorization": f"Bearer {create_admin(empty.backend)}"}
    assert (await empty.http.get(f"{API}/account/details", headers=old)).status_code == 401
    assert (await empty.http.get(f"{API}/account/details", headers=new)).status_code == 200


async def test_a_deletion_that_is_not_committed_leaves_the_token_valid(empty: Api) -> None:
    header = {"authorization": f"Bearer {create_admin(empty.backend)}"}
    try:
        with empty.backend.database.write() as write:
            write.session.execute(delete(TokenRow))
            write.after_commit.append(empty.backend.tokens.clear)
            raise InterruptedError
    except InterruptedError:
        pass
    assert (await empty.http.get(f"{API}/account/details", headers=header)).status_code == 200

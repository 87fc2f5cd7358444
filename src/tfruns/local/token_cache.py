"""A cache of the users that API tokens belong to: most requests repeat a token that was just looked up."""

import threading
import time
from collections.abc import Callable

_LIFETIME_S = 1.0
_MAX_ENTRIES = 1000


class TokenCache:
    """The users of recently used tokens, by the tokens' hashes.

    A token that this process deletes is rejected immediately, because the deletion calls `clear` after its commit. A
    token that another process deletes in the database is accepted for at most one more second. Unknown tokens are not
    cached.

    Args:
        monotonic: the clock, in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._users: dict[str, tuple[str, float]] = {}
        self._deletions = 0
        self._lock = threading.Lock()

    def user_of(self, digest: str, look_up: Callable[[], str | None]) -> str | None:
        """The user id of a token, from the cache or else from `look_up`; None if the token is unknown."""
        now = self._monotonic()
        user_id, expires = self._users.get(digest, ("", 0.0))
        if now < expires:
            return user_id
        deletions = self._deletions
        found = look_up()
        with self._lock:
            if found is not None and deletions == self._deletions:  # not deleted during the lookup
                if len(self._users) >= _MAX_ENTRIES:
                    self._users.clear()
                self._users[digest] = (found, now + _LIFETIME_S)
        return found

    def clear(self) -> None:
        """Remove all entries, after a token was deleted."""
        with self._lock:
            self._deletions += 1
            self._users.clear()

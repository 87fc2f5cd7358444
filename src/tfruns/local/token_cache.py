"""Which user has an API token, kept for a moment: most requests come with a token that was just looked up."""

import threading
import time
from collections.abc import Callable

_KEPT_S = 1.0
_MOST = 1000


class TokenCache:
    """The users of the tokens that were looked up lately, by the tokens' hashes.

    A token that this process deletes is refused at once: whoever deletes one calls `clear` after the commit. One that
    another process deletes in the database is accepted for at most a second. An unknown token is never kept.

    Args:
        monotonic: the time in seconds.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._users: dict[str, tuple[str, float]] = {}
        self._deletions = 0
        self._lock = threading.Lock()

    def user_of(self, digest: str, look_up: Callable[[], str | None]) -> str | None:
        """The user's id, looked up if it is not known; None if nobody has the token."""
        now = self._monotonic()
        user_id, until = self._users.get(digest, ("", 0.0))
        if now < until:
            return user_id
        deletions = self._deletions
        found = look_up()
        with self._lock:
            if found is not None and deletions == self._deletions:  # otherwise it may have been deleted meanwhile
                if len(self._users) >= _MOST:
                    self._users.clear()
                self._users[digest] = (found, now + _KEPT_S)
        return found

    def clear(self) -> None:
        """Forget all of them, since a token was deleted."""
        with self._lock:
            self._deletions += 1
            self._users.clear()

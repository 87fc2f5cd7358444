"""Codes that stand for one answer to one question: random, short-lived, for one use, in this process alone."""

import hashlib
import json
import secrets
import time
from collections.abc import Callable

from tfruns.jsonapi import JSON

LIFETIME_S = 600.0
_MOST = 256  # open at a time; the oldest go first


class Codes:
    """The codes that were given out and not used yet.

    A code is good for exactly what it was issued for, so that an answer to one question is never one to another: the
    tool, its arguments, and the state of things that was shown.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._open: dict[str, tuple[float, str]] = {}

    def issue(self, subject: JSON) -> str:
        """A new code for this."""
        while len(self._open) >= _MOST:
            del self._open[next(iter(self._open))]
        code = secrets.token_hex(10)
        self._open[code] = (self._now() + LIFETIME_S, _digest(subject))
        return code

    def is_valid(self, code: str, subject: JSON) -> bool:
        """Whether the code is good for this; it stays so."""
        expires_at, digest = self._open.get(code.strip(), (0.0, ""))
        return digest == _digest(subject) and self._now() < expires_at

    def redeem(self, code: str, subject: JSON) -> bool:
        """Whether the code is good for this; if so, this was its only use."""
        is_good = self.is_valid(code, subject)
        if is_good:
            del self._open[code.strip()]
        return is_good


def _digest(subject: JSON) -> str:
    text = json.dumps(subject, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()

"""Confirmation codes: random, short-lived, for one use, and valid only in the process that issued them."""

import hashlib
import json
import secrets
from collections.abc import Callable

from tfruns.elapsed import elapsed_s
from tfruns.jsonapi import JSON

LIFETIME_S = 600.0
_MAX_CODES = 256  # the oldest are dropped first


class ConfirmationCodes:
    """The codes that were issued and not used yet.

    A code is valid only for the subject for which it was issued (the tool, its arguments, and the state that was
    shown), so that the answer to one question never confirms another.
    """

    def __init__(self, now: Callable[[], float] = elapsed_s) -> None:
        self.now = now
        self._open: dict[str, tuple[float, str]] = {}  # by code: the time of issue and the digest of the subject

    def issue(self, subject: JSON) -> str:
        """Issue a code for a subject."""
        while len(self._open) >= _MAX_CODES:
            del self._open[next(iter(self._open))]
        code = secrets.token_hex(10)
        self._open[code] = (self.now(), subject_digest(subject))
        return code

    def issued_at(self, code: str) -> float | None:
        """When a code was issued; None if it is unknown."""
        issued_at, _ = self._open.get(code.strip(), (None, ""))
        return issued_at

    def is_valid(self, code: str, subject: JSON) -> bool:
        """Whether a code is valid for a subject. The code stays valid."""
        issued_at, digest = self._open.get(code.strip(), (0.0, ""))
        return digest == subject_digest(subject) and self.now() < issued_at + LIFETIME_S

    def revoke(self, *subjects: JSON) -> None:
        """Revoke the codes for subjects, because a person declined."""
        digests = set(map(subject_digest, subjects))
        self._open = {code: issued for code, issued in self._open.items() if issued[1] not in digests}

    def redeem(self, code: str, subject: JSON) -> bool:
        """Use a code, and return whether it was valid for the subject."""
        is_valid = self.is_valid(code, subject)
        if is_valid:
            del self._open[code.strip()]
        return is_valid


def subject_digest(subject: JSON) -> str:
    """Identifies the subject of a consent: equal only for the same call with the same impact."""
    text = json.dumps(subject, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()

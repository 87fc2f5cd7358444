"""Addresses that carry their own permission: for logs, uploads and downloads, as the API's own object store has them.

Whoever has such an address may use it without a token, until it expires. It names the object and what may be done, and
is signed with the backend's own key.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt

_ALGORITHM = "HS256"
PATH = "/_archivist/v1/object/"
_CLAIMS_OF_GRANT = {"v", "k", "i", "u", "exp"}


@dataclass(frozen=True, slots=True)
class Grant:
    """What an address permits: `read` or `write` one object, on behalf of the user who was given it."""

    verb: str
    kind: str
    id: str
    user_id: str = ""


class Purpose(StrEnum):
    """What a signed text is for. One that was signed for something else is refused."""

    OBJECT = "object"
    RUN = "run"
    LOGIN = "login"


class Signer:
    """Signs texts that prove something, and reads them."""

    def __init__(self, key: bytes, lifetime: timedelta = timedelta(hours=1)) -> None:
        self._key = key
        self._lifetime = lifetime

    def sign(self, purpose: Purpose, claims: Mapping[str, Any], expires: datetime | None = None) -> str:
        """A text that proves these claims, for one purpose and until it expires."""
        end = {"exp": int(expires.timestamp())} if expires is not None else {}
        return jwt.encode({**claims, **end, "aud": purpose}, self._key, algorithm=_ALGORITHM)

    def claims(self, purpose: Purpose, text: str, now: datetime) -> Mapping[str, Any] | None:
        """What a text proves; None if it is not ours, is for another purpose, or has expired."""
        try:
            claims = jwt.decode(
                text, self._key, algorithms=[_ALGORITHM], audience=purpose, options={"verify_exp": False}
            )
        except jwt.InvalidTokenError:
            return None
        return claims if "exp" not in claims or now.timestamp() < claims["exp"] else None

    def path(self, grant: Grant, now: datetime) -> str:
        """A path that grants this, from now on for the signer's lifetime."""
        claims = {"v": grant.verb, "k": grant.kind, "i": grant.id, "u": grant.user_id}
        return PATH + self.sign(Purpose.OBJECT, claims, now + self._lifetime)

    def read(self, token: str, now: datetime) -> Grant | None:
        """What a path's last segment grants; None if it is not ours, or has expired."""
        claims = self.claims(Purpose.OBJECT, token, now)
        if claims is None or not claims.keys() >= _CLAIMS_OF_GRANT:
            return None
        return Grant(claims["v"], claims["k"], claims["i"], claims["u"])

    def run_token(self, run_id: str) -> str:
        """The API token with which the Terraform of a run reads the states that are shared with its workspace."""
        return self.sign(Purpose.RUN, {"run": run_id})

    def run_of(self, token: str, now: datetime) -> str | None:
        """The id of the run that has this token; None if it is not a run's."""
        claims = self.claims(Purpose.RUN, token, now)
        return str(claims["run"]) if claims is not None else None

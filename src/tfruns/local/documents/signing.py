"""Addresses that carry their own permission: for logs, uploads and downloads, as the API's own object store has them.

Whoever has such an address may use it without a token, until it expires. It names the object and what may be done, and
is signed with the backend's own key.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import jwt

_ALGORITHM = "HS256"
PATH = "/_archivist/v1/object/"


@dataclass(frozen=True, slots=True)
class Grant:
    """What an address permits: `read` or `write` one object, on behalf of the user who was given it."""

    verb: str
    kind: str
    id: str
    user_id: str = ""


class Signer:
    """Makes signed paths and reads them."""

    def __init__(self, key: bytes, lifetime: timedelta = timedelta(hours=1)) -> None:
        self._key = key
        self._lifetime = lifetime

    def path(self, grant: Grant, now: datetime) -> str:
        """A path that grants this, from now on for the signer's lifetime."""
        claims = {
            "v": grant.verb,
            "k": grant.kind,
            "i": grant.id,
            "u": grant.user_id,
            "exp": int((now + self._lifetime).timestamp()),
        }
        return PATH + jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str, now: datetime) -> Grant | None:
        """What a path's last segment grants; None if it is not ours, or has expired."""
        try:
            claims = jwt.decode(token, self._key, algorithms=[_ALGORITHM], options={"verify_exp": False})
            grant = Grant(claims["v"], claims["k"], claims["i"], claims["u"])
            return grant if now.timestamp() < claims["exp"] else None
        except (jwt.InvalidTokenError, KeyError):
            return None

    def run_token(self, run_id: str) -> str:
        """The API token with which the Terraform of a run reads the states that are shared with its workspace."""
        return jwt.encode({"run": run_id}, self._key, algorithm=_ALGORITHM)

    def run_of(self, token: str) -> str | None:
        """The id of the run that has this token; None if it is not a run's."""
        try:
            run_id = jwt.decode(token, self._key, algorithms=[_ALGORITHM]).get("run")
        except jwt.InvalidTokenError:
            return None
        return run_id if isinstance(run_id, str) else None

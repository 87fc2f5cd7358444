"""Signed tokens: for the URLs of objects, for runs, and for `terraform login`.

Like HCP Terraform's object store, the backend gives out URLs for logs, uploads and downloads that need no API token.
Such a URL contains a token that names the object and the permitted access, is signed with the backend's own key, and
expires.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import jwt

_ALGORITHM = "HS256"
OBJECT_PATH = "/_archivist/v1/object/"
_GRANT_CLAIMS = {"v", "k", "i", "u", "exp"}


@dataclass(frozen=True, slots=True)
class ObjectGrant:
    """The permission that a signed URL gives.

    Attributes:
        access: `read` or `write`.
        kind: the kind of object, such as `log`.
        id: the id of the object.
        user_id: the user who received the URL.
    """

    access: str
    kind: str
    id: str
    user_id: str = ""


class TokenPurpose(StrEnum):
    """The purpose of a signed token. A token that was signed for another purpose is rejected."""

    OBJECT = "object"
    RUN = "run"
    LOGIN = "login"


class Signer:
    """Signs and verifies tokens.

    Args:
        key: the secret key of the backend.
        lifetime: how long the URL of an object is valid.
    """

    def __init__(self, key: bytes, lifetime: timedelta = timedelta(hours=1)) -> None:
        self._key = key
        self._lifetime = lifetime

    def sign(self, purpose: TokenPurpose, claims: Mapping[str, Any], expires: datetime | None = None) -> str:
        """A token that proves these claims for one purpose, until it expires."""
        end = {"exp": int(expires.timestamp())} if expires is not None else {}
        return jwt.encode({**claims, **end, "aud": purpose}, self._key, algorithm=_ALGORITHM)

    def verify(self, purpose: TokenPurpose, token: str, now: datetime) -> Mapping[str, Any] | None:
        """The claims of a token; None if it has another key or purpose, or has expired."""
        try:
            claims = jwt.decode(
                token, self._key, algorithms=[_ALGORITHM], audience=purpose, options={"verify_exp": False}
            )
        except jwt.InvalidTokenError:
            return None
        return claims if "exp" not in claims or now.timestamp() < claims["exp"] else None

    def object_path(self, grant: ObjectGrant, now: datetime) -> str:
        """The path of a URL that gives a permission, for the signer's lifetime."""
        claims = {"v": grant.access, "k": grant.kind, "i": grant.id, "u": grant.user_id}
        return OBJECT_PATH + self.sign(TokenPurpose.OBJECT, claims, now + self._lifetime)

    def read_grant(self, token: str, now: datetime) -> ObjectGrant | None:
        """The permission that the token in an object's URL gives; None if it is invalid or has expired."""
        claims = self.verify(TokenPurpose.OBJECT, token, now)
        if claims is None or not claims.keys() >= _GRANT_CLAIMS:
            return None
        return ObjectGrant(claims["v"], claims["k"], claims["i"], claims["u"])

    def run_token(self, run_id: str) -> str:
        """The API token with which the Terraform of a run reads the states that are shared with its workspace."""
        return self.sign(TokenPurpose.RUN, {"run": run_id})

    def run_id_of(self, token: str, now: datetime) -> str | None:
        """The run that a run token belongs to; None if it is not a run token."""
        claims = self.verify(TokenPurpose.RUN, token, now)
        return str(claims["run"]) if claims is not None else None

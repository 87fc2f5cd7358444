"""Authentication: a user's API token, of which only the hash is stored, or a run token."""

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select

from tfruns.errors import Unauthorized
from tfruns.local.api.signer import Signer
from tfruns.local.backend import Backend
from tfruns.local.ids import new_id, random_text
from tfruns.local.store.database import Write
from tfruns.local.store.schema import RunRow, TokenRow, UserRow
from tfruns.phases import statuses_of_phases
from tfruns.vocabulary import PhaseStatus

_BY_DIGEST = select(TokenRow.sha256, TokenRow.user_id).where(TokenRow.sha256 == bindparam("digest"))
_BY_RUN = select(RunRow.created_by_id, RunRow.status).where(RunRow.id == bindparam("run_id"))
_ATLAS_V1 = ".atlasv1."  # part of every API token
_EXECUTING = statuses_of_phases(PhaseStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request: a user, or a run on behalf of the user who created it."""

    user_id: str
    run_id: str | None = None


def authenticate(backend: Backend, signer: Signer, authorization: str) -> Caller:
    """The owner of the token in an Authorization header. A run token is valid while its run plans or applies.

    Raises:
        Unauthorized: 401, the header contains no valid token.
    """
    token = authorization.partition(" ")[2].strip()
    run_id = signer.run_id_of(token, backend.now()) if _ATLAS_V1 not in token else None
    if run_id is None:
        return Caller(user_id_of_token(backend, authorization))
    with backend.database.read() as session:
        run = session.execute(_BY_RUN, {"run_id": run_id}).first()
    if run is None or run.status not in _EXECUTING:
        raise Unauthorized("unauthorized")
    return Caller(run.created_by_id, run_id)


def user_id_of_token(backend: Backend, authorization: str) -> str:
    """The user whose API token is in an Authorization header.

    Raises:
        Unauthorized: 401, the header contains no valid token of a user.
    """
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer" and token:
        digest = _digest(token.strip())
        user_id = backend.tokens.user_of(digest, lambda: _look_up(backend, digest))
        if user_id is not None:
            return user_id
    raise Unauthorized("unauthorized")


def _look_up(backend: Backend, digest: str) -> str | None:
    with backend.database.read() as session:
        row = session.execute(_BY_DIGEST, {"digest": digest}).first()
    return str(row.user_id) if row is not None and hmac.compare_digest(row.sha256, digest) else None


def is_valid_token(backend: Backend, token: str) -> bool:
    """Whether a user has this token."""
    try:
        user_id_of_token(backend, f"Bearer {token}")
    except Unauthorized:
        return False
    return True


def create_admin(backend: Backend, username: str = "admin") -> str:
    """Create the user unless it exists, and replace all its tokens with a new one.

    Returns:
        The new token; only its hash is stored.
    """
    with backend.database.write() as write:
        user = write.session.scalars(select(UserRow).where(UserRow.username == username)).first()
        if user is None:
            user = UserRow(id=new_id("user"), username=username)
            write.session.add(user)
            write.session.flush()
        write.session.execute(delete(TokenRow).where(TokenRow.user_id == user.id))
        write.after_commit.append(backend.tokens.clear)
        return add_token(backend, write, user.id)


def add_token(backend: Backend, write: Write, user_id: str) -> str:
    """Create another API token for a user; only its hash is stored."""
    token = random_text(14) + _ATLAS_V1 + random_text(67)
    write.session.add(TokenRow(sha256=_digest(token), user_id=user_id, created_at=backend.now()))
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

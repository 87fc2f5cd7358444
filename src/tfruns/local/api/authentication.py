"""Who asks: a user with an API token, of which only the hash is kept, or a run with its own."""

import hashlib
import hmac
from dataclasses import dataclass

from sqlalchemy import bindparam, delete, select

from tfruns.errors import Unauthorized
from tfruns.lifecycle import statuses_of_phases
from tfruns.local.api.signer import Signer
from tfruns.local.backend import Backend
from tfruns.local.ids import new_id, random_text
from tfruns.local.store.database import Write
from tfruns.local.store.schema import RunRow, TokenRow, UserRow
from tfruns.vocabulary import PhaseStatus

_BY_DIGEST = select(TokenRow.sha256, TokenRow.user_id).where(TokenRow.sha256 == bindparam("digest"))
_BY_RUN = select(RunRow.created_by_id, RunRow.status).where(RunRow.id == bindparam("run_id"))
_EXECUTING = statuses_of_phases(PhaseStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who makes a request: a user, or a run on behalf of the user who created it."""

    user_id: str
    run_id: str | None = None


def caller_of_token(backend: Backend, signer: Signer, authorization: str) -> Caller:
    """Who has the token of an Authorization header. A run's own token is valid while the run plans or applies.

    Raises:
        Unauthorized: 401, the header has no token, or one that nobody has.
    """
    run_id = signer.run_of(authorization.partition(" ")[2].strip(), backend.now())
    if run_id is None:
        return Caller(user_of_token(backend, authorization))
    with backend.database.read() as session:
        run = session.execute(_BY_RUN, {"run_id": run_id}).first()
    if run is None or run.status not in _EXECUTING:
        raise Unauthorized("unauthorized")
    return Caller(run.created_by_id, run_id)


def user_of_token(backend: Backend, authorization: str) -> str:
    """The id of the user whose token is in an Authorization header.

    Raises:
        Unauthorized: 401, there is none, or nobody has it.
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


def is_known(backend: Backend, token: str) -> bool:
    """Whether this is the token of a user."""
    try:
        user_of_token(backend, f"Bearer {token}")
    except Unauthorized:
        return False
    return True


def create_admin(backend: Backend, username: str = "admin") -> str:
    """Make a user, unless there is one, and a token for it, which takes the place of its earlier ones.

    Returns:
        The token; only its hash is kept.
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
    """Make a further API token for a user. Only its hash is kept."""
    token = f"{random_text(14)}.atlasv1.{random_text(67)}"
    write.session.add(TokenRow(sha256=_digest(token), user_id=user_id, created_at=backend.now()))
    return token


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

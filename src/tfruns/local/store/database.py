"""The database: opening, migrating, reading and writing.

A write locks first: the whole database in SQLite (`BEGIN IMMEDIATE`), the rows that `lock_workspace` and `find_run`
select in PostgreSQL. Functions that must run only after a successful commit are added to `Write.after_commit`.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, TypeVarTuple, cast, overload

import sqlalchemy
from sqlalchemy import Connection, Engine, Executable, Result, ScalarResult, event, inspect
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import TypedReturnsRows as Returning

from tfruns.local.store.schema import REVISION, ClaimRow
from tfruns.local.store.sqlite_file import is_damage

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
Values = Mapping[str, Any] | None

_log = logging.getLogger(__name__)

_BUSY_TIMEOUT_S = 30.0
_VERSION_TABLE = "alembic_version"


@dataclass(slots=True)
class Write:
    """A transaction that changes the database.

    Attributes:
        session: the session.
        after_commit: functions to call after the commit, in order.
    """

    session: Session
    after_commit: list[Callable[[], None]] = field(default_factory=list)


class ReadSession:
    """The methods of a `Session` that reads need, on a connection: a session takes twice as long for a small query.

    `scalars` returns rows instead of entities. They have the same attributes, and cannot be changed.

    Args:
        connection: the connection. Its transaction is the consistent view.
    """

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @overload
    def execute(self, statement: Returning[*Ts], values: Values = None) -> Result[*Ts]: ...

    @overload
    def execute(self, statement: Executable, values: Values = None) -> Result[*tuple[Any, ...]]: ...

    def execute(self, statement: Executable, values: Values = None) -> Result[*tuple[Any, ...]]:
        """The rows of a statement."""
        return self._connection.execute(statement, values)

    def scalar(self, statement: Returning[T, *tuple[Any, ...]], values: Values = None) -> T | None:
        """The first column of the first row; None if there is no row."""
        return self._connection.scalars(statement, values).first()

    def scalars(self, statement: Returning[T, *tuple[Any, ...]], values: Values = None) -> ScalarResult[T]:
        """The values of a statement that selects one column, or the rows of one that selects a table."""
        found = self._connection.execute(statement, values)
        has_one_column = len(found.keys()) == 1  # every table has several
        return found.scalars() if has_one_column else cast("ScalarResult[T]", found)


AnySession = Session | ReadSession


class Database:
    """The database of one backend.

    Args:
        url: its URL, such as `sqlite:////var/lib/tfruns/tfruns.db` or `postgresql+psycopg://…`.
    """

    def __init__(self, url: str) -> None:
        self._engine = _open(url)
        self._reading = self._engine
        if self._engine.dialect.name != "sqlite":  # SQLite has only one isolation level
            self._reading = self._engine.execution_options(isolation_level="REPEATABLE READ")

    @property
    def engine(self) -> Engine:
        """The connection pool."""
        return self._engine

    def damage(self) -> str | None:
        """The damage that SQLite finds in the whole file, or None. PostgreSQL is not checked."""
        if self._engine.dialect.name != "sqlite":
            return None
        try:
            with self._engine.connect() as connection:
                found = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
        except sqlalchemy.exc.DatabaseError as error:
            if is_damage(error):
                return str(error.orig)
            raise
        return None if found == "ok" else found.rpartition("\n")[2]

    def migrate(self, to: str = REVISION) -> None:
        """Migrate the tables to the latest revision, or to an older one.

        Raises:
            DatabaseTooNew: a newer version of this program wrote the tables.
        """
        if self._revision() == to:
            return
        from tfruns.local.store.migrations.upgrade import upgrade  # noqa: PLC0415  # importing Alembic takes 0.1 s

        with self._engine.connect().execution_options(is_write=True) as connection:
            upgrade(connection, to)
            connection.commit()

    def _revision(self) -> str | None:
        """The revision of the tables; None if there are none."""
        with self._engine.connect() as connection:
            if not inspect(connection).has_table(_VERSION_TABLE):
                return None
            return connection.exec_driver_sql(f"SELECT version_num FROM {_VERSION_TABLE}").scalar()  # noqa: S608

    @contextmanager
    def read(self) -> Iterator[ReadSession]:
        """A consistent view of the database."""
        with self._reading.connect() as connection:
            yield ReadSession(connection)

    @contextmanager
    def write(self) -> Iterator[Write]:
        """A transaction: everything is committed, or nothing."""
        connection = self._engine.connect().execution_options(is_write=True)
        with connection, Session(connection, expire_on_commit=False) as session:
            write = Write(session)
            yield write
            session.commit()
        for step in write.after_commit:
            try:
                step()
            except Exception:  # noqa: BLE001  # the transaction is committed, and the other functions must still run
                _log.exception("A function after a commit failed.")

    def is_writable(self) -> bool:
        """Whether the database is currently writable: it is available, and its disk is not full."""
        try:
            with self.write() as write:
                write.session.execute(sqlalchemy.update(ClaimRow).values(probes=ClaimRow.probes + 1))
        except (sqlalchemy.exc.SQLAlchemyError, OSError):
            return False
        return True

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def _open(url: str) -> Engine:
    parsed = sqlalchemy.make_url(url)
    # One connection per thread that serves requests. Parameters are hidden: they may be secret, and errors are logged.
    pool = {"pool_size": 20, "max_overflow": 20, "hide_parameters": True}
    if parsed.get_backend_name() != "sqlite":
        return sqlalchemy.create_engine(parsed, pool_pre_ping=True, **pool)
    if parsed.database:
        Path(parsed.database).touch(mode=0o600)  # SQLite creates its other files with the same mode
    settings = {"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False}
    engine = sqlalchemy.create_engine(parsed, connect_args=settings, **pool)
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _: Any) -> None:
    """Disable the driver's transactions: it begins them late, and a write after a read would deadlock."""
    connection.isolation_level = None
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # otherwise a power failure could undo the start of an apply, which would start twice
        "foreign_keys=ON",
        f"busy_timeout={_BUSY_TIMEOUT_S:.0f}000",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    is_write = connection.get_execution_options().get("is_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")

"""Which database a backend uses, and the errors that prevent it from being used."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from tfruns.local.cannot_start import CannotStart
from tfruns.local.data_dir import DataDirectory
from tfruns.local.store.database import Database
from tfruns.local.store.sqlite_file import visible_damage
from tfruns.masking.redaction import remember_secret

_PASSWORD_PARAMETERS = {"password", "sslpassword"}  # in the query of a URL


class DatabaseUnusable(CannotStart):
    """The URL does not name a usable database, or the database cannot be opened."""


def forbid_password(text: str) -> None:
    """Refuse a database URL with a password on the command line, where other users of the machine can read it.

    Raises:
        DatabaseUnusable: the URL contains a password, or is invalid.
    """
    url = _parsed(text)
    if url.password is not None or _PASSWORD_PARAMETERS & url.query.keys():
        raise DatabaseUnusable(
            "The database cannot be used: its URL on the command line contains a password, which every user of this "
            "machine can read in the process list. Change the password, and store the new one in a password file "
            "(PGPASSFILE), or set TFRUNS_DATABASE to the whole URL."
        )


def postgresql_url(text: str) -> str:
    """The URL of a PostgreSQL database, with the installed driver. Its password is masked in all output from now on.

    Raises:
        DatabaseUnusable: the URL is invalid, or names another kind of database.
    """
    url = _parsed(text)
    for secret in (url.password, *(url.query.get(name) for name in _PASSWORD_PARAMETERS)):
        if isinstance(secret, str) and secret:
            remember_secret(secret)
    if url.get_backend_name() not in {"postgresql", "postgres"}:
        raise DatabaseUnusable(
            f"The database cannot be used: {url.get_backend_name()} is not supported. Use a postgresql:// URL, or omit "
            "the URL to use SQLite."
        )
    return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def sqlite_url(file: Path) -> str:
    """The URL of a SQLite database."""
    return URL.create("sqlite", database=str(file)).render_as_string()


def open_database(text: str, directory: DataDirectory) -> Database:
    """Check a database for damage, open it, and migrate its tables.

    Raises:
        DatabaseTooNew: a newer version wrote it.
        DatabaseUnusable: it is damaged or unavailable, or its driver is not installed.
    """
    url = make_url(text)
    if url.get_backend_name() == "sqlite" and url.database:
        _refuse_damage(visible_damage(Path(url.database), directory.objects / "state"), url)
    try:
        database = Database(text)
        _refuse_damage(database.damage(), url)
        database.migrate()
    except (SQLAlchemyError, ImportError) as error:
        raise _unusable(_reason(error), url) from None
    return database


@contextmanager
def database_errors(database: Database) -> Iterator[None]:
    """Report a database error, or an invalid stored value, as DatabaseUnusable."""
    try:
        yield
    except (SQLAlchemyError, ValueError) as error:
        raise _unusable(_reason(error), database.engine.url) from None


def _parsed(text: str) -> URL:
    try:
        return make_url(text)
    except (ArgumentError, ValueError):  # ValueError for an invalid port
        raise DatabaseUnusable(
            "The database cannot be used: its URL is invalid. Use the form postgresql://user@host/name."
        ) from None


def _refuse_damage(damage: str | None, url: URL) -> None:
    if damage is not None:
        raise _unusable(damage, url)


def _reason(error: Exception) -> str:
    if isinstance(error, SQLAlchemyError | ImportError):
        return str(getattr(error, "orig", None) or error).partition("\n")[0]
    return "it contains an invalid value"  # the value may be secret


def _unusable(reason: str, url: URL) -> DatabaseUnusable:
    advice = ""
    if url.get_backend_name() == "sqlite":
        advice = (
            f" Restore {url.database} from a backup, and delete the files with the suffixes -wal and -shm. Without a "
            "backup, move all three files away to start with an empty database; the states are still in the objects "
            "directory."
        )
    return DatabaseUnusable(f"The database cannot be used: {reason}.{advice}")

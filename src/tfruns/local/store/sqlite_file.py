"""Damage of a SQLite file: signs of it before the file is opened, and the errors that report it afterwards."""

import sqlite3
from pathlib import Path

_WAL_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")  # SQLite, "WAL File Format"
_DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def visible_damage(file: Path, states: Path) -> str | None:
    """Damage that SQLite does not report: it ignores an invalid write-ahead log and creates tables in an empty file.

    Args:
        file: the database.
        states: the directory of the states that the database lists.
    """
    log = file.with_name(f"{file.name}-wal")
    if log.exists():
        content = log.read_bytes()[:32]
        if content.strip(b"\0") and not content.startswith(_WAL_MAGIC):
            return f"{log.name} is damaged"
    if file.exists() and file.stat().st_size == 0 and states.exists() and any(states.iterdir()):
        return "the file is empty, although states exist"
    return None


def is_damage(error: BaseException) -> bool:
    """Whether an error means that the database file is damaged. A retry does not help."""
    cause = getattr(error, "orig", None) or error
    if not isinstance(cause, sqlite3.Error):
        return False
    code = getattr(cause, "sqlite_errorcode", None) or 0
    is_short = code == sqlite3.SQLITE_IOERR_SHORT_READ
    return code & 0xFF in _DAMAGE_CODES or is_short or "Could not decode to UTF-8" in str(cause)

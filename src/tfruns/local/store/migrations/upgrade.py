"""Migrations of the database with Alembic. `Database.migrate` imports this module only if a migration is due."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from tfruns.local.cannot_start import CannotStart


class DatabaseTooNew(CannotStart):
    """A newer version of tfruns wrote the database."""


def upgrade(connection: Connection, to: str) -> None:
    """Migrate the tables to a revision.

    Raises:
        DatabaseTooNew: a newer version of this program wrote the tables.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, to)
    except CommandError:
        head = ScriptDirectory.from_config(config).get_current_head()
        raise DatabaseTooNew(
            f"The database cannot be used: a newer version of tfruns wrote it, and this version supports "
            f"revisions up to {head}. Install the newer version."
        ) from None

"""Which server uses the database, who may read whose state, and what runs, states and variables have to tell.

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    claims = op.create_table(
        "claims",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.Column("probes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.bulk_insert(claims, [{"id": 1, "owner": None, "beats": 0, "probes": 0}])
    op.create_table(
        "remote_state_consumers",
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("consumer_id", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["consumer_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workspace_id", "consumer_id"),
    )
    # With a default, SQLite adds a column in place. To create the table again would delete all rows that refer to it.
    op.add_column("state_versions", sa.Column("is_interpreted", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("organizations", sa.Column("settings", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("variables", sa.Column("version_id", sa.String(length=64), nullable=False, server_default="first"))
    op.execute("UPDATE variables SET version_id = id")

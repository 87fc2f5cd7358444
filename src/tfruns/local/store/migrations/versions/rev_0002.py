"""Which server uses the database, and whether all of a state could be read.

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
    with op.batch_alter_table("state_versions") as table:
        table.add_column(sa.Column("is_interpreted", sa.Boolean(), nullable=False, server_default=sa.true()))
    with op.batch_alter_table("state_versions") as table:
        table.alter_column("is_interpreted", server_default=None)

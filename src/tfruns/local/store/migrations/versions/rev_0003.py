"""The time at which a user locked a workspace.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("locked_at", sa.DateTime(timezone=True), nullable=True))

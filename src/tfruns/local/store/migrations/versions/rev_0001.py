"""The first tables.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "organizations",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("default_project_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        sa.UniqueConstraint("default_project_id"),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("username", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("username"),
    )
    op.create_table(
        "tokens",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
        ),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organization", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("auto_apply", sa.Boolean(), nullable=False),
        sa.Column("terraform_version", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_by_user_id", sa.String(length=40), nullable=True),
        sa.Column("locked_reason", sa.Text(), nullable=True),
        sa.Column("current_run_id", sa.String(length=40), nullable=True),
        sa.Column("current_state_version_id", sa.String(length=40), nullable=True),
        sa.Column("current_configuration_version_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["organization"], ["organizations.name"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("workspaces_by_name", "workspaces", ["organization", "name"], unique=True)
    op.create_table(
        "configuration_versions",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("status_timestamps", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("speculative", sa.Boolean(), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("auto_queue_runs", sa.Boolean(), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(
        "configuration_versions_of_workspace", "configuration_versions", ["workspace_id", "sequence"], unique=False
    )
    op.create_table(
        "run_counts",
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("operation", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("runs", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("workspace_id", "operation", "status"),
    )
    op.create_table(
        "runs",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("organization", sa.String(length=128), nullable=False),
        sa.Column("configuration_version_id", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("status_timestamps", sa.JSON(), nullable=False),
        sa.Column("operation", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=40), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.String(length=40), nullable=False),
        sa.Column("confirmed_by_id", sa.String(length=40), nullable=True),
        sa.Column("canceled_by_id", sa.String(length=40), nullable=True),
        sa.Column("auto_apply", sa.Boolean(), nullable=False),
        sa.Column("has_changes", sa.Boolean(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("workspace_variables", sa.JSON(), nullable=False),
        sa.Column("holds_workspace", sa.Boolean(), nullable=False),
        sa.Column("cancel_level", sa.Integer(), nullable=False),
        sa.Column("canceled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("force_cancel_available_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(
        "one_active_run",
        "runs",
        ["workspace_id"],
        unique=True,
        sqlite_where=sa.text("holds_workspace = 1"),
        postgresql_where=sa.text("holds_workspace"),
    )
    op.create_index("runs_of_organization", "runs", ["organization", "created_at", "sequence"], unique=False)
    op.create_index(
        "runs_of_organization_by_both",
        "runs",
        ["organization", "operation", "status", "created_at", "sequence"],
        unique=False,
    )
    op.create_index(
        "runs_of_organization_by_operation",
        "runs",
        ["organization", "operation", "created_at", "sequence"],
        unique=False,
    )
    op.create_index(
        "runs_of_organization_by_status", "runs", ["organization", "status", "created_at", "sequence"], unique=False
    )
    op.create_index("runs_of_workspace", "runs", ["workspace_id", "operation", "created_at", "sequence"], unique=False)
    op.create_index(
        "runs_of_workspace_by_status",
        "runs",
        ["workspace_id", "operation", "status", "created_at", "sequence"],
        unique=False,
    )
    active = sa.text("(status IN ('plan_queued', 'planning', 'apply_queued', 'applying') OR lease IS NOT NULL)")
    op.create_index("active_runs", "runs", ["sequence"], unique=False, sqlite_where=active, postgresql_where=active)
    op.create_index("runs_of_workspace_in_queue", "runs", ["workspace_id", "status", "sequence"], unique=False)
    op.create_table(
        "state_versions",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=True),
        sa.Column("created_by_id", sa.String(length=40), nullable=True),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("lineage", sa.String(length=80), nullable=True),
        sa.Column("md5", sa.String(length=32), nullable=True),
        sa.Column("is_forced", sa.Boolean(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("terraform_version", sa.String(length=40), nullable=True),
        sa.Column("resources", sa.JSON(), nullable=False),
        sa.Column("resource_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("state_versions_of_run", "state_versions", ["run_id"], unique=False)
    op.create_index("state_versions_of_workspace", "state_versions", ["workspace_id", "sequence"], unique=False)
    op.create_table(
        "variables",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("workspace_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("hcl", sa.Boolean(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("variables_by_key", "variables", ["workspace_id", "category", "key"], unique=True)
    op.create_table(
        "comments",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("comments_of_run", "comments", ["run_id", "sequence"], unique=False)
    op.create_table(
        "phases",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("status_timestamps", sa.JSON(), nullable=False),
        sa.Column("has_changes", sa.Boolean(), nullable=True),
        sa.Column("resource_additions", sa.Integer(), nullable=True),
        sa.Column("resource_changes", sa.Integer(), nullable=True),
        sa.Column("resource_destructions", sa.Integer(), nullable=True),
        sa.Column("resource_imports", sa.Integer(), nullable=True),
        sa.Column("generated_configuration", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("phases_of_run", "phases", ["run_id", "kind"], unique=True)
    op.create_table(
        "run_events",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("action", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.String(length=40), nullable=True),
        sa.Column("comment_id", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["run_id"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("sequence"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("run_events_of_run", "run_events", ["run_id", "sequence"], unique=False)
    op.create_table(
        "state_outputs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("state_version_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("detailed_type", sa.JSON(), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["state_version_id"], ["state_versions.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outputs_of_state", "state_outputs", ["state_version_id", "name"], unique=True)

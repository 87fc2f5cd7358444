"""The tables of the local backend, for SQLite and PostgreSQL. The `runs` table is the truth about every run.

Large contents (configurations, logs, plans, states) are files, see `objects`. The tables contain the values that are
searched, and those that change together.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from tfruns.local.cancel_level import CancelLevel

REVISION = "0003"
"""The revision of these tables: the last one in `migrations/versions`."""


class UtcTime(TypeDecorator[datetime]):
    """A time with a time zone. SQLite does not store the zone, so it is always UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class _CancelLevel(TypeDecorator[CancelLevel]):
    """A cancel level, stored as its number."""

    impl = Integer
    cache_ok = True

    def process_bind_param(self, value: CancelLevel | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else int(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> CancelLevel | None:  # noqa: ARG002
        return None if value is None else CancelLevel(value)


_Id = String(40)
_Sequence = BigInteger().with_variant(Integer, "sqlite")  # SQLite increments only an INTEGER primary key


_NEWEST = ("created_at", "sequence")

ACTIVE = "(status IN ('plan_queued', 'planning', 'apply_queued', 'applying') OR lease IS NOT NULL)"
"""The condition for runs with a phase to execute, or a process that is still running.

A database uses the partial index of these runs only for a query with exactly this text. The index finds them quickly
among a million runs.
"""


class Base(DeclarativeBase):
    """All tables."""

    type_annotation_map = {datetime: UtcTime, dict[str, Any]: JSON, list[Any]: JSON, bool: Boolean}  # noqa: RUF012


class ClaimRow(Base):
    """The server that uses this database. The table has one row.

    `owner` is the name of its data directory, `beats` counts its heartbeats, `probes` counts attempts to write.
    """

    __tablename__ = "claims"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    owner: Mapped[str | None] = mapped_column(Text)
    beats: Mapped[int] = mapped_column(BigInteger, default=0)
    probes: Mapped[int] = mapped_column(BigInteger, default=0)


class OrganizationRow(Base):
    """An organization; its name is its id. It has one project, of which only the id is stored."""

    __tablename__ = "organizations"

    name: Mapped[str] = mapped_column(String(128), primary_key=True)
    email: Mapped[str | None] = mapped_column(String(320))
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    default_project_id: Mapped[str] = mapped_column(_Id, unique=True)
    created_at: Mapped[datetime]


class UserRow(Base):
    """A user."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    username: Mapped[str] = mapped_column(String(128), unique=True)


class TokenRow(Base):
    """An API token, by its hash."""

    __tablename__ = "tokens"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime]


class WorkspaceRow(Base):
    """A workspace. A person can lock it (`locked_by_user_id`); a run can hold it (`RunRow.holds_workspace`)."""

    __tablename__ = "workspaces"
    __table_args__ = (Index("workspaces_by_name", "organization", "name", unique=True),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    organization: Mapped[str] = mapped_column(ForeignKey("organizations.name", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(128))
    auto_apply: Mapped[bool] = mapped_column(default=False)
    terraform_version: Mapped[str]
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    tags: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    locked_by_user_id: Mapped[str | None] = mapped_column(_Id)
    locked_reason: Mapped[str | None] = mapped_column(Text)
    locked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    current_run_id: Mapped[str | None] = mapped_column(_Id)
    current_state_version_id: Mapped[str | None] = mapped_column(_Id)
    current_configuration_version_id: Mapped[str | None] = mapped_column(_Id)


class RemoteStateConsumerRow(Base):
    """A workspace whose runs may read the state of another workspace."""

    __tablename__ = "remote_state_consumers"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    consumer_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)


class VariableRow(Base):
    """A variable of a workspace. The value of a sensitive variable is never shown."""

    __tablename__ = "variables"
    __table_args__ = (Index("variables_by_key", "workspace_id", "category", "key", unique=True),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    key: Mapped[str] = mapped_column(String(256))
    value: Mapped[str] = mapped_column(Text, default="")
    description: Mapped[str | None] = mapped_column(Text)
    category: Mapped[str] = mapped_column(String(16))
    hcl: Mapped[bool] = mapped_column(default=False)
    sensitive: Mapped[bool] = mapped_column(default=False)
    version_id: Mapped[str] = mapped_column(String(64), server_default="first")
    created_at: Mapped[datetime]


class ConfigurationVersionRow(Base):
    """A configuration version; its files are an object with the same id."""

    __tablename__ = "configuration_versions"
    __table_args__ = (Index("configuration_versions_of_workspace", "workspace_id", "sequence"),)

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(_Id, unique=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(String(40))
    status_timestamps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    source: Mapped[str] = mapped_column(String(40))
    speculative: Mapped[bool] = mapped_column(default=False)
    provisional: Mapped[bool] = mapped_column(default=False)
    auto_queue_runs: Mapped[bool] = mapped_column(default=True)
    error_message: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime]


class RunRow(Base):
    """A run. Only `service.transitions.change_status` changes its status.

    `sequence` is the order of creation, which is also the order of the queue.

    A run with `holds_workspace` is its workspace's active run, from leaving the queue until it is final and its last
    process has exited. A unique index prevents two runs from holding the same workspace.
    """

    __tablename__ = "runs"
    __table_args__ = (
        # SQLite uses the index only for exactly this text, which SQLAlchemy generates for a boolean.
        Index("one_active_run", "workspace_id", unique=True, sqlite_where=text("holds_workspace = 1"),
              postgresql_where=text("holds_workspace")),
        Index("active_runs", "sequence", sqlite_where=text(ACTIVE), postgresql_where=text(ACTIVE)),
        Index("runs_of_workspace_in_queue", "workspace_id", "status", "sequence"),
        # For lists, see `run_lists`: each ends with the order of the lists.
        Index("runs_of_workspace", "workspace_id", "operation", *_NEWEST),
        Index("runs_of_workspace_by_status", "workspace_id", "operation", "status", *_NEWEST),
        Index("runs_of_organization", "organization", *_NEWEST),
        Index("runs_of_organization_by_status", "organization", "status", *_NEWEST),
        Index("runs_of_organization_by_operation", "organization", "operation", *_NEWEST),
        Index("runs_of_organization_by_both", "organization", "operation", "status", *_NEWEST),
    )  # fmt: skip

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(_Id, unique=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    organization: Mapped[str] = mapped_column(String(128))
    configuration_version_id: Mapped[str] = mapped_column(_Id)
    status: Mapped[str] = mapped_column(String(40))
    status_timestamps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    operation: Mapped[str] = mapped_column(String(20))
    source: Mapped[str] = mapped_column(String(40))
    message: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    created_by_id: Mapped[str] = mapped_column(_Id)
    confirmed_by_id: Mapped[str | None] = mapped_column(_Id)
    canceled_by_id: Mapped[str | None] = mapped_column(_Id)
    auto_apply: Mapped[bool] = mapped_column(default=False)
    has_changes: Mapped[bool] = mapped_column(default=False)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    variables: Mapped[list[Any]] = mapped_column(default=list)
    workspace_variables: Mapped[list[Any]] = mapped_column(default=list)
    holds_workspace: Mapped[bool] = mapped_column(default=False)
    cancel_level: Mapped[CancelLevel] = mapped_column(_CancelLevel, default=CancelLevel.NONE)
    canceled_at: Mapped[datetime | None]
    force_cancel_available_at: Mapped[datetime | None]
    lease: Mapped[str | None] = mapped_column(_Id)


class PhaseRow(Base):
    """The plan or the apply of a run. Its log and its documents are objects with the same id."""

    __tablename__ = "phases"
    __table_args__ = (Index("phases_of_run", "run_id", "kind", unique=True),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    status: Mapped[str] = mapped_column(String(20))
    status_timestamps: Mapped[dict[str, Any]] = mapped_column(default=dict)
    has_changes: Mapped[bool | None]
    resource_additions: Mapped[int | None]
    resource_changes: Mapped[int | None]
    resource_destructions: Mapped[int | None]
    resource_imports: Mapped[int | None]
    generated_configuration: Mapped[bool] = mapped_column(default=False)


class StateVersionRow(Base):
    """A state version of a workspace; the state itself is an object with the same id.

    Without `is_interpreted`, the state contains outputs or resources that are not stored here.
    """

    __tablename__ = "state_versions"
    __table_args__ = (
        Index("state_versions_of_workspace", "workspace_id", "sequence"),
        Index("state_versions_of_run", "run_id"),
    )

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(_Id, unique=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    run_id: Mapped[str | None] = mapped_column(_Id)
    created_by_id: Mapped[str | None] = mapped_column(_Id)
    status: Mapped[str] = mapped_column(String(20))
    serial: Mapped[int] = mapped_column(BigInteger)
    lineage: Mapped[str | None] = mapped_column(String(80))
    md5: Mapped[str | None] = mapped_column(String(32))
    is_forced: Mapped[bool] = mapped_column(default=False)
    is_interpreted: Mapped[bool] = mapped_column(default=True, server_default=true())
    size: Mapped[int] = mapped_column(default=0)
    terraform_version: Mapped[str | None] = mapped_column(String(40))
    resources: Mapped[list[Any]] = mapped_column(default=list)
    resource_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]


class StateOutputRow(Base):
    """An output of a state. Its value is also in the state."""

    __tablename__ = "state_outputs"
    __table_args__ = (Index("outputs_of_state", "state_version_id", "name", unique=True),)

    id: Mapped[str] = mapped_column(_Id, primary_key=True)
    state_version_id: Mapped[str] = mapped_column(ForeignKey("state_versions.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    value: Mapped[Any] = mapped_column(JSON)
    detailed_type: Mapped[Any] = mapped_column(JSON)
    sensitive: Mapped[bool]


class CommentRow(Base):
    """A comment on a run."""

    __tablename__ = "comments"
    __table_args__ = (Index("comments_of_run", "run_id", "sequence"),)

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(_Id, unique=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    body: Mapped[str] = mapped_column(Text)


class RunEventRow(Base):
    """An event of a run, and the user who caused it."""

    __tablename__ = "run_events"
    __table_args__ = (Index("run_events_of_run", "run_id", "sequence"),)

    sequence: Mapped[int] = mapped_column(_Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(_Id, unique=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    action: Mapped[str] = mapped_column(String(40))
    created_at: Mapped[datetime]
    actor_id: Mapped[str | None] = mapped_column(_Id)
    comment_id: Mapped[str | None] = mapped_column(_Id)


class RunCountRow(Base):
    """The number of a workspace's runs with one operation and status, for the totals of lists."""

    __tablename__ = "run_counts"

    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True)
    operation: Mapped[str] = mapped_column(String(20), primary_key=True)
    status: Mapped[str] = mapped_column(String(40), primary_key=True)
    runs: Mapped[int] = mapped_column(default=0)

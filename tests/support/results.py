"""The schemas of the commands' `--json` output. A field that is missing here fails a test."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue


class Result(BaseModel):
    """A result with exactly these fields. Fields with a default may be missing."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Step(Result):
    """A likely next call."""

    tool: str
    arguments: dict[str, JsonValue]
    reason: str


class Failure(Result):
    """An error, on standard output as well."""

    error: str
    message: str
    status: int | None = None
    cause: str = ""
    solution: str = ""
    retryable: bool = False
    retry_after_s: float | None = None
    request_id: str | None = None
    run_status: str | None = None
    allowed_actions: list[str] = []
    workspace_locked: bool | None = None
    next_actions: list[Step] = []


class RunResult(Result):
    """`run create`, `run show`."""

    id: str
    status: str
    allowed_actions: list[str]
    follows: str = ""
    next_actions: list[Step] = []
    status_group: str | None = None
    phase: str | None = None
    message: str = ""
    created_at: str
    status_timestamps: dict[str, str] = {}
    operation: str | None = None
    has_changes: bool | None = None
    auto_apply: bool | None = None
    source: str | None = None
    terraform_version: str | None = None
    target_addrs: list[str] = []
    replace_addrs: list[str] = []
    variables: list[str] = []
    workspace_id: str
    workspace_name: str | None = None
    configuration_version_id: str | None = None
    plan_id: str | None = None
    apply_id: str | None = None
    cost_estimate_id: str | None = None
    created_by: str | None = None
    canceled_at: str | None = None
    force_cancel_available_at: str | None = None
    url: str | None = None


class Row(Result):
    """A run in a list."""

    id: str
    status: str
    needs_person: bool = False
    message: str = ""
    operation: str | None = None
    created_at: str
    workspace_id: str | None = None
    workspace_name: str | None = None
    configuration_version_id: str | None = None


class RunList(Result):
    """`run list`."""

    runs: list[Row]
    page: int
    next_page: int | None
    organization: str | None = None
    workspace_id: str | None = None
    workspace_name: str | None = None
    total_pages: int | None = None
    total_count: int | None = None
    note: str | None = None
    next_actions: list[Step] = []


class Waited(Result):
    """`run wait`, and commands with `--wait`."""

    id: str
    status: str
    outcome: Literal["attention", "planned", "final", "timeout"]
    waited_s: float
    allowed_actions: list[str] = []
    follows: str = ""
    next_actions: list[Step] = []
    auto_apply: bool | None = None
    has_changes: bool | None = None
    plan: dict[str, int] = {}
    workspace_name: str | None = None
    blocked_by: dict[str, JsonValue] = {}
    queue: str | None = None
    last_log_line: str | None = None
    note: str | None = None


class Accepted(Result):
    """`run apply`, `discard`, `cancel`, `force-cancel`, `force-execute`."""

    id: str
    status: str
    accepted: Literal[True]
    allowed_actions: list[str] = []
    follows: str = ""
    next_actions: list[Step] = []
    displaced: list[dict[str, str]] | None = None
    unfinished: list[str] = []
    note: str | None = None


class Change(Result):
    """A row of a review."""

    address: str
    action: str
    count: int | None = None
    keys: list[str] = []
    danger: str | None = None
    why: str | None = None
    moved_from: str | None = None
    import_id: str | None = None
    import_identity: str | None = None
    deferred: Literal[True] | None = None
    values: list[str] = []
    changes: list[str] = []
    more_changes: int | None = None


class Reviewed(Result):
    """`run review` of a run with a plan."""

    run_id: str
    status: str
    follows: str = ""
    next_actions: list[Step] = []
    plan: str
    counts: dict[str, int] = {}
    changed_outputs: int | None = None
    changed_outside_of_terraform: int | None = None
    fingerprint: str
    notes: list[str] = []
    rows: list[Change]
    page: int
    next_page: int | None
    total_pages: int
    total_rows: int


class NotReviewed(Result):
    """`run review` of a run without a plan."""

    run_id: str
    status: str
    follows: str = ""
    next_actions: list[Step] = []
    plan: str


class Log(Result):
    """`run logs`."""

    id: str
    status: str
    log: str
    phase: str | None = None
    phase_status: str | None = None
    errors: list[str] = []
    note: str | None = None
    offset: int | None = None
    next_offset: int | None = None
    next_actions: list[Step] = []


class Diagnosed(Result):
    """`run diagnose`."""

    id: str
    status: str
    verdict: Literal["failed", "waiting", "in_progress", "succeeded", "canceled", "discarded"]
    follows: str = ""
    next_actions: list[Step] = []
    since: str | None = None
    summary: str | None = None
    failed_stage: str | None = None
    errors: list[dict[str, JsonValue]] = []
    omitted_errors: int | None = None
    hints: list[str] = []
    last_lines: list[str] = []
    waits_for: dict[str, JsonValue] = {}
    policy_checks: list[dict[str, JsonValue]] = []
    task_stages: list[dict[str, JsonValue]] = []
    ended_by: str | None = None
    ended_at: str | None = None
    comment: str | None = None
    could_not_read: list[str] = []


class History(Result):
    """`run history`."""

    id: str
    status: str
    created_by: str | None = None
    confirmed_by: str | None = None
    events: list[dict[str, str]]
    event_count: int
    page: int
    next_page: int | None
    timeline: list[dict[str, str | int]] = []
    comments: list[str] = []
    note: str | None = None


class Commented(Result):
    """`run comment`."""

    id: str
    comment_id: str
    recorded: Literal[True]


class BulkRow(Result):
    """One run of a command with `--all`."""

    id: str
    status: str
    outcome: Literal["would", "skipped", "accepted", "failed", "unknown", "not sent"]
    workspace_name: str | None = None
    message: str | None = None
    plan: str | None = None
    dangers: list[str] = []
    fingerprint: str | None = None
    why: str | None = None
    error: dict[str, Any] | None = None


class Bulk(Result):
    """`run apply`, `discard`, `cancel` with `--all`."""

    action: Literal["apply", "discard", "cancel"]
    dry_run: bool
    runs: list[BulkRow]

"""The audit log: a line before a change is sent, and a line with its outcome. A change is sent only if the first line
can be written.

Each line is a JSON object. Only the owner of the file can read it, and several processes can share it. The two lines of
a call have the same `id`. If the second line is missing, the process was stopped in between. A line that is not valid
JSON is an incomplete record, after a crash or on a full disk.
"""

import json
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from anyio import CancelScope, to_thread
from pydantic import BaseModel

from tfruns.errors import ApiError, AuditFailed, InvalidInput, OutcomeUnknown, ServerError
from tfruns.gate.record_file import append_record
from tfruns.home import user_path
from tfruns.jsonapi import JSON
from tfruns.masking.arguments import mask_variable_values
from tfruns.masking.redaction import safe_document

_log = logging.getLogger(__name__)


def audit_file() -> Path:
    """The file: `TFRUNS_AUDIT_FILE`, or `audit.jsonl` in the platform's directory for application state.

    Raises:
        AuditFailed: the file would be below a home directory, and the user has none.
    """
    try:
        return user_path(_chosen_file, instead="set TFRUNS_AUDIT_FILE to an absolute path")
    except InvalidInput as error:
        raise AuditFailed(error.message, cause=error.cause, solution=error.solution) from None


def _chosen_file() -> Path:
    named = os.environ.get("TFRUNS_AUDIT_FILE")
    if named:
        return Path(named)
    import platformdirs  # noqa: PLC0415  # read-only calls do not need it

    return platformdirs.user_state_path("tfruns", appauthor=False) / "audit.jsonl"


class AuditLog:
    """The log of one process.

    Args:
        path: the file; by default, that of `audit_file` at the time of each write.
        now: the clock.
    """

    def __init__(self, path: Path | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._now = now

    async def begin(self, fields: Mapping[str, JSON]) -> "AuditEntry":
        """Record a change before it is sent. The line is on the disk when this returns.

        Raises:
            AuditFailed: the line cannot be written.
        """
        entry = AuditEntry(self, {"id": secrets.token_hex(8), "tool": fields["tool"]})
        try:
            await self.write_in_thread({"id": entry.shared["id"], "event": "begun", **fields, "pid": os.getpid()})
        except OSError as error:
            raise self._failure(error) from None
        return entry

    async def write_in_thread(self, fields: Mapping[str, JSON]) -> None:
        """Append a line without blocking other calls, because a disk may be slow. A cancellation waits for it.

        Raises:
            OSError: the line was not written completely.
        """
        with CancelScope(shield=True):
            await to_thread.run_sync(self.write, fields)

    def write(self, fields: Mapping[str, JSON]) -> None:
        """Append a line.

        Raises:
            OSError: the line was not written completely.
        """
        append_record(self._path or audit_file(), partial(self._line, fields))

    def _failure(self, error: OSError) -> AuditFailed:
        reason = error.strerror or type(error).__name__
        return AuditFailed(f"The audit log {self._path or audit_file()} cannot be written: {reason}.")

    def _line(self, fields: Mapping[str, JSON]) -> bytes:
        time = self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        known = {key: value for key, value in {"time": time, **fields}.items() if value is not None}
        return json.dumps(safe_document(known), ensure_ascii=True, separators=(",", ":")).encode()


class AuditEntry:
    """A call whose first line has been written."""

    def __init__(self, log: AuditLog, shared: Mapping[str, JSON]) -> None:
        self._log = log
        self.shared = shared

    async def end(self, outcome: Mapping[str, JSON]) -> None:
        """Record the outcome. The change has been sent, so that a failure to write is only logged."""
        try:
            await self._log.write_in_thread({**self.shared, "event": "ended", **outcome})
        except OSError as error:
            _log.error("The audit log could not be completed: %s", error.strerror or type(error).__name__)


def outcome_of(error: BaseException) -> dict[str, JSON]:
    """The outcome of a call that raised an error.

    `refused` by the API; `unknown`; `partly` done, with the completed parts; or `failed` before anything changed.
    """
    done = getattr(error, "facts", {}).get("overridden")
    if done:
        outcome = "partly"
    elif isinstance(error, OutcomeUnknown | ServerError) or not isinstance(error, Exception):
        outcome = "unknown"  # after an interruption, a request in progress may have arrived
    else:
        outcome = "refused" if isinstance(error, ApiError) else "failed"
    code = getattr(error, "code", type(error).__name__)
    return {"outcome": outcome, "code": code, "status": getattr(error, "status", None), "overridden": done}


def logged_arguments(values: Mapping[str, Any]) -> dict[str, JSON]:
    """The arguments of a call for the log: truncated, and without values of variables, codes and tokens."""
    plain = {
        name: value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value
        for name, value in values.items()
        if value not in (None, "") and name != "confirmation"
    }
    return mask_variable_values(plain)

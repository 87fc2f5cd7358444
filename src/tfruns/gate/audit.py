"""The audit log: a line before every change is sent, and a line when its outcome is known. What cannot be written
is not sent.

One JSON object a line, in a file that only its owner may read and that several processes share. The two lines of one
call share an `id`; a first line without a second one is a call whose process ended in between. A line that is not
complete JSON is the remainder of a record that a crash or a full disk cut short.
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
    """The file: `TFRUNS_AUDIT_FILE`, or `audit.jsonl` in the platform's directory for the state of programs.

    Raises:
        AuditFailed: it would be below a home directory, and there is none.
    """
    try:
        return user_path(_chosen_file, instead="set TFRUNS_AUDIT_FILE to an absolute path")
    except InvalidInput as error:
        raise AuditFailed(error.message, cause=error.cause, solution=error.solution) from None


def _chosen_file() -> Path:
    named = os.environ.get("TFRUNS_AUDIT_FILE")
    if named:
        return Path(named)
    import platformdirs  # noqa: PLC0415  # reading tools do without

    return platformdirs.user_state_path("tfruns", appauthor=False) / "audit.jsonl"


class AuditLog:
    """The log of one process.

    Args:
        path: the file; by default, that of `audit_file` whenever something is written.
        now: the time.
    """

    def __init__(self, path: Path | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._path = path
        self._now = now

    async def begin(self, fields: Mapping[str, JSON]) -> "Entry":
        """Write down the change that is about to be sent. It is on the disk when this returns.

        Raises:
            AuditFailed: it cannot be written.
        """
        entry = Entry(self, {"id": secrets.token_hex(8), "tool": fields["tool"]})
        try:
            await self.write_in_thread({"id": entry.shared["id"], "event": "begun", **fields, "pid": os.getpid()})
        except OSError as error:
            raise AuditFailed(f"The audit log cannot be written: {error.strerror or type(error).__name__}.") from None
        return entry

    async def write_in_thread(self, fields: Mapping[str, JSON]) -> None:
        """Append one line without blocking other calls: a disk may take seconds. A cancellation waits for it.

        Raises:
            OSError: it was not written as a whole.
        """
        with CancelScope(shield=True):
            await to_thread.run_sync(self.write, fields)

    def write(self, fields: Mapping[str, JSON]) -> None:
        """Append one line.

        Raises:
            OSError: it was not written as a whole.
        """
        append_record(self._path or audit_file(), partial(self._line, fields))

    def _line(self, fields: Mapping[str, JSON]) -> bytes:
        time = self._now().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        known = {key: value for key, value in {"time": time, **fields}.items() if value is not None}
        return json.dumps(safe_document(known), ensure_ascii=True, separators=(",", ":")).encode()


class Entry:
    """A call whose first line was written."""

    def __init__(self, log: AuditLog, shared: Mapping[str, JSON]) -> None:
        self._log = log
        self.shared = shared

    async def end(self, outcome: Mapping[str, JSON]) -> None:
        """Write how it ended. The change was sent: a failure to write this goes to the program's own log."""
        try:
            await self._log.write_in_thread({**self.shared, "event": "ended", **outcome})
        except OSError as error:
            _log.error("The audit log could not be completed: %s", error.strerror or type(error).__name__)


def outcome_of(error: BaseException) -> dict[str, JSON]:
    """How a call that raised this ended: `refused` by the API, `unknown`, `partly` done (with what was), or `failed`
    before anything changed.
    """
    done = getattr(error, "facts", {}).get("overridden")
    if done:
        outcome = "partly"
    elif isinstance(error, OutcomeUnknown | ServerError) or not isinstance(error, Exception):
        outcome = "unknown"  # the last is an interruption: what was under way may have arrived
    else:
        outcome = "refused" if isinstance(error, ApiError) else "failed"
    code = getattr(error, "code", type(error).__name__)
    return {"outcome": outcome, "code": code, "status": getattr(error, "status", None), "overridden": done}


def logged_arguments(values: Mapping[str, Any]) -> dict[str, JSON]:
    """The arguments of a call as the log has them: no values of variables, no codes, no tokens, nothing endless."""
    plain = {
        name: value.model_dump(mode="json", exclude_none=True) if isinstance(value, BaseModel) else value
        for name, value in values.items()
        if value not in (None, "") and name != "confirmation"
    }
    return mask_variable_values(plain)

"""Plans and applies, their logs, and the plan's JSON output. Source: HCP Terraform API, "Plans", "Applies"."""

from typing import ClassVar, Generic, TypeVar

from anyio import to_thread

from tfruns.client.byte_budget import Reservation
from tfruns.client.error_mapping import Purpose
from tfruns.client.parsing import parse_one
from tfruns.client.references import api_path, check_id
from tfruns.client.response_matching import is_resource
from tfruns.client.transport import Transport
from tfruns.masking.redaction import redact
from tfruns.wire.base import Related
from tfruns.wire.plans import Apply, Plan

P = TypeVar("P", Plan, Apply)

_READ = Purpose("read runs")
_READ_PLAN_JSON = Purpose("admin")  # Plans API: the full JSON holds sensitive values

_MAX_WHOLE_LOG = 64_000_000  # bytes, from an object store that ignores the requested range


class _Phases(Generic[P]):
    """The common part of plans and applies."""

    _kind: type[P]
    _prefix: ClassVar[str]

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, phase_id: str) -> P:
        """Read the plan or apply. The URL of its log is signed, and new in each response.

        Wire: GET /plans/{id} or GET /applies/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_id(self._prefix, phase_id)
        path, matches = api_path(self._kind.wire_type, id_), is_resource(self._kind.wire_type, id_)
        answer = await self._transport.get(path, purpose=_READ, matches=matches)
        return parse_one(self._kind, answer.document)

    async def read_log(self, phase: P, *, offset: int = 0, max_bytes: int | None = None) -> bytes:
        """Read the log, or a part of it, unchanged: with ANSI codes, and STX and ETX at its ends.

        Args:
            phase: the plan or apply, read recently: the URL of its log expires.
            offset: bytes to skip.
            max_bytes: maximum number of bytes; by default unlimited.

        Returns:
            The bytes; empty if the log has not started or ends before the offset.

        Raises:
            TooLarge: the object store ignored the requested range, and the whole log is too large.
            UnexpectedResponse: the log's URL has expired.
        """
        if phase.log_read_url is None:
            return b""
        if max_bytes is None:
            return (await self._transport.download(phase.log_read_url) or b"")[offset:]
        params = {"limit": max_bytes, "offset": offset}
        log = await self._transport.download(phase.log_read_url, params=params, max_bytes=_MAX_WHOLE_LOG) or b""
        is_whole = len(log) > max_bytes  # the object store ignored the requested range
        return log[offset : offset + max_bytes] if is_whole else log

    async def log_text(self, phase: P | Related | str) -> str:
        """Read the whole log as text for people.

        Messages in JSON are rendered, and ANSI codes and control characters are removed. Terraform has masked sensitive
        values; tokens and signed URLs are masked too.

        Args:
            phase: the plan or apply, or its id. It is read again, because the URL of its log expires.

        Returns:
            The lines up to now; empty if the log has not started.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        found = await self.read(phase if isinstance(phase, str) else phase.id)
        return await to_thread.run_sync(_text_of, await self.read_log(found))


class Plans(_Phases[Plan]):
    """The plans of runs."""

    _kind = Plan
    _prefix = "plan"

    async def read_json(
        self,
        plan_id: str,
        *,
        is_redacted: bool = False,
        max_bytes: int | None = None,
        room: Reservation | None = None,
    ) -> bytes | None:
        """Read the plan's JSON output.

        Wire: GET /plans/{id}/json-output or json-output-redacted -> 204 until it exists, then 307 to a blob.

        Args:
            plan_id: the plan's id.
            is_redacted: read the form with sensitive values masked, which requires less permission.
            max_bytes: size limit.
            room: reservation in a shared memory budget.

        Returns:
            The document; None if it does not exist yet.

        Raises:
            NotFound: 404, absent, hidden from this token, or this form requires more permission.
            TooLarge: it is larger than `max_bytes`.
        """
        form = "json-output-redacted" if is_redacted else "json-output"
        path = api_path("plans", check_id("plan", plan_id), form)
        purpose = _READ if is_redacted else _READ_PLAN_JSON
        return await self._transport.download(path, purpose=purpose, max_bytes=max_bytes, room=room, is_used_once=True)


class Applies(_Phases[Apply]):
    """The applies of runs."""

    _kind = Apply
    _prefix = "apply"


def _text_of(log: bytes) -> str:
    from tfruns.logs.lines import lines_of, whole_lines  # noqa: PLC0415  # only programs read a log as one text

    return redact("\n".join(line for raw in whole_lines(log) for line in lines_of(raw)))

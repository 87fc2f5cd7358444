"""Plans and applies, their logs and the plan's JSON. Source: HCP Terraform API, "Plans", "Applies"."""

from typing import ClassVar, Generic, TypeVar

from tfruns.client.belonging import is_resource
from tfruns.client.byte_budget import Reservation
from tfruns.client.faults import Purpose
from tfruns.client.reading import read_one
from tfruns.client.references import api_path, check_id
from tfruns.client.transport import Transport
from tfruns.wire.plans import Apply, Plan

P = TypeVar("P", Plan, Apply)

_READ = Purpose("read runs")
_READ_PLAN_JSON = Purpose("admin")  # Plans API: the full JSON holds sensitive values

_MAX_WHOLE_LOG = 64_000_000  # bytes of an object store's answer where a part was asked for


class _Phases(Generic[P]):
    """What plans and applies have in common."""

    _kind: type[P]
    _prefix: ClassVar[str]

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def read(self, phase_id: str) -> P:
        """Read it. The address of its log is a signed one, made anew each time.

        Wire: GET /plans/{id} or GET /applies/{id} -> 200.

        Raises:
            NotFound: 404, absent, or hidden from this token.
        """
        id_ = check_id(self._prefix, phase_id)
        path, is_answer = api_path(self._kind.wire_type, id_), is_resource(self._kind.wire_type, id_)
        answer = await self._transport.get(path, purpose=_READ, is_answer=is_answer)
        return read_one(self._kind, answer.document)

    async def read_log(self, phase: P, *, offset: int = 0, max_bytes: int | None = None) -> bytes:
        """Read its log, or a part of it, as it was written: with ANSI codes, and STX and ETX at its ends.

        Args:
            phase: as it was read a short while ago; its log's address expires.
            offset: bytes to skip.
            max_bytes: bytes to read at most; by default all there are.

        Returns:
            The bytes; none where the log has not begun, or ends before the offset.

        Raises:
            TooLarge: a part was asked for, and the object store answers with the whole, which is huge.
            UnexpectedResponse: the log's address has expired.
        """
        if phase.log_read_url is None:
            return b""
        if max_bytes is None:
            return (await self._transport.download(phase.log_read_url) or b"")[offset:]
        params = {"limit": max_bytes, "offset": offset}
        log = await self._transport.download(phase.log_read_url, params=params, max_bytes=_MAX_WHOLE_LOG) or b""
        is_whole = len(log) > max_bytes  # an object store that does not know parts answers with the whole
        return log[offset : offset + max_bytes] if is_whole else log


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

        Wire: GET /plans/{id}/json-output or json-output-redacted -> 204 until it is there, then 307 to a blob.

        Args:
            plan_id: the plan.
            is_redacted: the form with sensitive values masked, which needs less permission.
            max_bytes: how large it may be.
            room: the part of a shared budget that its bytes are counted in.

        Returns:
            The document; None while there is none.

        Raises:
            NotFound: 404, absent, hidden from this token, or this form needs more permission.
            TooLarge: it is larger than that.
        """
        form = "json-output-redacted" if is_redacted else "json-output"
        path = api_path("plans", check_id("plan", plan_id), form)
        purpose = _READ if is_redacted else _READ_PLAN_JSON
        return await self._transport.download(path, purpose=purpose, max_bytes=max_bytes, room=room, is_used_once=True)


class Applies(_Phases[Apply]):
    """The applies of runs."""

    _kind = Apply
    _prefix = "apply"

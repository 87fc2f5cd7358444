"""Uploads and downloads of logs, configurations, plans and states over signed URLs, which need no API token."""

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from tfruns.errors import BadRequest, NotFound, ServerError, TfrunsError, UnprocessableEntity
from tfruns.local.api.signer import ObjectGrant
from tfruns.local.backend import Backend
from tfruns.local.service.configurations import accept_upload, refuse_upload
from tfruns.local.service.states import upload_json_state, upload_state
from tfruns.local.store.schema import PhaseRow
from tfruns.local.terraform.log import ETX, PART_BYTES, log_parts
from tfruns.local.terraform.slug import BadArchive
from tfruns.local.terraform.slug_process import ARCHIVES, ArchiveInterrupted
from tfruns.phases import has_phase_ended

_MAX_UPLOAD_BYTES = 512 * 1024 * 1024
_MAX_STATE_BYTES = 512 * 1024 * 1024


async def read_object(request: Request, backend: Backend, grant: ObjectGrant) -> Response:
    """Download an object; of a log, the bytes that `offset` and `limit` select.

    Raises:
        NotFound: 404, the object does not exist or is empty.
        BadRequest: 400, `offset` or `limit` is invalid.
    """
    if grant.kind == "log":
        offset, limit = _number(request, "offset"), _number(request, "limit")
        return await run_in_threadpool(_read_log, backend, grant.id, offset or 0, limit)
    path = backend.objects.path(grant.kind, grant.id)
    # No object is empty unless it is damaged, and Terraform reads an empty state as the absence of a state.
    if not path.exists() or not path.stat().st_size:
        raise NotFound("not found")
    media_type = "application/x-gzip" if grant.kind == "configuration" else "application/json"
    return _ObjectResponse(path, media_type=media_type)


class _ObjectResponse(FileResponse):
    """A file in large parts: a plan has tens of megabytes, and each part costs a change of threads."""

    chunk_size = 1 << 20


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise BadRequest(f"{name} must be a number of bytes.")
    return int(text)


def _read_log(backend: Backend, phase_id: str, offset: int, limit: int | None) -> Response:
    """Part of a log. The end-of-text byte is sent once the phase has finished.

    Clients take that byte as the end of the phase and read the run immediately, so it must follow the phase's status,
    which changes in the same transaction as the run's.
    """
    with backend.database.read() as session:
        phase = session.scalars(select(PhaseRow).where(PhaseRow.id == phase_id)).first()
    has_ended = phase is not None and has_phase_ended(phase.status)
    content = log_parts(backend.objects.path("log", phase_id), offset, limit, is_finished=has_ended)
    parts = _report_end(content, partial(backend.log_reads.mark_read, phase_id))
    if limit is not None and limit <= PART_BYTES:
        return Response(b"".join(parts), media_type="text/plain")
    return StreamingResponse(parts, media_type="text/plain")


def _report_end(parts: Iterator[bytes], on_end: Callable[[], None]) -> Iterator[bytes]:
    """The parts of a log; calls `on_end` before the end-of-text byte."""
    for part in parts:
        if part == ETX:
            on_end()
        yield part


async def write_object(request: Request, backend: Backend, grant: ObjectGrant) -> Response:
    """Store an upload, once it is complete and valid.

    Raises:
        TfrunsError: 413, the upload is too large.
        UnprocessableEntity: 422, the content is invalid.
        ServerError: 503, the server is stopping.
    """
    if grant.kind == "configuration":
        archive = await _receive(request, backend, _MAX_UPLOAD_BYTES)
        try:
            await run_in_threadpool(_store_configuration, backend, grant, archive)
        finally:
            archive.unlink(missing_ok=True)
    else:
        body = await _receive(request, backend, _MAX_STATE_BYTES)
        try:
            await run_in_threadpool(_store_state, backend, grant, body)
        finally:
            body.unlink(missing_ok=True)
    return Response(status_code=200)


async def _receive(request: Request, backend: Backend, max_bytes: int) -> Path:
    """Write the body into a temporary file, so that a large upload does not fill the memory."""
    target = backend.objects.path("incoming", secrets.token_hex(8))
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    size = 0
    target.touch(mode=0o600, exist_ok=False)
    try:
        with target.open("wb") as file:
            async for part in request.stream():
                size += len(part)
                if size > max_bytes:
                    raise TfrunsError(f"The upload is too large: the limit is {max_bytes} bytes.", status=413)
                await run_in_threadpool(file.write, part)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def _store_configuration(backend: Backend, grant: ObjectGrant, archive: Path) -> None:
    try:
        ARCHIVES.check(archive)
    except ArchiveInterrupted:
        raise ServerError("The server is stopping.", status=503, retry_after_s=5.0) from None
    except BadArchive as error:
        with backend.database.write() as write:
            refuse_upload(backend, write, grant.id, str(error))
        raise UnprocessableEntity(f"The configuration cannot be used: {error}") from None
    with backend.database.write() as write:
        accept_upload(backend, write, grant.id, archive, user_id=grant.user_id)


def _store_state(backend: Backend, grant: ObjectGrant, body: Path) -> None:
    state = body.read_bytes()
    if grant.kind == "json-state":
        upload_json_state(backend, grant.id, state)
        return
    with backend.database.write() as write:
        upload_state(backend, write, grant.id, state)

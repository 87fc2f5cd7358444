"""The object store over HTTP: logs, uploads and downloads behind signed addresses. No token is asked for."""

import secrets
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from tfruns.errors import BadRequest, NotFound, ServerError, TfrunsError, UnprocessableEntity
from tfruns.lifecycle import has_phase_ended
from tfruns.local.api.signer import Grant
from tfruns.local.backend import Backend
from tfruns.local.service.configurations import accept_upload, refuse_upload
from tfruns.local.service.states import upload_json_state, upload_state
from tfruns.local.store.schema import PhaseRow
from tfruns.local.terraform.log import ETX, PART_BYTES, log_parts
from tfruns.local.terraform.slug import BadArchive
from tfruns.local.terraform.slug_process import ARCHIVES, ArchiveInterrupted

_MAX_UPLOAD_BYTES = 512 * 1024 * 1024
_MAX_STATE_BYTES = 512 * 1024 * 1024


async def read_object(request: Request, backend: Backend, grant: Grant) -> Response:
    """An object; of a log, the part that is asked for with `offset` and `limit`."""
    if grant.kind == "log":
        offset, limit = _number(request, "offset"), _number(request, "limit")
        return await run_in_threadpool(_read_log, backend, grant.id, offset or 0, limit)
    path = backend.objects.path(grant.kind, grant.id)
    if not path.exists():
        raise NotFound("not found")
    media_type = "application/x-gzip" if grant.kind == "configuration" else "application/json"
    return FileResponse(path, media_type=media_type)


def _number(request: Request, name: str) -> int | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise BadRequest(f"{name} has to be a number of bytes.")
    return int(text)


def _read_log(backend: Backend, phase_id: str, offset: int, limit: int | None) -> Response:
    """Part of a log. Its end follows from the phase's status, which changes together with the run's.

    Clients take it as the end of the phase and read the run at once.
    """
    with backend.database.read() as session:
        phase = session.scalars(select(PhaseRow).where(PhaseRow.id == phase_id)).first()
    is_ended = phase is not None and has_phase_ended(phase.status)
    found = log_parts(backend.objects.path("log", phase_id), offset, limit, is_ended=is_ended)
    parts = _until_etx(found, partial(backend.log_reads.mark_read, phase_id))
    if limit is not None and limit <= PART_BYTES:
        return Response(b"".join(parts), media_type="text/plain")
    return StreamingResponse(parts, media_type="text/plain")


def _until_etx(parts: Iterator[bytes], has_ended: Callable[[], None]) -> Iterator[bytes]:
    for part in parts:
        if part == ETX:
            has_ended()
        yield part


async def write_object(request: Request, backend: Backend, grant: Grant) -> Response:
    """Take an upload: as a whole, checked, or not at all."""
    if grant.kind == "configuration":
        archive = await _receive(request, backend, _MAX_UPLOAD_BYTES)
        try:
            await run_in_threadpool(_take_configuration, backend, grant, archive)
        finally:
            archive.unlink(missing_ok=True)
    else:
        body = await _receive(request, backend, _MAX_STATE_BYTES)
        try:
            await run_in_threadpool(_take_state, backend, grant, body)
        finally:
            body.unlink(missing_ok=True)
    return Response(status_code=200)


async def _receive(request: Request, backend: Backend, max_bytes: int) -> Path:
    """The body in a file of its own, so that a large one needs no memory."""
    target = backend.objects.path("incoming", secrets.token_hex(8))
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    size = 0
    try:
        with target.open("xb") as file:
            async for part in request.stream():
                size += len(part)
                if size > max_bytes:
                    raise TfrunsError(f"The upload is larger than {max_bytes} bytes.", status=413)
                await run_in_threadpool(file.write, part)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return target


def _take_configuration(backend: Backend, grant: Grant, archive: Path) -> None:
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


def _take_state(backend: Backend, grant: Grant, body: Path) -> None:
    state = body.read_bytes()
    if grant.kind == "json-state":
        upload_json_state(backend, grant.id, state)
        return
    with backend.database.write() as write:
        upload_state(backend, write, grant.id, state)

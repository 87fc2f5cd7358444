"""Read one plan: its JSON in the form that this token may read, and the results derived from it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial

from anyio import to_thread

from tfruns.client.byte_budget import Reservation
from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TooLarge, UnexpectedResponse
from tfruns.masking.secrets import Secrets
from tfruns.review.plan_document import PlanDocument, parse_plan
from tfruns.review.sensitivity_marks import add_marks
from tfruns.review.summary import PlanSummary, summarize
from tfruns.wire.runs import Run

_ENVIRONMENT_PREFIX = "TF_VAR_"  # the prefix of environment variables that set Terraform variables
_NOT_READABLE = (Forbidden, NotFound, TooLarge)


@dataclass(frozen=True, slots=True)
class Known:
    """The cached results of a run's plan."""

    run_id: str
    secrets: Secrets
    summary: PlanSummary


@dataclass(frozen=True, slots=True)
class OpenPlan:
    """A plan that was read, and its results."""

    document: PlanDocument
    known: Known


async def read_plan(client: Client, run: Run, plan_id: str, room: Reservation) -> OpenPlan | None:
    """Read a plan, and derive its results; None if it does not exist yet.

    Args:
        client: the API.
        run: the run of the plan.
        plan_id: its id.
        room: the memory for its JSON.

    Raises:
        NotFound, Forbidden: the token may read neither form.
        TooLarge: both forms are too large.
        UnexpectedResponse: it is not JSON.
    """
    read, is_redacted = partial(client.plans.read_json, plan_id, max_bytes=room.max_bytes, room=room), False
    try:
        data = await read()
    except _NOT_READABLE:
        is_redacted = True
        data = await read(is_redacted=True)
    if data is None:
        return None
    room.shrink_to(len(data))
    document = await _parsed(run, plan_id, data, run.terraform_version or "", is_redacted=is_redacted)
    full = document
    if document.marks_problem and not is_redacted and (redacted := await _redacted_instead(run, document, read)):
        full = await to_thread.run_sync(_marked_by_schemas, document, redacted)
        document = redacted
    secrets = await _secrets_in(client, run, full)
    return OpenPlan(document, Known(run.id, secrets, await to_thread.run_sync(summarize, document, secrets)))


def _marked_by_schemas(full: PlanDocument, redacted: PlanDocument) -> PlanDocument:
    """The full form, with additional marks for attributes that are sensitive in the schemas of the redacted form."""
    return replace(full, source=add_marks(full.source, redacted.source.get("provider_schemas") or {}))


async def _redacted_instead(
    run: Run, full: PlanDocument, read: Callable[..., Awaitable[bytes | None]]
) -> PlanDocument | None:
    """The redacted form of a plan whose own marks are unreliable; None if it cannot be read."""
    try:
        data = await read(is_redacted=True)
    except _NOT_READABLE:
        return None
    version = full.source.get("terraform_version")
    return await _parsed(run, full.plan_id, data, str(version or ""), is_redacted=True) if data else None


async def _parsed(run: Run, plan_id: str, data: bytes, version: str, *, is_redacted: bool) -> PlanDocument:
    read = partial(parse_plan, data, run_id=run.id, plan_id=plan_id, is_redacted=is_redacted, terraform_version=version)
    return await to_thread.run_sync(read)


async def _secrets_in(client: Client, run: Run, document: PlanDocument) -> Secrets:
    """The values that Terraform marks as sensitive, and those of variables that only the workspace or a variable set
    marks, which Terraform does not know.
    """
    if run.workspace is None or not document.source.get("variables"):
        return await to_thread.run_sync(Secrets.of_plan, document.source)
    try:
        variables = await client.variables.list_for_workspace(run.workspace.id)
    except (Forbidden, NotFound, UnexpectedResponse):
        variables = []  # hidden from this token; the plan's marks are still known
    names = [variable.key.removeprefix(_ENVIRONMENT_PREFIX) for variable in variables if variable.sensitive]
    return await to_thread.run_sync(Secrets.of_plan, document.source, names)

"""Plans and applies. Source: HCP Terraform API, "Plans", "Applies"."""

from sqlalchemy import bindparam, select

from tfruns.errors import NotFound
from tfruns.jsonapi import JSON, ResourceObject, linkages
from tfruns.lifecycle import is_final
from tfruns.local.api.request import ApiRequest, RequestContext
from tfruns.local.api.response import ApiResponse, resource_response
from tfruns.local.service.find import find, find_run
from tfruns.local.store.database import AnySession
from tfruns.local.store.schema import PhaseRow, RunRow, StateVersionRow

_STATES = select(StateVersionRow.id).where(StateVersionRow.run_id == bindparam("run_id"))


def read_phase(request: ApiRequest) -> ApiResponse:
    """GET /plans/:id, GET /applies/:id, GET /runs/:run_id/plan, GET /runs/:run_id/apply -> 200."""
    with request.backend.database.read() as session:
        return resource_response(phase_resource(session, request.context, _phase(session, request)))


def read_json_output(request: ApiRequest) -> ApiResponse:
    """GET /plans/:id/json-output -> 204 until the plan has finished, then 307 to the document."""
    return _document(request, "plan-json")


def read_redacted_json_output(request: ApiRequest) -> ApiResponse:
    """GET /plans/:id/json-output-redacted -> 204 until the plan has finished, then 307 to the document."""
    return _document(request, "plan-json-redacted")


def _document(request: ApiRequest, kind: str) -> ApiResponse:
    with request.backend.database.read() as session:
        phase = _phase(session, request)
    if not request.backend.objects.path(kind, phase.id).exists():
        return ApiResponse(204)
    return ApiResponse(307, headers={"location": request.context.signed_url("read", kind, phase.id)})


def read_errored_state(request: ApiRequest) -> ApiResponse:
    """GET /applies/:id/errored-state -> 307 to the state of an apply that could not store it in the workspace.

    Raises:
        NotFound: 404, the state was stored, or the apply has not finished.
    """
    with request.backend.database.read() as session:
        phase = _phase(session, request)
        run = find(session, RunRow, id=phase.run_id)
    if not is_final(run.status) or not request.backend.objects.path("errored-state", phase.id).exists():
        raise NotFound("not found")
    return ApiResponse(307, headers={"location": request.context.signed_url("read", "errored-state", phase.id)})


def _phase(session: AnySession, request: ApiRequest) -> PhaseRow:
    kind = request.path["kind"]
    if "run_id" in request.path:
        run = find_run(session, request.path["run_id"])
        return session.scalars(select(PhaseRow).where(PhaseRow.run_id == run.id, PhaseRow.kind == kind)).one()
    return find(session, PhaseRow, id=request.path["id"], kind=kind)


def phase_resource(session: AnySession, context: RequestContext, phase: PhaseRow) -> ResourceObject:
    """The plan or apply of a run, with a signed URL of its log."""
    attributes: dict[str, JSON] = {
        "status": phase.status,
        "status-timestamps": phase.status_timestamps,
        "log-read-url": context.signed_url("read", "log", phase.id),
        "resource-additions": phase.resource_additions,
        "resource-changes": phase.resource_changes,
        "resource-destructions": phase.resource_destructions,
        "resource-imports": phase.resource_imports,
        "execution-details": {"mode": "remote"},
    }
    if phase.kind == "apply":
        states = linkages("state-versions", session.scalars(_STATES, {"run_id": phase.run_id}))
        uncounted = {"action-invocations": None, "action-failures": None}  # nullable; not counted here
        return ResourceObject("applies", phase.id, attributes | uncounted, {"state-versions": states})
    attributes |= {
        "has-changes": bool(phase.has_changes),
        "generated-configuration": phase.generated_configuration,
        "structured-run-output-enabled": True,
        "actions": {"is-exportable": False},
        "permissions": {"can-export": False},
    }
    return ResourceObject("plans", phase.id, attributes, {"state-versions": [], "exports": []})

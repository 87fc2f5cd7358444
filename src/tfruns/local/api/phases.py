"""Plans and applies. Source: HCP Terraform API, "Plans", "Applies"."""

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from tfruns.errors import NotFound
from tfruns.jsonapi import JSON, ResourceObject, linkages
from tfruns.lifecycle import is_final
from tfruns.local.api.request import Call, Scope
from tfruns.local.api.response import Reply, resource_reply
from tfruns.local.service.find import find, find_run
from tfruns.local.store.schema import PhaseRow, RunRow, StateVersionRow

_STATES = select(StateVersionRow.id).where(StateVersionRow.run_id == bindparam("run_id"))


def read(call: Call) -> Reply:
    """GET /plans/:id, GET /applies/:id, GET /runs/:run_id/plan, GET /runs/:run_id/apply -> 200."""
    with call.backend.database.read() as session:
        return resource_reply(phase_resource(session, call.scope, _phase(session, call)))


def json_output(call: Call) -> Reply:
    """GET /plans/:id/json-output -> 204 until the plan is done, then 307 to the document."""
    return _document(call, "plan-json")


def json_output_redacted(call: Call) -> Reply:
    """GET /plans/:id/json-output-redacted -> 204 until the plan is done, then 307 to the document."""
    return _document(call, "plan-json-redacted")


def _document(call: Call, kind: str) -> Reply:
    with call.backend.database.read() as session:
        phase = _phase(session, call)
    if not call.backend.objects.path(kind, phase.id).exists():
        return Reply(204)
    return Reply(307, headers={"location": call.scope.signed("read", kind, phase.id)})


def errored_state(call: Call) -> Reply:
    """GET /applies/:id/errored-state -> 307 to the state of an apply that failed and could not store it.

    Raises:
        NotFound: 404, there is none: the state was stored, which is what happens here whenever it can be.
    """
    with call.backend.database.read() as session:
        phase = _phase(session, call)
        run = find(session, RunRow, RunRow.id == phase.run_id)
    if not is_final(run.status) or not call.backend.objects.path("errored-state", phase.id).exists():
        raise NotFound("not found")
    return Reply(307, headers={"location": call.scope.signed("read", "errored-state", phase.id)})


def _phase(session: Session, call: Call) -> PhaseRow:
    kind = call.path["kind"]
    if "run_id" in call.path:
        run = find_run(session, call.path["run_id"])
        return session.scalars(select(PhaseRow).where(PhaseRow.run_id == run.id, PhaseRow.kind == kind)).one()
    return find(session, PhaseRow, PhaseRow.id == call.path["id"], PhaseRow.kind == kind)


def phase_resource(session: Session, scope: Scope, phase: PhaseRow) -> ResourceObject:
    """The plan or the apply of a run, with an address of its log that is good for a while."""
    attributes: dict[str, JSON] = {
        "status": phase.status,
        "status-timestamps": phase.status_timestamps,
        "log-read-url": scope.signed("read", "log", phase.id),
        "resource-additions": phase.resource_additions,
        "resource-changes": phase.resource_changes,
        "resource-destructions": phase.resource_destructions,
        "resource-imports": phase.resource_imports,
        "execution-details": {"mode": "remote"},
    }
    if phase.kind == "apply":
        states = linkages("state-versions", session.scalars(_STATES, {"run_id": phase.run_id}))
        uncounted = {"action-invocations": None, "action-failures": None}  # nullable; nobody counts them here
        return ResourceObject("applies", phase.id, attributes | uncounted, {"state-versions": states})
    attributes |= {
        "has-changes": bool(phase.has_changes),
        "generated-configuration": phase.generated_configuration,
        "structured-run-output-enabled": True,
        "actions": {"is-exportable": False},
        "permissions": {"can-export": False},
    }
    return ResourceObject("plans", phase.id, attributes, {"state-versions": [], "exports": []})

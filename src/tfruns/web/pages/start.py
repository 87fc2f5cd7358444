"""The form that starts a run in a workspace.

What the person typed is kept if the run is not created. A run that destroys everything is confirmed in a second step,
which shows what is at stake.
"""

from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.responses import RedirectResponse, Response

from tfruns.errors import Declined, InvalidInput, RefusedByMode, TfrunsError
from tfruns.hcl.assignments import read_assignments
from tfruns.views.runs import RunView
from tfruns.web.decisions import Decision, decided_person, decision_of
from tfruns.web.forms import read_form, respond_once
from tfruns.web.pages.workspace import names, reference
from tfruns.web.visit import Visit

_TOOL = "create_run"
_KINDS: Mapping[str, Mapping[str, bool]] = {
    "plan_and_apply": {},
    "plan_only": {"plan_only": True},
    "refresh_only": {"refresh_only": True},
    "destroy": {"is_destroy": True},
}
_FIELDS = ("kind", "message", "variables", "target", "replace")
_CONFIRM = "Nothing has been sent yet. Read what is at stake, then confirm."


async def start_page(visit: Visit) -> Response:
    """The empty form, or one that a link fills in.

    Raises:
        RefusedByMode: the mode of the pages forbids runs.
    """
    if not visit.permits(_TOOL):
        raise RefusedByMode("These pages cannot start a run: they are read-only.")
    return _page(visit, {name: visit.query(name) for name in _FIELDS})


async def start_run(visit: Visit) -> Response:
    """Create the run of a form."""
    form = await read_form(visit.request, visit.session)
    return await respond_once(visit.session, form, partial(_start, visit, form))


async def _start(visit: Visit, form: Mapping[str, str]) -> Response:
    typed = {name: form.get(name, "") for name in _FIELDS}
    person = decided_person(visit, form, _TOOL, visit.path("workspace"))
    try:
        params = _params(typed)
        run = await visit.call(_TOOL, RunView, person=person, workspace_id=reference(visit), params=params)
    except Declined:
        confirm = decision_of(_TOOL, "Start the run", person.impact)
        return _page(visit, typed, person.refusal(_CONFIRM), HTTPStatus.CONFLICT, confirm)
    except TfrunsError as error:
        is_invalid = isinstance(error, InvalidInput)
        return _page(visit, typed, str(error), error.status or (400 if is_invalid else HTTPStatus.BAD_GATEWAY))
    return RedirectResponse(visit.request.url_for("run", **names(visit), run=run.id).path, HTTPStatus.SEE_OTHER)


def _page(
    visit: Visit,
    typed: Mapping[str, str],
    problem: str = "",
    status: int = HTTPStatus.OK,
    confirm: Decision | None = None,
) -> Response:
    return visit.page(
        "workspace_start",
        "Start a run",
        status=status,
        **names(visit),
        typed={**typed, "kind": typed["kind"] if typed["kind"] in _KINDS else "plan_and_apply"},
        problem=problem,
        confirm=confirm,
    )


def _params(typed: Mapping[str, str]) -> dict[str, Any]:
    """The options of the run.

    Raises:
        InvalidInput: the kind is unknown, or the variables are not assignments.
    """
    if typed["kind"] not in _KINDS:
        raise InvalidInput("The run type is unknown.", solution="Choose one of the listed types.")
    params: dict[str, Any] = dict(_KINDS[typed["kind"]])
    if message := typed["message"].strip():
        params["message"] = message
    for field, name in (("target", "target_addrs"), ("replace", "replace_addrs")):
        if addresses := [line.strip() for line in typed[field].splitlines() if line.strip()]:
            params[name] = addresses
    if variables := _variables(typed["variables"]):
        params["variables"] = variables
    return params


def _variables(text: str) -> list[dict[str, str]]:
    try:
        return [{"key": key, "value": value} for key, value in read_assignments(text.replace("\r\n", "\n"))]
    except (ValueError, RecursionError) as error:
        why = "they are nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InvalidInput(
            f"The variables cannot be read: {why}.",
            solution='Write one assignment of a literal per line, such as size = 2 or name = "a".',
        ) from None

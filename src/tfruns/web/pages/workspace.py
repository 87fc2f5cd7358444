"""The pages of one workspace: its runs and lock, its state, and its settings."""

import asyncio
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Any

from starlette.responses import RedirectResponse, Response

from tfruns.errors import Declined, InvalidInput, NotFound, TfrunsError
from tfruns.views.runs import RunPage
from tfruns.views.workspaces import LockView, WorkspacePartPage, WorkspaceView
from tfruns.web.decisions import Decision, decided_person, decision
from tfruns.web.forms import read_form, respond_once
from tfruns.web.visit import Visit

_LOCK = "set_workspace_lock"
_PAGE_SIZE = 20
_CHANGED = "The lock or the runs that wait for it have changed since this page was loaded. Nothing was sent."
_ACTIONS = {"lock": "Lock", "unlock": "Unlock", "force_unlock": "Force-unlock"}
FILTERS: Mapping[str, str] = {
    "search": "search_basic",
    "status": "filter_status",
    "operation": "filter_operation",
    "since": "since",
}
"""The filters of the list of runs, and the arguments of the tool."""


async def workspace_page(visit: Visit) -> Response:
    """The runs of a workspace, newest first, and its lock."""
    return await _runs_page(visit)


async def change_lock(visit: Visit) -> Response:
    """Lock or unlock the workspace. The page is shown again, with the reason if nothing was sent."""
    form = await read_form(visit.request, visit.session)
    action, reason = form.get("action", ""), form.get("reason", "")
    if form.get("tool") != _LOCK or action not in _ACTIONS:
        raise NotFound("This decision does not exist.")
    return await respond_once(visit.session, form, partial(_change_lock, visit, form, action, reason))


async def _change_lock(visit: Visit, form: Mapping[str, str], action: str, reason: str) -> Response:
    person = decided_person(visit, form, _LOCK, visit.path("workspace"))
    try:
        await visit.call(_LOCK, LockView, person=person, workspace_id=reference(visit), action=action, reason=reason)
    except Declined:
        return await _runs_page(visit, person.refusal(_CHANGED), HTTPStatus.CONFLICT)
    except TfrunsError as error:
        try:
            return await _runs_page(visit, str(error), error.status or HTTPStatus.CONFLICT)
        except TfrunsError:
            raise error from None  # it may tell that the change was sent
    return RedirectResponse(visit.request.url.path, HTTPStatus.SEE_OTHER)


async def state_page(visit: Visit) -> Response:
    """The outputs and resources of the current state. Sensitive values are masked."""
    search = visit.query("search")
    outputs, resources = await asyncio.gather(
        _part(visit, "outputs", search, visit.page_number("outputs_page")),
        _part(visit, "resources", search, visit.page_number()),
    )
    return visit.page("workspace_state", "State", **names(visit), outputs=outputs, resources=resources, search=search)


async def settings_page(visit: Visit) -> Response:
    """The settings and the variables of a workspace. Sensitive values are never shown."""
    found, variables = await asyncio.gather(read_workspace(visit), _part(visit, "variables", "", visit.page_number()))
    return visit.page("workspace_settings", "Settings", **names(visit), found=found, variables=variables)


def names(visit: Visit) -> dict[str, Any]:
    """The organization and the workspace of the request."""
    return {"organization": visit.path("organization"), "workspace": visit.path("workspace")}


def reference(visit: Visit) -> str:
    """The workspace of the request, for tools."""
    return f"{visit.path('organization')}/{visit.path('workspace')}"


async def read_workspace(visit: Visit) -> WorkspaceView:
    """The workspace of the request."""
    return await visit.call("get_workspace_details", WorkspaceView, workspace_id=reference(visit))


async def _part(visit: Visit, part: str, search: str, number: int) -> WorkspacePartPage:
    return await visit.call(
        "get_workspace_details",
        WorkspacePartPage,
        workspace_id=reference(visit),
        part=part,
        search=search,
        page_number=number,
        page_size=50,
    )


async def _runs_page(visit: Visit, problem: str = "", status: int = HTTPStatus.OK) -> Response:
    filters = {name: visit.query(name) for name in FILTERS}
    found, runs = await asyncio.gather(read_workspace(visit), _runs(visit, filters))
    is_invalid = isinstance(runs, TfrunsError)
    return visit.page(
        "workspace",
        found.name or visit.path("workspace"),
        status=HTTPStatus.BAD_REQUEST if is_invalid else status,
        **names(visit),
        found=found,
        runs=runs,
        filters=filters,
        locks=await _lock_decisions(visit, found),
        problem=problem,
    )


async def _runs(visit: Visit, filters: Mapping[str, str]) -> RunPage | InvalidInput:
    arguments: dict[str, Any] = {FILTERS[name]: value for name, value in filters.items() if value}
    try:
        return await visit.call(
            "list_runs_in_workspace",
            RunPage,
            workspace_id=reference(visit),
            page_number=visit.page_number(),
            page_size=_PAGE_SIZE,
            **arguments,
        )
    except InvalidInput as error:
        return error


async def _lock_decisions(visit: Visit, found: WorkspaceView) -> list[tuple[str, Decision]]:
    """The changes of the lock that the page offers."""
    if found.locked is None or not visit.permits(_LOCK):
        return []
    is_held_by_run = (found.locked_by or "").startswith("run-")
    actions = ["lock"] if not found.locked else ["force_unlock"] if is_held_by_run else ["unlock", "force_unlock"]
    needed = {"lock": "lock", "unlock": "lock", "force_unlock": "force-unlock"}
    client = visit.session.visitor.gate.client
    return [
        (action, await decision(client, _LOCK, _ACTIONS[action], _arguments(found, action)))
        for action in actions
        if not found.permissions or needed[action] in found.permissions
    ]


def _arguments(found: WorkspaceView, action: str) -> dict[str, str]:
    return {"workspace_id": found.id, "action": action, "reason": ""}

"""One successful call of each of the nine tools, the responses of the API, and the result."""

from dataclasses import dataclass
from typing import Any

from tests.support import samples
from tests.support.api import accepted, answer
from tests.support.http_api import HttpApi

RUN = samples.RUN_ID
WORKSPACE = samples.WORKSPACE_ID
EARLIER_RUN = "run-Earlier000000001"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool.

    Attributes:
        tool: its name.
        arguments: its arguments.
        request: the method and path of its characteristic request.
        says: fields of the result.
    """

    tool: str
    arguments: dict[str, Any]
    request: tuple[str, str]
    says: dict[str, Any]

    def __str__(self) -> str:
        return self.tool


_ACTIONS = f"/api/v2/runs/{RUN}/actions"
_DONE = {"id": RUN, "status": "planned", "accepted": True}

CALLS = (
    Call(
        "create_run",
        {"workspace_id": WORKSPACE, "params": {"message": "Custom message", "plan_only": False}},
        ("POST", "/api/v2/runs"),
        {"id": RUN, "status": "planned", "workspace_name": "network"},
    ),
    Call(
        "list_runs_in_workspace",
        {"workspace_id": WORKSPACE, "filter_status": "pending"},
        ("GET", f"/api/v2/workspaces/{WORKSPACE}/runs"),
        {"page": 1, "next_page": None, "total_count": 2},
    ),
    Call(
        "list_runs_in_organization",
        {"organization": "acme", "page_size": 1},
        ("GET", "/api/v2/organizations/acme/runs"),
        {"page": 1, "next_page": 2},
    ),
    Call(
        "get_run_details",
        {"run_id": RUN},
        ("GET", f"/api/v2/runs/{RUN}"),
        {"id": RUN, "status": "planned", "workspace_id": WORKSPACE, "created_by": "operator"},
    ),
    Call("apply_run", {"run_id": RUN, "comment": "reviewed"}, ("POST", f"{_ACTIONS}/apply"), _DONE),
    Call("discard_run", {"run_id": RUN}, ("POST", f"{_ACTIONS}/discard"), _DONE),
    Call("cancel_run", {"run_id": RUN}, ("POST", f"{_ACTIONS}/cancel"), _DONE),
    Call("force_cancel_run", {"run_id": RUN}, ("POST", f"{_ACTIONS}/force-cancel"), _DONE),
    Call(
        "force_execute_run",
        {"run_id": RUN},
        ("POST", f"{_ACTIONS}/force-execute"),
        _DONE | {"displaced": [{"id": EARLIER_RUN, "status": "canceled"}]},
    ),
)


def script(api: HttpApi) -> None:
    """Script the responses of the API for all of these calls."""
    included = [samples.workspace(), samples.user()]
    # Each action is possible, although no real run permits all of them at the same time.
    run = samples.planned(actions=samples.actions("confirmable", "discardable", "cancelable", "force-cancelable"))
    earlier = {"created_at": "2021-05-24T07:00:00.000Z"}
    before = samples.page(run, samples.run(EARLIER_RUN, **earlier), total=2)
    after = samples.page(run, samples.run(EARLIER_RUN, status="canceled", **earlier), total=2)
    api.on("POST", "/runs", answer({"data": run}, 201))
    api.on("GET", f"/runs/{RUN}", answer({"data": run, "included": included}))
    api.on("GET", f"/workspaces/{WORKSPACE}/runs", answer(before), answer(after))
    api.on("GET", "/organizations/acme/runs", answer({**samples.page(run, next_page=2), "included": included}))
    api.on("GET", f"/plans/{samples.PLAN_ID}/json-output", answer(samples.plan_json()))
    for action in ("apply", "discard", "cancel", "force-cancel", "force-execute"):
        api.on("POST", f"/runs/{RUN}/actions/{action}", accepted())

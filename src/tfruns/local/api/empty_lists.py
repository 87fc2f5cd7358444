"""Lists of resources that the local backend does not support: each returns an empty page, as documented."""

from tfruns.local.api.request import ApiRequest
from tfruns.local.api.response import ApiResponse, list_response
from tfruns.local.service.find import find, find_organization, find_run, find_workspace
from tfruns.local.store.schema import OrganizationRow

EMPTY_LISTS = (
    *(f"/organizations/{{organization}}/{name}" for name in (
        "agent-pools", "teams", "varsets", "policies", "policy-sets", "ssh-keys", "oauth-clients", "tasks",
    )),
    *(f"/workspaces/{{workspace_id}}/{name}" for name in (
        "varsets", "applicable-varsets", "run-triggers", "notification-configurations", "tasks", "assessment-results",
    )),
    *(f"/projects/{{project_id}}/{name}" for name in ("varsets", "tag-bindings", "effective-tag-bindings")),
    *(f"/runs/{{run_id}}/{name}" for name in ("policy-checks", "task-stages", "tf-policy-evaluations")),
    "/team-workspaces", "/team-projects",
)  # fmt: skip
"""The paths of the lists."""


def list_nothing(request: ApiRequest) -> ApiResponse:
    """GET …/teams, …/agent-pools, …/varsets and the like -> 200.

    Raises:
        NotFound: 404, the organization, project, workspace or run of the path does not exist.
    """
    page, path = request.page(), request.path
    with request.backend.database.read() as session:
        if "organization" in path:
            find_organization(session, path["organization"])
        if "project_id" in path:
            find(session, OrganizationRow, default_project_id=path["project_id"])
        if "workspace_id" in path:
            find_workspace(session, path["workspace_id"])
        if "run_id" in path:
            find_run(session, path["run_id"])
    return list_response([], page, total=0)

"""The API of the local backend as one table: which function serves which endpoint."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tfruns.local.api import (
    activity,
    configuration_versions,
    includes,
    managed_resources,
    organizations,
    phases,
    remote_state,
    runs,
    state_versions,
    tags,
    users,
    variables,
    workspaces,
)
from tfruns.local.api.empty_lists import EMPTY_LISTS, list_nothing
from tfruns.local.api.request import IGNORED_INCLUDES, NO_INCLUDES, ApiRequest, Includes
from tfruns.local.api.response import ApiResponse

Handler = Callable[[ApiRequest], ApiResponse]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path below `/api/v2`.

    Attributes:
        method: the HTTP method.
        path: the path, with the names of its variable parts in braces.
        handler: the function that serves the endpoint.
        path_constants: further values for the handler's `request.path`, the same for each request.
        is_run_list: whether the lower rate limit for run lists applies.
        includes: the related resources that a request can include; naming others is an error.
        accepts_state: whether the body may contain a state, which is large.
        allows_run_token: whether a run can use the endpoint with its run token; see
            `remote_state.check_run_token_access`.
    """

    method: str
    path: str
    handler: Handler
    path_constants: Mapping[str, str] = field(default_factory=dict)
    is_run_list: bool = False
    includes: Includes = NO_INCLUDES
    accepts_state: bool = False
    allows_run_token: bool = False


_ORG = "/organizations/{organization}"
_WS = "/workspaces/{workspace_id}"
_WS_NAMED = _ORG + "/workspaces/{name}"
_CONSUMERS = _WS + "/relationships/remote-state-consumers"
_RUN = "/runs/{run_id}"
_CONFIGURATIONS = "/configuration-versions"
_CONFIGURATION = _CONFIGURATIONS + "/{id}"
_PLAN = {"kind": "plan"}
_APPLY = {"kind": "apply"}

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/ping", users.read_ping, allows_run_token=True),
    Endpoint("GET", "/account/details", users.read_account),
    # organizations
    Endpoint("GET", "/organizations", organizations.list_organizations),
    Endpoint("POST", "/organizations", organizations.create_organization),
    Endpoint("GET", _ORG, organizations.read_organization),
    Endpoint("PATCH", _ORG, organizations.update_organization),
    Endpoint("DELETE", _ORG, organizations.delete_organization),
    Endpoint("GET", _ORG + "/tags", tags.list_organization_tags),
    Endpoint("DELETE", _ORG + "/tags", tags.remove_organization_tags),
    Endpoint("POST", "/tags/{id}/relationships/workspaces", tags.add_workspaces_to_tag),
    Endpoint("GET", _ORG + "/entitlement-set", organizations.read_entitlement_set, allows_run_token=True),
    Endpoint("GET", _ORG + "/runs/queue", organizations.read_run_queue),
    Endpoint("GET", _ORG + "/capacity", organizations.read_capacity),
    Endpoint("GET", _ORG + "/projects", organizations.list_projects),
    Endpoint("GET", "/projects/{project_id}", organizations.read_project),
    # workspaces
    Endpoint("GET", _ORG + "/workspaces", workspaces.list_workspaces, includes=includes.OF_WORKSPACES),
    Endpoint("POST", _ORG + "/workspaces", workspaces.create_workspace),
    Endpoint("GET", _WS_NAMED, workspaces.read_workspace, allows_run_token=True, includes=includes.OF_WORKSPACES),
    Endpoint("PATCH", _WS_NAMED, workspaces.update_workspace),
    Endpoint("DELETE", _WS_NAMED, workspaces.delete_workspace),
    Endpoint("POST", _WS_NAMED + "/actions/safe-delete", workspaces.safe_delete_workspace),
    Endpoint("GET", _WS, workspaces.read_workspace, allows_run_token=True, includes=includes.OF_WORKSPACES),
    Endpoint("PATCH", _WS, workspaces.update_workspace),
    Endpoint("DELETE", _WS, workspaces.delete_workspace),
    Endpoint("POST", _WS + "/actions/safe-delete", workspaces.safe_delete_workspace),
    Endpoint("POST", _WS + "/actions/lock", workspaces.lock_workspace),
    Endpoint("POST", _WS + "/actions/unlock", workspaces.unlock_workspace),
    Endpoint("POST", _WS + "/actions/force-unlock", workspaces.force_unlock_workspace),
    Endpoint("GET", _WS + "/tag-bindings", tags.list_tag_bindings),
    Endpoint("PATCH", _WS + "/tag-bindings", tags.add_tag_bindings),
    Endpoint("GET", _WS + "/effective-tag-bindings", tags.list_effective_tag_bindings),
    Endpoint("GET", _WS + "/relationships/tags", tags.list_tags),
    Endpoint("POST", _WS + "/relationships/tags", tags.add_tags),
    Endpoint("DELETE", _WS + "/relationships/tags", tags.remove_tags),
    Endpoint("GET", _CONSUMERS, remote_state.list_consumers),
    Endpoint("POST", _CONSUMERS, remote_state.add_consumers),
    Endpoint("PATCH", _CONSUMERS, remote_state.replace_consumers),
    Endpoint("DELETE", _CONSUMERS, remote_state.remove_consumers),
    Endpoint("GET", _WS + "/vars", variables.list_variables),
    Endpoint("GET", _WS + "/all-vars", variables.list_variables),
    Endpoint("POST", _WS + "/vars", variables.create_variable),
    Endpoint("GET", _WS + "/vars/{variable_id}", variables.read_variable),
    Endpoint("PATCH", _WS + "/vars/{variable_id}", variables.update_variable),
    Endpoint("DELETE", _WS + "/vars/{variable_id}", variables.delete_variable),
    Endpoint("GET", "/vars", variables.list_variables),
    Endpoint("POST", "/vars", variables.create_variable),
    Endpoint("PATCH", "/vars/{variable_id}", variables.update_variable),
    Endpoint("DELETE", "/vars/{variable_id}", variables.delete_variable),
    Endpoint("GET", _WS + "/resources", managed_resources.list_resources),
    # configuration versions
    Endpoint(
        "GET",
        _WS + _CONFIGURATIONS,
        configuration_versions.list_configuration_versions,
        includes=includes.OF_CONFIGURATIONS,
    ),
    Endpoint("POST", _WS + _CONFIGURATIONS, configuration_versions.create_configuration_version),
    Endpoint(
        "GET", _CONFIGURATION, configuration_versions.read_configuration_version, includes=includes.OF_CONFIGURATIONS
    ),
    Endpoint("GET", _CONFIGURATION + "/download", configuration_versions.download_configuration_version),
    Endpoint("POST", _CONFIGURATION + "/actions/archive", configuration_versions.archive_configuration_version),
    Endpoint(
        "GET",
        _RUN + "/configuration-version",
        configuration_versions.read_configuration_version,
        includes=includes.OF_CONFIGURATIONS,
    ),
    Endpoint("GET", _RUN + "/configuration-version/download", configuration_versions.download_configuration_version),
    # runs
    Endpoint("POST", "/runs", runs.create_run),
    Endpoint("GET", _RUN, runs.read_run, includes=includes.OF_RUNS),
    Endpoint("GET", _WS + "/runs", runs.list_workspace_runs, is_run_list=True, includes=includes.OF_RUNS),
    Endpoint("GET", _ORG + "/runs", runs.list_organization_runs, is_run_list=True, includes=includes.OF_RUNS),
    *(
        Endpoint("POST", f"{_RUN}/actions/{action}", runs.perform_run_action, {"action": action})
        for action in ("apply", "discard", "cancel", "force-cancel", "force-execute")
    ),
    # plans and applies
    Endpoint("GET", "/plans/{id}", phases.read_phase, _PLAN),
    Endpoint("GET", "/plans/{id}/json-output", phases.read_json_output, _PLAN),
    Endpoint("GET", "/plans/{id}/json-output-redacted", phases.read_redacted_json_output, _PLAN),
    Endpoint("GET", _RUN + "/plan", phases.read_phase, _PLAN),
    Endpoint("GET", _RUN + "/plan/json-output", phases.read_json_output, _PLAN),
    Endpoint("GET", _RUN + "/apply", phases.read_phase, _APPLY),
    Endpoint("GET", "/applies/{id}", phases.read_phase, _APPLY),
    Endpoint("GET", "/applies/{id}/errored-state", phases.read_errored_state, _APPLY),
    # comments, run events, users
    Endpoint("GET", _RUN + "/comments", activity.list_comments),
    Endpoint("POST", _RUN + "/comments", activity.create_comment),
    Endpoint("GET", "/comments/{id}", activity.read_comment),
    Endpoint("GET", _RUN + "/run-events", activity.list_run_events, includes=includes.OF_RUN_EVENTS),
    Endpoint("GET", "/run-events/{id}", activity.read_run_event, includes=includes.OF_RUN_EVENTS),
    Endpoint("GET", "/users/{id}", users.read_user),
    # state versions
    Endpoint("GET", "/state-versions", state_versions.list_state_versions, includes=includes.OF_STATES),
    Endpoint("POST", _WS + "/state-versions", state_versions.create_state_version, accepts_state=True),
    Endpoint("PATCH", _WS + "/state-versions", state_versions.roll_back_state),
    Endpoint(
        "GET",
        _WS + "/current-state-version",
        state_versions.read_current_state_version,
        allows_run_token=True,
        includes=includes.OF_STATES,
    ),
    Endpoint("GET", _WS + "/current-state-version-outputs", state_versions.list_current_outputs, allows_run_token=True),
    Endpoint(
        "GET",
        "/state-versions/{id}",
        state_versions.read_state_version,
        allows_run_token=True,
        includes=includes.OF_STATES,
    ),
    Endpoint("GET", "/state-versions/{id}/download", state_versions.download_state_version, allows_run_token=True),
    Endpoint("GET", "/state-versions/{id}/outputs", state_versions.list_outputs, allows_run_token=True),
    Endpoint("GET", "/state-version-outputs/{id}", state_versions.read_output, allows_run_token=True),
    # lists that are always empty
    *(Endpoint("GET", path, list_nothing, includes=IGNORED_INCLUDES) for path in EMPTY_LISTS),
)

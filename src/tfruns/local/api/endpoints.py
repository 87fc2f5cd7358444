"""Which path is served by which function: the API of the local backend at a glance."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tfruns.local.api import (
    activity,
    configuration_versions,
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
from tfruns.local.api.includes import (
    CONFIGURATION_INCLUDES,
    RUN_EVENT_INCLUDES,
    RUN_INCLUDES,
    STATE_INCLUDES,
    WORKSPACE_INCLUDES,
)
from tfruns.local.api.request import ANY_INCLUDE, NO_INCLUDES, Call, Includes
from tfruns.local.api.response import Reply

Handler = Callable[[Call], Reply]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path below `/api/v2`.

    Attributes:
        method: the HTTP method.
        path: the path, with names for its variable parts.
        handler: the function that serves it.
        fixed: parts of the path that are constant, under the names that the handler knows.
        is_run_list: whether the lower rate limit of run lists applies.
        includes: the related resources that can be included; asking for another one is an error.
        takes_state: whether the body can be a state, which is large.
        is_open_to_runs: whether a run may use it with its own token; see `remote_state.check_run_may_read`.
    """

    method: str
    path: str
    handler: Handler
    fixed: Mapping[str, str] = field(default_factory=dict)
    is_run_list: bool = False
    includes: Includes = NO_INCLUDES
    takes_state: bool = False
    is_open_to_runs: bool = False


_ORG = "/organizations/{organization}"
_WS = "/workspaces/{workspace_id}"
_WS_NAMED = _ORG + "/workspaces/{name}"
_CONSUMERS = _WS + "/relationships/remote-state-consumers"
_RUN = "/runs/{run_id}"
_PLAN = {"kind": "plan"}
_APPLY = {"kind": "apply"}


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("GET", "/ping", users.ping, is_open_to_runs=True),
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
    Endpoint("GET", _ORG + "/entitlement-set", organizations.read_entitlements, is_open_to_runs=True),
    Endpoint("GET", _ORG + "/runs/queue", organizations.read_run_queue),
    Endpoint("GET", _ORG + "/capacity", organizations.read_capacity),
    Endpoint("GET", _ORG + "/projects", organizations.list_projects),
    Endpoint("GET", "/projects/{project_id}", organizations.read_project),
    # workspaces
    Endpoint("GET", _ORG + "/workspaces", workspaces.list_workspaces, includes=WORKSPACE_INCLUDES),
    Endpoint("POST", _ORG + "/workspaces", workspaces.create_workspace),
    Endpoint("GET", _WS_NAMED, workspaces.read_workspace, is_open_to_runs=True, includes=WORKSPACE_INCLUDES),
    Endpoint("PATCH", _WS_NAMED, workspaces.update_workspace),
    Endpoint("DELETE", _WS_NAMED, workspaces.delete_workspace),
    Endpoint("POST", _WS_NAMED + "/actions/safe-delete", workspaces.safe_delete_workspace),
    Endpoint("GET", _WS, workspaces.read_workspace, is_open_to_runs=True, includes=WORKSPACE_INCLUDES),
    Endpoint("PATCH", _WS, workspaces.update_workspace),
    Endpoint("DELETE", _WS, workspaces.delete_workspace),
    Endpoint("POST", _WS + "/actions/safe-delete", workspaces.safe_delete_workspace),
    Endpoint("POST", _WS + "/actions/lock", workspaces.lock_action),
    Endpoint("POST", _WS + "/actions/unlock", workspaces.unlock_action),
    Endpoint("POST", _WS + "/actions/force-unlock", workspaces.force_unlock_action),
    Endpoint("GET", _WS + "/tag-bindings", tags.list_bindings),
    Endpoint("PATCH", _WS + "/tag-bindings", tags.add_bindings),
    Endpoint("GET", _WS + "/effective-tag-bindings", tags.list_effective_bindings),
    Endpoint("GET", _WS + "/relationships/tags", tags.list_tags),
    Endpoint("POST", _WS + "/relationships/tags", tags.add_tags),
    Endpoint("DELETE", _WS + "/relationships/tags", tags.remove_tags),
    Endpoint("GET", _CONSUMERS, remote_state.list_consumers),
    Endpoint("POST", _CONSUMERS, remote_state.add),
    Endpoint("PATCH", _CONSUMERS, remote_state.replace),
    Endpoint("DELETE", _CONSUMERS, remote_state.remove),
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
    Endpoint("GET", _WS + "/resources", managed_resources.list_for_workspace),
    # configuration versions
    Endpoint(
        "GET",
        _WS + "/configuration-versions",
        configuration_versions.list_for_workspace,
        includes=CONFIGURATION_INCLUDES,
    ),
    Endpoint("POST", _WS + "/configuration-versions", configuration_versions.create),
    Endpoint("GET", "/configuration-versions/{id}", configuration_versions.read, includes=CONFIGURATION_INCLUDES),
    Endpoint("GET", "/configuration-versions/{id}/download", configuration_versions.download),
    Endpoint("POST", "/configuration-versions/{id}/actions/archive", configuration_versions.archive_action),
    Endpoint("GET", _RUN + "/configuration-version", configuration_versions.read, includes=CONFIGURATION_INCLUDES),
    Endpoint("GET", _RUN + "/configuration-version/download", configuration_versions.download),
    # runs
    Endpoint("POST", "/runs", runs.create),
    Endpoint("GET", _RUN, runs.read, includes=RUN_INCLUDES),
    Endpoint("GET", _WS + "/runs", runs.list_for_workspace, is_run_list=True, includes=RUN_INCLUDES),
    Endpoint("GET", _ORG + "/runs", runs.list_for_organization, is_run_list=True, includes=RUN_INCLUDES),
    *(
        Endpoint("POST", f"{_RUN}/actions/{action}", runs.act, {"action": action})
        for action in ("apply", "discard", "cancel", "force-cancel", "force-execute")
    ),
    # plans and applies
    Endpoint("GET", "/plans/{id}", phases.read, _PLAN),
    Endpoint("GET", "/plans/{id}/json-output", phases.json_output, _PLAN),
    Endpoint("GET", "/plans/{id}/json-output-redacted", phases.json_output_redacted, _PLAN),
    Endpoint("GET", _RUN + "/plan", phases.read, _PLAN),
    Endpoint("GET", _RUN + "/plan/json-output", phases.json_output, _PLAN),
    Endpoint("GET", _RUN + "/apply", phases.read, _APPLY),
    Endpoint("GET", "/applies/{id}", phases.read, _APPLY),
    Endpoint("GET", "/applies/{id}/errored-state", phases.errored_state, _APPLY),
    # what happened to runs
    Endpoint("GET", _RUN + "/comments", activity.list_comments),
    Endpoint("POST", _RUN + "/comments", activity.create_comment),
    Endpoint("GET", "/comments/{id}", activity.read_comment),
    Endpoint("GET", _RUN + "/run-events", activity.list_run_events, includes=RUN_EVENT_INCLUDES),
    Endpoint("GET", "/run-events/{id}", activity.read_run_event, includes=RUN_EVENT_INCLUDES),
    Endpoint("GET", "/users/{id}", users.read_user),
    # states
    Endpoint("GET", "/state-versions", state_versions.list_all, includes=STATE_INCLUDES),
    Endpoint("POST", _WS + "/state-versions", state_versions.create, takes_state=True),
    Endpoint("PATCH", _WS + "/state-versions", state_versions.roll_back),
    Endpoint(
        "GET",
        _WS + "/current-state-version",
        state_versions.read_current,
        is_open_to_runs=True,
        includes=STATE_INCLUDES,
    ),
    Endpoint("GET", _WS + "/current-state-version-outputs", state_versions.list_current_outputs, is_open_to_runs=True),
    Endpoint("GET", "/state-versions/{id}", state_versions.read, is_open_to_runs=True, includes=STATE_INCLUDES),
    Endpoint("GET", "/state-versions/{id}/download", state_versions.download, is_open_to_runs=True),
    Endpoint("GET", "/state-versions/{id}/outputs", state_versions.list_outputs, is_open_to_runs=True),
    Endpoint("GET", "/state-version-outputs/{id}", state_versions.read_output, is_open_to_runs=True),
    # what there is none of
    *(Endpoint("GET", path, list_nothing, includes=ANY_INCLUDE) for path in EMPTY_LISTS),
)

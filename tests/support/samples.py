"""Documents of the API, modeled on the samples in its reference."""

from typing import Any

RUN_ID = "run-CZcmD7eagjhyX0vN"
WORKSPACE_ID = "ws-LLGHCr4SWy28wyGN"
PLAN_ID = "plan-8F5JFydVYAmtTjET"
APPLY_ID = "apply-47MBvjwzBG8YKc2v"

_TO_ONE = {
    "apply": ("applies", APPLY_ID),
    "configuration-version": ("configuration-versions", "cv-n4XQPBa2QnecZJ4G"),
    "cost-estimate": ("cost-estimates", "ce-BPvFFrYCqRV6qVBK"),
    "created-by": ("users", "user-MA4GL63FmYRpSFxa"),
    "input-state-version": ("state-versions", "sv-bWfq4Y1YpRKW4mx7"),
    "plan": ("plans", PLAN_ID),
    "workspace": ("workspaces", WORKSPACE_ID),
}
_TO_MANY = {
    "run-events": [("run-events", "re-8sXcrdLZk8RGVrZo"), ("run-events", "re-vyhSKrRmLmmsZ1pM")],
    "policy-checks": [("policy-checks", "polchk-9VYRc9bpfJEsnwum")],
    "task-stages": [("task-stages", "ts-8tL3f1o2Vz5Zzq9a")],
    "comments": [],
}


def run(id_: str = RUN_ID, *, workspace_id: str = WORKSPACE_ID, **attributes: Any) -> dict[str, Any]:
    """A run resource with all its relationships. Attributes are given in snake_case; None omits one."""
    fields: dict[str, Any] = {
        "actions": {
            "is-cancelable": True,
            "is-confirmable": False,
            "is-discardable": False,
            "is-force-cancelable": False,
        },
        "canceled-at": None,
        "created-at": "2021-05-24T07:38:04.171Z",
        "has-changes": False,
        "auto-apply": False,
        "allow-empty-apply": False,
        "allow-config-generation": False,
        "is-destroy": False,
        "message": "Custom message",
        "plan-only": False,
        "source": "tfe-api",
        "status-timestamps": {"plan-queueable-at": "2021-05-24T07:38:04+00:00"},
        "status": "pending",
        "trigger-reason": "manual",
        "target-addrs": None,
        "permissions": {
            "can-apply": True,
            "can-cancel": True,
            "can-comment": True,
            "can-discard": True,
            "can-force-execute": True,
            "can-force-cancel": True,
            "can-override-policy-check": True,
        },
        "refresh": False,
        "refresh-only": False,
        "replace-addrs": None,
        "save-plan": False,
        "variables": [],
    }
    for name, value in attributes.items():
        fields[name.replace("_", "-")] = value
    to_one = dict(_TO_ONE, workspace=("workspaces", workspace_id))
    relationships: dict[str, Any] = {
        name: {"data": {"type": type_, "id": other}, "links": {"related": f"/api/v2/{type_}/{other}"}}
        for name, (type_, other) in to_one.items()
    }
    for name, others in _TO_MANY.items():
        relationships[name] = {
            "data": [{"type": type_, "id": other} for type_, other in others],
            "links": {"related": f"/api/v2/runs/{id_}/{name}"},
        }
    relationships["workspace-run-alerts"] = {"data": []}
    return {
        "id": id_,
        "type": "runs",
        "attributes": fields,
        "relationships": relationships,
        "links": {"self": f"/api/v2/runs/{id_}"},
    }


def actions(*possible: str) -> dict[str, bool]:
    """The `actions` of a run for which these (`confirmable`, `discardable`, ...) are possible."""
    names = ("cancelable", "confirmable", "discardable", "force-cancelable")
    return {f"is-{name}": name in possible for name in names}


def planned(id_: str = RUN_ID, **attributes: Any) -> dict[str, Any]:
    """A run that awaits confirmation."""
    possible = actions("confirmable", "discardable")
    return run(id_, **{"status": "planned", "has_changes": True, "actions": possible, **attributes})


def workspace(id_: str = WORKSPACE_ID, *, name: str = "network", **attributes: Any) -> dict[str, Any]:
    """A workspace resource. `locked_by` and `current_run` are (type, id) pairs."""
    relationships: dict[str, Any] = {"organization": {"data": {"type": "organizations", "id": "acme"}}}
    for relationship in ("locked-by", "current-run"):
        other = attributes.pop(relationship.replace("-", "_"), None)
        relationships[relationship] = {"data": {"type": other[0], "id": other[1]} if other else None}
    fields = {"name": name, "locked": False, "auto-apply": False}
    fields |= {key.replace("_", "-"): value for key, value in attributes.items()}
    return {"id": id_, "type": "workspaces", "attributes": fields, "relationships": relationships}


def user(id_: str = "user-MA4GL63FmYRpSFxa", *, username: str = "operator") -> dict[str, Any]:
    """A user resource."""
    return {"id": id_, "type": "users", "attributes": {"username": username}}


def comment(id_: str = "wsc-JdFX3u8o114F4CWf", *, body: str = "looks good") -> dict[str, Any]:
    """A comment resource."""
    return {"id": id_, "type": "comments", "attributes": {"body": body}}


def configuration_version(id_: str = "cv-n4XQPBa2QnecZJ4G", **attributes: Any) -> dict[str, Any]:
    """A configuration version resource, pending by default."""
    fields = {"status": "pending", "auto-queue-runs": False, "speculative": False, "error-message": None}
    fields |= {key.replace("_", "-"): value for key, value in attributes.items()}
    return {"id": id_, "type": "configuration-versions", "attributes": fields}


def policy_check(id_: str = "polchk-9VYRc9bpfJEsnwum", **attributes: Any) -> dict[str, Any]:
    """A Sentinel policy check that failed softly, and that this token may override."""
    fields = {
        "status": "soft_failed",
        "scope": "organization",
        "result": {"result": False, "passed": 0, "total-failed": 1, "hard-failed": 0, "soft-failed": 1},
        "actions": {"is-overridable": True},
        "permissions": {"can-override": True},
    }
    fields |= {key.replace("_", "-"): value for key, value in attributes.items()}
    return {"id": id_, "type": "policy-checks", "attributes": fields}


def task_stage(id_: str = "ts-rL5ZsuwfjqfPJcdi", **attributes: Any) -> dict[str, Any]:
    """A task stage that awaits an override, which this token may perform."""
    fields = {
        "status": "awaiting_override",
        "stage": "post_plan",
        "actions": {"is-overridable": True},
        "permissions": {"can-override": True, "can-override-policy": True, "can-override-tasks": False},
    }
    fields |= {key.replace("_", "-"): value for key, value in attributes.items()}
    return {"id": id_, "type": "task-stages", "attributes": fields}


def plan_json(**actions: list[str]) -> dict[str, Any]:
    """The JSON of a plan with actions, as in `plan_json(db=["delete", "create"])`; by default, one creation."""
    changes = [
        {
            "address": f"terraform_data.{name}",
            "mode": "managed",
            "type": "terraform_data",
            "name": name,
            "provider_name": "terraform.io/builtin/terraform",
            "change": {"actions": kinds, "before": None, "after": {}, "after_unknown": {}},
        }
        for name, kinds in (actions or {"new": ["create"]}).items()
    ]
    return {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": changes, "output_changes": {}}


def page(
    *resources: dict[str, Any], number: int = 1, next_page: int | None = None, total: int | None = None
) -> dict[str, Any]:
    """A list document, with totals if `total` is given."""
    pagination: dict[str, Any] = {
        "current-page": number,
        "page-size": 20,
        "prev-page": number - 1 if number > 1 else None,
        "next-page": next_page,
    }
    if total is not None:
        pagination |= {"total-count": total, "total-pages": -(-total // 20)}
    return {"data": list(resources), "meta": {"pagination": pagination}}

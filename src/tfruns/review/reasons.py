"""Terraform's reasons for changes, in plain words. Unknown reasons are quoted.

Sources: Terraform, "JSON Output Format"; the reasons of deferrals as `terraform plan` prints them.
"""

import json

from tfruns.masking.secrets import Secrets
from tfruns.review.plan_document import Action, Change, JSONObject
from tfruns.wording import CHANGE_REASONS

_QUOTED = 80  # characters of an unknown reason
_ADDRESS = 120

_DEFERRED = {
    "instance_count_unknown": "the number of instances is unknown",
    "resource_config_unknown": "the configuration is unknown",
    "provider_config_unknown": "the provider configuration is unknown",
    "absent_prereq": "a prerequisite has not been created yet",
    "deferred_prereq": "a prerequisite is deferred",
    "excluded": "it was excluded",
    "not_included": "it was not included",
    "unknown": "Terraform gives no reason",
}
_ORDERS: dict[tuple[str, ...], str] = {
    ("create", "delete"): "the new object is created before the old one is destroyed",
    ("create", "forget"): "the old object is forgotten, not destroyed",
    ("forget", "create"): "the old object is forgotten, not destroyed",
}
_EVENTS = {
    "BeforeCreate": "before {} is created",
    "AfterCreate": "after {} is created",
    "BeforeUpdate": "before {} is updated",
    "AfterUpdate": "after {} is updated",
    "BeforeDestroy": "before {} is destroyed",
    "AfterDestroy": "after {} is destroyed",
}


def explain(change: Change, secrets: Secrets) -> str:
    """Why a change is made, and in which order; empty if the plan contains no reason."""
    return "; ".join(part for part in _reasons(change, secrets) if part)


def _reasons(change: Change, secrets: Secrets) -> list[str]:
    parts = [_explain_trigger(change, secrets)] if change.is_invocation else []
    if change.reason:
        parts.append(CHANGE_REASONS.get(change.reason) or f"Terraform's reason: {_quoted(change.reason, secrets)}")
    if change.deferred:
        code = change.deferred
        reason = f"{_DEFERRED[code]} ({code})" if code in _DEFERRED else _quoted(code, secrets)
        parts.append(f"deferred to a later run: {reason}")
    if change.action is Action.REPLACE:
        parts.append(_ORDERS.get(change.actions, ""))
        if change.importing is not None and not change.is_forgetting_replacement:
            parts.append("this destroys the imported object")
    if change.action is Action.UNKNOWN:
        parts.append("tfruns does not recognize this action; review it in the browser")
    return parts


def _explain_trigger(change: Change, secrets: Secrets) -> str:
    """The trigger of an action: an event of a resource, or a request of the run."""
    lifecycle, request = change.source.get("lifecycle_action_trigger"), change.source.get("invoke_action_trigger")
    if isinstance(lifecycle, dict):
        return _lifecycle_trigger(lifecycle, secrets)
    if isinstance(request, dict):
        caller = request.get("calling_resource_address")
        target = f" for {_name(caller, secrets)}" if isinstance(caller, str) and caller else ""
        return f"the run requested its invocation{target}"
    return "the plan does not contain its trigger"


def _lifecycle_trigger(lifecycle: JSONObject, secrets: Secrets) -> str:
    event, address = lifecycle.get("action_trigger_event"), lifecycle.get("triggering_resource_address")
    name = _name(address, secrets) if isinstance(address, str) and address else "an unnamed resource"
    known = _EVENTS.get(event) if isinstance(event, str) else None
    text = known.format(name) if known else f"{_quoted(event, secrets)} of {name}"
    failure = lifecycle.get("on_failure")
    return f"{text}; on failure: {_quoted(failure, secrets)}" if failure else text


def _name(address: str, secrets: Secrets) -> str:
    return secrets.safe_line(address, _ADDRESS)


def _quoted(reason: object, secrets: Secrets) -> str:
    return json.dumps(secrets.safe_line(str(reason), _QUOTED), ensure_ascii=False)

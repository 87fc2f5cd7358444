"""Terraform's words for why it does something, as a person would say them. Source: Terraform, "JSON Output Format"."""

from tfruns.review.plan_document import Action, Change

_REASONS = {
    "replace_because_tainted": "it is tainted",
    "replace_because_cannot_update": "it cannot be changed in place",
    "replace_by_request": "the run was asked to replace it",
    "replace_by_triggers": "something in its replace_triggered_by changes",
    "delete_because_no_resource_config": "it is no longer in the configuration",
    "delete_because_wrong_repetition": "the configuration's count or for_each is not of its kind any more",
    "delete_because_count_index": "its index is beyond the count",
    "delete_because_each_key": "its key is no longer in for_each",
    "delete_because_no_module": "its module is no longer in the configuration",
    "delete_because_no_move_target": "it was to move to an address that is not in the configuration",
    "read_because_config_unknown": "what it depends on is known after the apply only",
    "read_because_dependency_pending": "what it depends on changes first",
    "read_because_check_nested": "a check reads it",
}
_DEFERRED = {
    "instance_count_unknown": "its count or for_each is not known yet",
    "resource_config_unknown": "its configuration is not known yet",
    "provider_config_unknown": "its provider's configuration is not known yet",
    "absent_prereq": "the provider needs something that does not exist yet",
    "deferred_prereq": "what it depends on is deferred",
}


def why(change: Change) -> str:
    """Why a change is made, and in which order; empty if nothing is said. Words that are not known are left out."""
    parts = [_REASONS.get(change.reason, "")]
    if change.deferred:
        parts.append(f"deferred to a later run: {_DEFERRED.get(change.deferred, 'something is not known yet')}")
    if change.action is Action.REPLACE:
        parts.append(_ORDERS.get(change.actions, ""))
    if change.action is Action.UNKNOWN:
        parts.append("tfruns does not know this kind of change; look at it in the browser")
    return "; ".join(part for part in parts if part)


_ORDERS: dict[tuple[str, ...], str] = {
    ("create", "delete"): "the new one is created before the old one is destroyed",
    ("create", "forget"): "the old one is not destroyed, only forgotten",
}

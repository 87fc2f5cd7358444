"""The changes of a plan, read from the output of `terraform show -json`. Source: Terraform, "JSON Output Format"."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

_NOTHING: tuple[list[str], ...] = (["no-op"], [])


@dataclass(frozen=True)
class ResourceCounts:
    """Numbers of changed resources. A replacement is one addition and one destruction."""

    additions: int = 0
    changes: int = 0
    destructions: int = 0
    imports: int = 0


def counts(plan: Document) -> ResourceCounts:
    """Count like Terraform's "Plan: 1 to add": managed resources only, without moved and forgotten resources."""
    managed = [resource["change"] for resource in resource_changes(plan) if resource.get("mode") == "managed"]
    actions = [change["actions"] for change in managed]
    return ResourceCounts(
        additions=sum("create" in action for action in actions),
        changes=sum("update" in action for action in actions),
        destructions=sum("delete" in action for action in actions),
        imports=sum(change.get("importing") is not None for change in managed),
    )


def has_changes(plan: Document, *, is_refresh_only: bool = False) -> bool:
    """Whether the plan has something to apply: resources, outputs, moves, imports, or the drift of a refresh-only plan.

    Terraform reports this as `applyable` since 1.8. OpenTofu and older versions do not.
    """
    applyable = plan.get("applyable")
    if isinstance(applyable, bool):
        return applyable
    outputs = any(change["actions"] not in _NOTHING for change in (plan.get("output_changes") or {}).values())
    if is_refresh_only:
        return outputs or bool(plan.get("resource_drift"))
    return outputs or any(_is_change(resource) for resource in resource_changes(plan))


def resource_changes(plan: Document) -> Iterable[Document]:
    """The changes of the resources."""
    changes: Iterable[Document] = plan.get("resource_changes") or []
    return changes


def _is_change(resource: Document) -> bool:
    change = resource["change"]
    return (
        change["actions"] not in _NOTHING
        or change.get("importing") is not None
        or resource.get("previous_address") is not None
    )

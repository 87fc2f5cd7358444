"""Builders of plan JSON in the format of `terraform show -json`."""

import json
import re
from typing import Any

from tfruns.review.plan_document import PlanDocument, read_plan_document

RUN_ID = "run-CZcmD7eagjhyX0vN"
PLAN_ID = "plan-8F5JFydVYAmtTjET"


def change(actions: list[str], before: Any = None, after: Any = None, **fields: Any) -> dict[str, Any]:
    """A change of a value without sensitive parts, unless marks are given."""
    marks: dict[str, Any] = {"before_sensitive": {}, "after_sensitive": {}}
    return {"actions": actions, "before": before, "after": after, **marks, **fields}


def resource(address: str = "aws_instance.web", actions: list[str] | None = None, **fields: Any) -> dict[str, Any]:
    """The entry of a resource. Fields that do not belong to the entry become part of its change."""
    last = re.sub(r"\[[^]]*\]", "", address).split(".")
    own = ("module_address", "mode", "index", "deposed", "action_reason", "previous_address", "type")
    return {
        "address": address,
        "mode": "managed",
        "type": last[-2],
        "name": last[-1],
        "provider_name": "registry.terraform.io/hashicorp/aws",
        **{name: value for name, value in fields.items() if name in own},
        "change": change(actions or ["update"], **{name: value for name, value in fields.items() if name not in own}),
    }


def plan(*resources: Any, **sections: Any) -> dict[str, Any]:
    """A complete plan."""
    return {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "resource_changes": list(resources),
        "complete": True,
        "errored": False,
        **sections,
    }


def document(*resources: Any, is_redacted: bool = False, **sections: Any) -> PlanDocument:
    """A complete plan, parsed."""
    source = json.loads(json.dumps(plan(*resources, **sections)))
    return read_plan_document(source, run_id=RUN_ID, plan_id=PLAN_ID, is_redacted=is_redacted)

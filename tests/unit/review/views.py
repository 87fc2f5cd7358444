"""Reviews of plans, for tests."""

from typing import Any

from tests.unit.review.plans import document, resource
from tfruns.masking.secrets import Secrets
from tfruns.review.review import review
from tfruns.review.summary import summarize


def view_of(*resources: Any, options: dict[str, Any] | None = None, **sections: Any) -> dict[str, Any]:
    read = document(*resources, **sections)
    secrets = Secrets.of_plan(read.source)
    return review(read, secrets, summarize(read, secrets), {"run_id": read.run_id}, **(options or {}))


def rows_of(*resources: Any, **sections: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = view_of(*resources, **sections)["rows"]
    return found


def lines_of(before: Any, after: Any, actions: list[str] | None = None, **fields: Any) -> list[str]:
    (row,) = rows_of(resource(actions=actions, before=before, after=after, **fields))
    found: list[str] = row.get("changes", [])
    return found

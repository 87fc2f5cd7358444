"""What clients require of a server of this API: one requirement a line, with its source, and the tests that show it.

The sources: `observed` with the Terraform CLI 1.11 and 1.15 by leaving the thing out; the `source` of a client; and the
written reference ("HCP Terraform API", by the title of its page and section).
"""

from collections.abc import Callable
from typing import TypeVar

TestT = TypeVar("TestT", bound=Callable[..., object])

_CLI = "observed, Terraform CLI: "
_PYTFE = "source of pytfe 1.5: "
_RUNS = "HCP Terraform API, Runs: "

REQUIREMENTS: dict[str, str] = {
    # what the Terraform CLI does not work without
    "discovery": _CLI + "every command begins with /.well-known/terraform.json; some clients want trailing slashes",
    "api-version": _CLI + "without TFP-API-Version of at least 2.5 init fails",
    "app-name": _CLI + "without TFP-AppName the structured plan is silently not shown",
    "entitlements": _CLI + "without entitlement-set.operations it executes locally, silently",
    "workspace-permissions": _CLI + "it panics without a workspace's permissions",
    "run-relationships": _CLI + "it panics without a run's relationships plan, apply and workspace",
    "run-actions": _CLI + "it panics without a run's actions",
    "has-changes": _CLI + "without has-changes apply does nothing, and exits with 0",
    "plan-status": _CLI + "without a plan's status it hangs",
    "log-read-url": _CLI + "log-read-url has to be there and absolute; the log needs no token",
    "upload-url": _CLI + "upload-url has to be absolute; it is shown on create only",
    "run-events": _CLI + "a 404 on run-events is fatal",
    "task-stages": _CLI + "a 400 on include=task_stages is fatal",
    "redacted-plan": _CLI + "a 404 on json-output-redacted is fatal where structured-run-output-enabled is true",
    "run-queue": _CLI + "a 404 on runs/queue is fatal for a run that is pending",
    "times": "source of go-tfe: created-at, canceled-at and force-cancel-available-at end in Z",
    "no-5xx": "source of go-tfe: it sends again after a 5xx, POST included, up to 30 times",
    # what other clients need
    "run-enums": _PYTFE + "an unknown status or source fails the whole list: never force_canceled",
    "run-permissions": _PYTFE + "if permissions are there, all five are needed",
    "configuration-timestamps": _PYTFE + "a configuration version's status-timestamps are not null",
    "attributes-for-relationships": _PYTFE + "workspace and configuration-version stand inside attributes on create",
    "empty-filters": _PYTFE + "sends filter[status]= for no filter",
    "hyphenated-includes": _PYTFE + "sends include=created-by",
    "actions-without-body": _PYTFE + "posts actions without a body, and a lock with only a reason",
    "null-body": "OpenAPI document: the body of an accepted action is null, and some clients parse it",
    "null-options": "source of clients: every option that was not given may be sent as null",
    "ids": "source of go-tfe and pytfe: an id is its prefix and 16 letters and digits",
    "error-documents": "JSON:API, Errors: status is a string; HCP Terraform API: title",
    # what a run does
    "actions-by-status": _RUNS + "the actions of a run's payload, by its status",
    "apply": _RUNS + "Apply a Run: only a run that waits for confirmation; confirmed-by is set then and not before",
    "discard": _RUNS + "Discard a Run: the workspace is free, and the next run proceeds",
    "cancel-pending": _RUNS + "Cancel a Run: a run that has not begun is canceled at once",
    "cancel-running": _RUNS + "Cancel a Run: interrupts; the status changes when the process has ended; once",
    "force-cancel": _RUNS + "Forcefully Cancel a Run: after a cancel, and its cool-off",
    "force-execute": _RUNS + "Forcefully Execute a Run: discards what holds the workspace; else 403 or 409",
    "comments": _RUNS + "an action's comment becomes a comment of the run and an event",
    "queue": "Run States and Stages, The Pending Stage: first in, first out for each workspace",
    "unqueued": "Run Modes and Options: plan-only runs and saved plans ignore the queue and the lock",
    "manual-lock": "HCP Terraform API, Workspaces, Lock a workspace: new runs are accepted and wait",
    "stale-plans": "Run Modes and Options, Saved Plans: discarded when the state changes",
    "default-configuration": _RUNS + "Create a Run: by default the latest that is neither speculative nor provisional",
    "foreign-configuration": _RUNS + "Create a Run: the configuration version may be another workspace's",
    "speculative-configuration": _RUNS + "Create a Run: a speculative configuration makes the run plan-only",
    "create-defaults": _RUNS + "Create a Run: defaults, and a new run has plan-queueable-at and events",
    "exclusive-options": _RUNS + "Create a Run: is-destroy and refresh-only exclude each other, 422",
    "auto-queue-runs": "HCP Terraform API, Configuration Versions: it queues a run unless auto-queue-runs is false",
    "run-source": _CLI + "source is terraform+cloud with the header X-Terraform-Integration: cloud",
    "provisional": "HCP Terraform API, Configuration Versions: a provisional one is not the workspace's current one",
    # errors and lists
    "not-found": "HCP Terraform API: 404 for what is absent, malformed or hidden, on reads and on actions",
    "unauthorized": "HCP Terraform API, Overview: 401 without a valid token",
    "unlock-conflict": "observed: 409 with the title conflict, and the run that has the lock",
    "bad-include": "HCP Terraform API, Overview: 400 for an include that there is not, which names the parameter",
    "rate-limit-headers": "source of go-tfe: X-RateLimit-Limit of ping is a rate for each second",
    "workspace-lists": _RUNS + "List Runs in a Workspace: plan-only runs are left out, and there are totals",
    "organization-lists": _RUNS + "List Runs in an Organization: no totals",
    "pages": "HCP Terraform API, Overview, Pagination: 20 by default, 100 at most, an empty page past the end",
}


def meets(*names: str) -> Callable[[TestT], TestT]:
    """Say which requirements a test shows."""

    def mark(test: TestT) -> TestT:
        test.__dict__["requirements"] = names
        return test

    return mark

"""The requirements of clients for a server of this API, each with its source.

Sources: `observed` with the Terraform CLI 1.11 and 1.15, after removing the feature; the `source` code of a client; the
written reference ("HCP Terraform API", with the titles of page and section).
"""

from collections.abc import Callable
from typing import TypeVar

TestT = TypeVar("TestT", bound=Callable[..., object])

_CLI = "observed, Terraform CLI: "
_PYTFE = "source of pytfe 1.5: "
_RUNS = "HCP Terraform API, Runs: "

REQUIREMENTS: dict[str, str] = {
    # requirements of the Terraform CLI
    "discovery": _CLI + "every command first requests /.well-known/terraform.json; some clients need trailing slashes",
    "api-version": _CLI + "without TFP-API-Version of at least 2.5 init fails",
    "app-name": _CLI + "without TFP-AppName it omits the structured plan silently",
    "entitlements": _CLI + "without entitlement-set.operations it silently executes the run locally",
    "workspace-permissions": _CLI + "it panics without a workspace's permissions",
    "run-relationships": _CLI + "it panics without a run's relationships plan, apply and workspace",
    "run-actions": _CLI + "it panics without a run's actions",
    "has-changes": _CLI + "without has-changes, apply does nothing and exits with 0",
    "plan-status": _CLI + "without a plan's status it hangs",
    "log-read-url": _CLI + "log-read-url is required and absolute; reading the log needs no token",
    "upload-url": _CLI + "upload-url is absolute; only the response to the creation contains it",
    "run-events": _CLI + "a 404 on run-events is fatal",
    "task-stages": _CLI + "a 400 on include=task_stages is fatal",
    "redacted-plan": _CLI + "a 404 on json-output-redacted is fatal if structured-run-output-enabled is true",
    "run-queue": _CLI + "a 404 on runs/queue is fatal for a pending run",
    "times": "source of go-tfe: created-at, canceled-at and force-cancel-available-at end in Z",
    "no-5xx": "source of go-tfe: it retries after a 5xx up to 30 times, including POST",
    # requirements of other clients
    "run-enums": _PYTFE + "an unknown status or source fails the whole list: never force_canceled",
    "run-permissions": _PYTFE + "if the permissions are present, all five are required",
    "configuration-timestamps": _PYTFE + "a configuration version's status-timestamps are not null",
    "attributes-for-relationships": _PYTFE + "sends workspace and configuration-version as attributes on create",
    "empty-filters": _PYTFE + "sends an empty filter[status] instead of omitting it",
    "hyphenated-includes": _PYTFE + "sends include=created-by",
    "actions-without-body": _PYTFE + "posts actions without a body, and a lock with only a reason",
    "null-body": "OpenAPI document: the body of an accepted action is null, and some clients parse it",
    "null-options": "source of clients: they may send every unset option as null",
    "ids": "source of go-tfe and pytfe: an id is a prefix and 16 letters or digits",
    "error-documents": "JSON:API, Errors: status is a string; HCP Terraform API: title",
    # runs
    "actions-by-status": _RUNS + "the permitted actions in the document of a run, by status",
    "apply": _RUNS + "Apply a Run: only a run that waits for confirmation; this sets confirmed-by",
    "discard": _RUNS + "Discard a Run: releases the workspace, and the next run proceeds",
    "cancel-pending": _RUNS + "Cancel a Run: a run that has not started is canceled immediately",
    "cancel-running": _RUNS + "Cancel a Run: interrupts once; the status changes after the process has exited",
    "force-cancel": _RUNS + "Forcefully Cancel a Run: only after a cancel and its cool-off",
    "force-execute": _RUNS + "Forcefully Execute a Run: discards the run that holds the workspace; else 403 or 409",
    "comments": _RUNS + "the comment of an action becomes a comment and an event of the run",
    "queue": "Run States and Stages, The Pending Stage: first in, first out per workspace",
    "unqueued": "Run Modes and Options: plan-only runs and saved plans ignore the queue and the lock",
    "manual-lock": "HCP Terraform API, Workspaces, Lock a workspace: new runs are accepted and wait",
    "stale-plans": "Run Modes and Options, Saved Plans: discarded when the state changes",
    "default-configuration": _RUNS + "Create a Run: by default the latest that is neither speculative nor provisional",
    "foreign-configuration": _RUNS + "Create a Run: the configuration version may belong to another workspace",
    "speculative-configuration": _RUNS + "Create a Run: a speculative configuration makes the run plan-only",
    "create-defaults": _RUNS + "Create a Run: defaults, and a new run has plan-queueable-at and events",
    "exclusive-options": _RUNS + "Create a Run: is-destroy and refresh-only cannot be used together, 422",
    "auto-queue-runs": "HCP Terraform API, Configuration Versions: queues a run unless auto-queue-runs is false",
    "run-source": _CLI + "source is terraform+cloud with the header X-Terraform-Integration: cloud",
    "provisional": "HCP Terraform API, Configuration Versions: a provisional one does not become the current one",
    # errors and lists
    "not-found": "HCP Terraform API: 404 for missing, malformed or hidden ids, on reads and on actions",
    "unauthorized": "HCP Terraform API, Overview: 401 without a valid token",
    "unlock-conflict": "observed: 409 with the title conflict, naming the run that holds the lock",
    "bad-include": "HCP Terraform API, Overview: 400 for an unknown include; the error names the parameter",
    "rate-limit-headers": "source of go-tfe: X-RateLimit-Limit of ping is in requests per second",
    "workspace-lists": _RUNS + "List Runs in a Workspace: plan-only runs are excluded; with totals",
    "organization-lists": _RUNS + "List Runs in an Organization: without totals",
    "pages": "HCP Terraform API, Overview, Pagination: 20 items by default, at most 100; pages past the end are empty",
}


def meets(*names: str) -> Callable[[TestT], TestT]:
    """Record the requirements that a test verifies."""

    def mark(test: TestT) -> TestT:
        test.__dict__["requirements"] = names
        return test

    return mark

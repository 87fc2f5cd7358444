"""Watch the runs of an organization, and explain each failure. Ctrl-C stops it.

python watch_failures.py my-organization
"""

import sys
import time

import tfruns
from tfruns.sync import Client

INTERVAL_S = 30  # the API permits 30 run lists a minute
OPERATIONS = ["plan_and_apply", "plan_only", "destroy", "refresh_only"]
FAILED = tfruns.RunFilters(status="errored", operation=OPERATIONS)


def explanation(client: Client, run: tfruns.Run) -> str:
    """The errors at the end of the log of the phase that failed."""
    log = client.applies.log_text(run.apply) if run.apply else ""
    if not log and run.plan:
        log = client.plans.log_text(run.plan)
    _, found, errors = log.partition("Error: ")
    return f"{found}{errors}".strip() or "The log contains no error."


def main() -> None:
    (organization,) = sys.argv[1:]
    seen: set[str] = set()
    with Client() as client:
        failed = client.runs.list_for_organization(organization, FAILED, include=["workspace"])
        while True:
            for run in reversed(failed.page().items):
                if run.id not in seen:
                    seen.add(run.id)
                    workspace = run.follow(run.workspace, tfruns.Workspace)
                    name = workspace.name if workspace else "an unknown workspace"
                    print(
                        f"{run.id} of {name} failed:",
                        explanation(client, run),
                        sep="\n",
                        flush=True,
                    )
            time.sleep(INTERVAL_S)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)

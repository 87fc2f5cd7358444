"""Apply the runs that wait for confirmation, if nothing speaks against it.

python apply_waiting.py my-organization 'staging-*'
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase

import tfruns
from tfruns.sync import Client

WAITING = tfruns.RunFilters(status_group="discardable")
COMMENT = "Applied by apply_waiting.py: it only adds or changes resources."


def objections(client: Client, run: tfruns.Run) -> Iterator[str]:
    """The reasons not to apply a run. A count that the API omits is a reason too."""
    plan = client.plans.read(run.plan.id) if run.plan else None
    if plan is None or plan.resource_destructions != 0:
        yield "it destroys or replaces resources"
    if run.created_at is None or datetime.now(UTC) - run.created_at > timedelta(days=1):
        yield "it is older than a day"
    if run.is_destroy or run.target_addrs:
        yield "it is a destroy run or has targets"


def decide(client: Client, run: tfruns.Run) -> str:
    """Apply a run, or say why not."""
    if reasons := list(objections(client, run)):
        return f"not applied: {', '.join(reasons)}"
    client.runs.apply(run.id, comment=COMMENT)
    return str(client.runs.wait(run.id, until="final", timeout_s=3600).status)


def main() -> None:
    organization, pattern = sys.argv[1:]
    with Client() as client:
        waiting = client.runs.list_for_organization(organization, WAITING, include=["workspace"])
        for run in waiting:
            workspace = run.follow(run.workspace, tfruns.Workspace)
            name = workspace.name if workspace and workspace.name else ""
            is_waiting = tfruns.RunAction.APPLY in run.allowed_actions
            if is_waiting and fnmatchcase(name, pattern):
                print(f"{name} {run.id}: {decide(client, run)}")


if __name__ == "__main__":
    main()

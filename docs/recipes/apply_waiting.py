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


def objections(client: Client, run: tfruns.Run) -> Iterator[str]:
    """The reasons not to apply a run. A count that the API omits is a reason too."""
    plan = client.plans.read(run.plan.id) if run.plan else None
    if plan is None or plan.resource_destructions != 0:
        yield "it destroys or replaces resources"
    if run.created_at is None or datetime.now(UTC) - run.created_at > timedelta(days=1):
        yield "it is older than a day"
    if run.is_destroy or run.target_addrs:
        yield "it is a destroy run or has targets"


def main() -> None:
    organization, pattern = sys.argv[1:]
    with Client() as client:
        for run in client.runs.list_for_organization(organization, WAITING, include=["workspace"]):
            workspace = run.follow(run.workspace, tfruns.Workspace)
            name = workspace.name if workspace and workspace.name else ""
            if tfruns.RunAction.APPLY not in run.allowed_actions or not fnmatchcase(name, pattern):
                continue
            if reasons := list(objections(client, run)):
                print(f"{name} {run.id}: not applied: {', '.join(reasons)}")
                continue
            client.runs.apply(run.id, comment="Applied by apply_waiting.py: it only adds or changes resources.")
            done = client.runs.wait(run.id, until="final", timeout_s=3600)
            print(f"{name} {run.id}: {done.status}")


if __name__ == "__main__":
    main()

"""Plan a directory, and post the result as a comment on a pull request.

python plan_comment.py my-organization/network infrastructure
"""

import json
import os
import sys
import urllib.request

import tfruns
from tfruns.sync import Client


def plan(client: Client, workspace: str, directory: str) -> tfruns.Run:
    """Upload the directory, and plan it without the possibility to apply it."""
    versions = client.configuration_versions
    version = versions.create(workspace, auto_queue_runs=False, speculative=True)
    with tfruns.packed_directory(directory) as archive:
        versions.upload(version, archive)
    versions.wait_until_processed(version.id)
    params = tfruns.RunParams(
        message="Pull request", plan_only=True, configuration_version_id=version.id
    )
    run = client.runs.create(workspace, params)
    return client.runs.wait(run.id, until="final", timeout_s=3600)


MAX_LOG = 60_000  # characters; a comment has at most 65,536


def comment_on(client: Client, run: tfruns.Run) -> str:
    """The comment, in Markdown."""
    if run.plan is None:
        return f"### Terraform: {run.status}"
    plan = client.plans.read(run.plan.id)
    title = f"the plan is {plan.status}"
    if plan.status == tfruns.PhaseStatus.FINISHED:
        title = f"{plan.resource_additions} to add, {plan.resource_changes} to change"
        title += f", {plan.resource_destructions} to destroy"
    log = client.plans.log_text(plan)[-MAX_LOG:]
    return COMMENT.format(title=title, run_id=run.id, log=log)


COMMENT = """### Terraform: {title}

<details><summary>{run_id}</summary>

````text
{log}
````

</details>
"""


def post(url: str, token: str, text: str) -> None:
    """Post the comment to a URL of GitHub: github.event.pull_request.comments_url."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps({"body": text}).encode(), headers)
    urllib.request.urlopen(request, timeout=30).close()


def main() -> int:
    workspace, directory = sys.argv[1:]
    with Client() as client:
        run = plan(client, workspace, directory)
        text = comment_on(client, run)
    print(text)
    if url := os.environ.get("COMMENTS_URL"):
        post(url, os.environ["GITHUB_TOKEN"], text)
    return 0 if run.status == tfruns.RunStatus.PLANNED_AND_FINISHED else 1


if __name__ == "__main__":
    sys.exit(main())

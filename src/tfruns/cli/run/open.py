"""`tfruns run open`."""

from tfruns.cli.browser import open_page
from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Run, Workspace
from tfruns.cli.output import print_view
from tfruns.cli.session import Session, run_command
from tfruns.cli.targets import resolve_run
from tfruns.views.runs import RunView


def open_run(
    run: Run = None,
    /,
    *,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Open the page of a run in a browser.

    Opens the page in HCP Terraform, or the page of the local backend. For a run in HCP Terraform, `tfruns web RUN`
    opens the page of tfruns instead. If no browser can be started, the URL is printed. With --json, the run is printed,
    and no browser is started.

    For example:
        tfruns run open run-CZcmD7eagjhyX0vN
        tfruns run open --workspace network
    """

    async def work(session: Session) -> None:
        run_id = await resolve_run(session, run, workspace, organization)
        view = await session.call("get_run_details", RunView, run_id=run_id)
        if session.is_json:
            print_view(view)
        else:
            await open_page(session, view.url)

    run_command(work, options)

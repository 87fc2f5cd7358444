"""`tfruns run review`."""

from functools import partial
from typing import Annotated

from cyclopts import Parameter
from cyclopts.types import PositiveInt

from tfruns.cli.browser import Web, open_page
from tfruns.cli.exit_codes import ExitCode
from tfruns.cli.options import DEFAULTS, CommonOptions, Organization, Run, SummaryFile, Workspace
from tfruns.cli.plans import print_review, read_review
from tfruns.cli.session import Session, run_command
from tfruns.cli.step_summary import write_ci_report
from tfruns.cli.targets import resolve_run
from tfruns.views.review import PlanReviewView
from tfruns.views.runs import RunView

_FILTER = "Show only this action, address or module, or type"
_ADDRESS = "Show all values of this address in full"


def review(
    run: Run = None,
    /,
    *,
    web: Web = False,
    filter: Annotated[str, Parameter(help=_FILTER)] = "",  # noqa: A002  # the name in the tool
    address: Annotated[str, Parameter(help=_ADDRESS)] = "",
    page: Annotated[PositiveInt | None, Parameter(help="Show only this page")] = None,
    summary_file: SummaryFile = None,
    workspace: Workspace = None,
    organization: Organization = None,
    options: CommonOptions = DEFAULTS,
) -> None:
    """Show the changes in a plan, dangerous ones first.

    Sensitive values are never shown. The exit code is 1 if the run has no plan. A filter is create, update,
    replace, destroy, forget, invoke, import, move, read, output, drift, deferred, unknown, an address such as
    module.network, or a resource type.

    For example:
        tfruns run review run-CZcmD7eagjhyX0vN
        tfruns run review --workspace network --filter destroy
        tfruns run review run-CZcmD7eagjhyX0vN --address aws_iam_policy.admin
        tfruns run review run-CZcmD7eagjhyX0vN --json
        tfruns run review --workspace network --web
    """

    async def work(session: Session) -> ExitCode:
        run_id = await resolve_run(session, run, workspace, organization)
        if web:
            await open_page(session, (await session.call("get_run_details", RunView, run_id=run_id)).url)
            return ExitCode.DONE
        view = await read_review(session, run_id, filter_text=filter, address=address, page=page)
        session.show(view, partial(print_review, session))
        await write_ci_report(session, view.run_id, summary_file=summary_file)
        return ExitCode.DONE if isinstance(view, PlanReviewView) else ExitCode.ERROR

    run_command(work, options)

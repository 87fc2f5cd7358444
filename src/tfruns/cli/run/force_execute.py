"""`tfruns run force-execute`."""

from tfruns.cli.options import DEFAULTS, CommonOptions, RequiredRun, Yes
from tfruns.cli.run.actions import show_accepted
from tfruns.cli.session import Session, run_command
from tfruns.errors import TransitionNotAllowed
from tfruns.lifecycle import is_final, rule_of
from tfruns.policy import Confirm
from tfruns.views.runs import ActionView, RunView
from tfruns.vocabulary import RunAction


def force_execute(run: RequiredRun, /, *, yes: Yes = False, options: CommonOptions = DEFAULTS) -> None:
    """Execute a pending run next, ahead of all others.

    The current run of the workspace is discarded, and all earlier pending runs are canceled.

    For example:
        tfruns run force-execute run-CZcmD7eagjhyX0vN
    """

    async def work(session: Session) -> None:
        await _refuse_if_impossible(session, run)
        show_accepted(session, await session.call("force_execute_run", ActionView, run_id=run))

    run_command(work, options, is_confirmed=yes)


async def _refuse_if_impossible(session: Session, run_id: str) -> None:
    """Refuse the action if the status excludes it, instead of asking a person first.

    A final run is left to the API, and without a question there is nothing to spare.

    Raises:
        TransitionNotAllowed: the run does not allow the action.
        TfrunsError: the run cannot be read.
    """
    if session.gate.policy.confirm is Confirm.NEVER:
        return
    run = await session.call("get_run_details", RunView, run_id=run_id)
    rule = rule_of(run.status)
    may_be_accepted = rule is None or RunAction.FORCE_EXECUTE in rule.accepts
    if RunAction.FORCE_EXECUTE in run.allowed_actions or may_be_accepted or is_final(run.status):
        return
    raise TransitionNotAllowed(
        f"The run is {run.status}, which does not allow force-execute. Nothing was sent.",
        cause=run.follows,
        solution=f"Allowed now: {', '.join(run.allowed_actions).replace('_', '-') or 'nothing'}.",
        facts={"run_status": run.status, "allowed_actions": list(run.allowed_actions)},
    )

"""The check before `force-cancel` and `force-execute` ask a person."""

from tfruns.cli.session import Session
from tfruns.errors import TransitionNotAllowed
from tfruns.lifecycle import is_final, rule_of
from tfruns.policy import Confirm
from tfruns.views.runs import RunView
from tfruns.vocabulary import RunAction


async def refuse_if_impossible(session: Session, run_id: str, action: RunAction) -> None:
    """Refuse an action that the run does not allow now, instead of asking a person first.

    A final run is left to the API, and without a question there is nothing to spare.

    Raises:
        TransitionNotAllowed: the run does not allow the action.
        TfrunsError: the run cannot be read.
    """
    if session.gate.policy.confirm is Confirm.NEVER:
        return
    run = await session.call("get_run_details", RunView, run_id=run_id)
    rule = rule_of(run.status)
    may_be_accepted = rule is None or action in rule.accepts
    if action in run.allowed_actions or may_be_accepted or is_final(run.status):
        return
    raise TransitionNotAllowed(
        f"The run is {run.status}, which does not allow {action.value.replace('_', '-')}. Nothing was sent.",
        cause=run.follows,
        solution=f"Allowed now: {', '.join(run.allowed_actions).replace('_', '-') or 'nothing'}.",
        facts={"run_status": run.status, "allowed_actions": list(run.allowed_actions)},
    )

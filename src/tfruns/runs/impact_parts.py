"""The parts of a call's impact that several tools share.

Texts from plans, messages and names are data: each has its own line and is truncated.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TfrunsError, TooLarge
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.lifecycle import is_confirmed, is_final, rule_of
from tfruns.masking.secrets import Secrets
from tfruns.masking.text import one_line
from tfruns.runs.plans import secrets_of
from tfruns.runs.workspace_queue import released_auto_applies
from tfruns.wire.runs import Run
from tfruns.wire.workspaces import Workspace

_MAX_SHOWN = 20  # runs and checks
_MESSAGE = 200  # characters of a run's message
_STATUS = 40  # characters of a status, which may be unknown
_COMMENT = 1_000  # characters of a comment

LET_A_PERSON = "Let a person do it in the browser or with `tfruns run`."


async def read_run(client: Client, values: Mapping[str, Any]) -> Run:
    """The run that a call names, with its workspace."""
    return await client.runs.read(values["run_id"], include=["workspace"])


def is_applying(run: Run) -> bool:
    """Whether the run is applying; a run with an unknown status may be."""
    return rule_of(run.status) is None or is_confirmed(run.status)


async def impact_of_stop(
    client: Client,
    values: Mapping[str, Any],
    *,
    verb: str,
    kinds: Callable[[Run], Collection[ImpactKind]],
    effects: Callable[[Run], Sequence[str]],
    also: str = "",
    refuse: Callable[[Run], None] = lambda _: None,
) -> Impact:
    """The impact of a call that stops a run, and so releases the runs that wait for it; none for a final run.

    Args:
        client: the API.
        values: the arguments of the call.
        verb: the first word of the question.
        kinds: returns the kinds of impact on the run itself.
        effects: returns the lines about the effect on the run itself.
        also: a further effect, for the question.
        refuse: raises if the run does not allow the call now, so that no person is asked in vain.
    """
    run = await read_run(client, values)
    if is_final(run.status):
        return NO_IMPACT
    refuse(run)
    released = await released_auto_applies(client, run)
    return Impact(
        kinds=frozenset({*kinds(run), *unseen(released)}),
        question=f"{verb} {named_run(run)}, which is {one_line(str(run.status), _STATUS)}{also}?",
        at_stake=(*effects(run), *released_lines(released), *await text_lines(client, run, values)),
        state=[run.id, str(run.status), released],
        instead=instead_of_releasing(released),
        facts=facts(run, released),
    )


def unseen(run_ids: Sequence[str]) -> set[ImpactKind]:
    """The impact of releasing these runs, which then apply plans that nobody has seen."""
    return {ImpactKind.UNSEEN_APPLY} if run_ids else set()


def released_lines(run_ids: Sequence[str]) -> list[str]:
    """The lines about runs that are released and then apply their plans automatically."""
    title = "These runs are next. They apply their plans automatically, without another confirmation:"
    return listed([f"- {id_}" for id_ in run_ids], title)


def instead_of_releasing(run_ids: Sequence[str]) -> str:
    """The alternative to releasing these runs."""
    return f"{LET_A_PERSON} Or first cancel the runs that would apply: {', '.join(run_ids)}." if run_ids else ""


def facts(run: Run, waiting: Sequence[str]) -> dict[str, Any]:
    """The facts of the refusal of a call."""
    return {"run_status": str(run.status)} | ({"waiting_run_ids": list(waiting)} if waiting else {})


def named_run(run: Run) -> str:
    """The run's id, with its workspace if the name is known."""
    workspace = run.follow(run.workspace, Workspace)
    return f"{run.id} of {named_workspace(workspace)}" if workspace is not None and workspace.name else run.id


def named_workspace(workspace: Workspace) -> str:
    """`organization/name`, on one line."""
    owner = f"{workspace.organization.id}/" if workspace.organization else ""
    return one_line(f"{owner}{workspace.name}", 120)


async def text_lines(client: Client, run: Run, values: Mapping[str, Any]) -> list[str]:
    """The run's message and the comment to be sent, without the sensitive values of the run's plan."""
    try:
        secrets: Secrets | None = await secrets_of(client, run)
    except (NotFound, Forbidden, TooLarge):
        secrets = Secrets()  # hidden from this token
    except TfrunsError:
        secrets = None
    lines = []
    if run.message and secrets is not None:
        lines.append(f"Message of the run (written by its creator): «{secrets.safe_line(run.message, _MESSAGE)}»")
    comment = str(values.get("comment") or "").strip()
    if comment:
        lines.append(f"The comment: «{(secrets or Secrets()).safe_line(comment, _COMMENT)}»")
    return lines


def listed(lines: list[str], title: str) -> list[str]:
    """The first lines below a title and the number of omitted ones; empty without lines."""
    if not lines:
        return []
    more = len(lines) - _MAX_SHOWN
    return [title, *lines[:_MAX_SHOWN], *([f"- and {more} more"] if more > 0 else [])]

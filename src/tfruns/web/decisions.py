"""The decisions about a run that its page offers, and a person who made one on the page.

A decision is bound to the impact that the page showed. If the run, its plan or its workspace has changed since, nothing
is sent.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tfruns.checks import is_in_checks
from tfruns.client.client import Client
from tfruns.errors import TfrunsError
from tfruns.gate.pending_call import PendingCall
from tfruns.gate.person import Answer, Question
from tfruns.gate.registry import find_tool
from tfruns.impact import NO_IMPACT, Impact, ImpactKind
from tfruns.lifecycle import is_final
from tfruns.tool import Tool
from tfruns.tools.override_policy_check import is_overridable
from tfruns.views.runs import RunView
from tfruns.vocabulary import RunAction
from tfruns.web.passkeys import asker_of, decision_key
from tfruns.web.visit import Visit

_DESTROYS = frozenset(
    {
        ImpactKind.DESTRUCTIVE_APPLY,
        ImpactKind.UNSEEN_APPLY,
        ImpactKind.KILL_APPLY,
        ImpactKind.DESTROY_PLAN,
        ImpactKind.DELETE_WORKSPACE,
        ImpactKind.ROLL_BACK_STATE,
    }
)
_MAX_LINES = 40  # of what is at stake; the page of the plan shows all

WRONG_NAME = "The workspace name does not match. Nothing was sent."
UNPROVEN = "This decision requires a passkey, and none of yours confirmed it. Nothing was sent."

OVERRIDE = "override_policy_check"
RERUN = "rerun"

_TOOLS: Mapping[RunAction, tuple[str, str]] = {
    RunAction.APPLY: ("apply_run", "Apply"),
    RunAction.DISCARD: ("discard_run", "Discard"),
    RunAction.CANCEL: ("cancel_run", "Cancel run"),
    RunAction.FORCE_CANCEL: ("force_cancel_run", "Force-cancel"),
    RunAction.FORCE_EXECUTE: ("force_execute_run", "Force-execute"),
}
"""The tool and the label of the button for each action, in the order of the page."""

DECIDING_TOOLS = frozenset({OVERRIDE, RERUN, *(tool for tool, _ in _TOOLS.values())})

_OTHER_LABELS: Mapping[str, str] = {
    OVERRIDE: "Override",
    RERUN: "Run again",
    "create_run": "Start run",
    "save_workspace": "Save workspace",
    "set_variable": "Save variable",
    "set_workspace_lock": "Change lock",
    "delete_workspace": "Delete workspace",
    "roll_back_state": "Roll back state",
}
"""The labels of the buttons for the other calls."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that the page of a run offers.

    Attributes:
        tool: the tool that it calls.
        label: the text of its button.
        question: what it does.
        at_stake: the facts that a person should know.
        more_at_stake: the number of facts that are omitted.
        seen: identifies the impact.
        requires_name: the person has to enter the name of the workspace.
        problem: why the impact cannot be read; the decision cannot be made then.
    """

    tool: str
    label: str
    question: str = ""
    at_stake: tuple[str, ...] = ()
    more_at_stake: int = 0
    seen: str = ""
    requires_name: bool = False
    problem: str = ""


def label_of(tool: Tool) -> str:
    """The label of the button that confirms a call of a tool."""
    labels = {**dict(_TOOLS.values()), **_OTHER_LABELS}
    return labels.get(tool.name, tool.title)


def requires_name(impact: Impact) -> bool:
    """Whether a person has to enter the name of the workspace, because the call destroys something."""
    return not _DESTROYS.isdisjoint(impact.kinds)


async def offered_decisions(visit: Visit, run: RunView) -> list[Decision]:
    """The decisions that are possible for a run, with their current impact."""
    client = visit.session.visitor.gate.client
    found = [_TOOLS[action] for action in _TOOLS if action in run.allowed_actions]
    if await _is_override_offered(client, run):
        found.insert(0, (OVERRIDE, "Override"))
    if is_final(run.status):
        found.append((RERUN, "Run again"))
    return [
        await decision(client, tool, label, arguments_of(tool, run.id, ""))
        for tool, label in found
        if visit.permits(tool)
    ]


def arguments_of(tool: str, run_id: str, comment: str) -> dict[str, Any]:
    """The arguments of a decision about a run."""
    if tool == RERUN:
        return {"run_id": run_id, "message": "", "auto_apply": False}
    return {"run_id": run_id, "comment": comment}


async def _is_override_offered(client: Client, run: RunView) -> bool:
    """Whether failed policies block the run, and this person may override all of them."""
    if is_final(run.status) or not is_in_checks(run.status):
        return False
    try:
        return await is_overridable(client, await client.runs.read(run.id))
    except TfrunsError:
        return False


async def decision(client: Client, tool: str, label: str, arguments: Mapping[str, Any]) -> Decision:
    """A call that a person may decide to make, with its current impact."""
    try:
        return decision_of(tool, label, await PendingCall(find_tool(tool), arguments).impact(client))
    except TfrunsError as error:
        return Decision(tool, label, problem=error.message)


def decision_of(tool: str, label: str, impact: Impact) -> Decision:
    """A call with this impact that a person may decide to make."""
    lines = impact.at_stake
    return Decision(
        tool,
        label,
        impact.question,
        lines[:_MAX_LINES],
        max(0, len(lines) - _MAX_LINES),
        impact_digest(tool, impact),
        requires_name=requires_name(impact),
    )


def impact_digest(tool: str, impact: Impact) -> str:
    """Identifies the impact of a tool's call: equal only for the same effects on the same state."""
    text = json.dumps([tool, sorted(impact.kinds), impact.state], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(slots=True)
class DecidedPerson:
    """A person who decided on a page, before the call.

    Attributes:
        tool: the tool that they decided to call.
        seen: identifies the impact that the page showed.
        typed_name: the name of the workspace as they entered it.
        workspace_name: the name of the workspace.
        name: the name of their user.
        proof: whether a passkey confirms this impact; None if it needs no passkey.
        has_changed: the impact differs from what the page showed.
        is_name_wrong: the impact requires the name, and the entered one is not it.
        is_unproven: the impact requires a passkey, and none confirmed it.
        impact: the current impact, once the call has been made.
    """

    tool: str
    seen: str
    typed_name: str
    workspace_name: str
    name: str
    proof: Callable[[str], bool] | None = None
    has_changed: bool = False
    is_name_wrong: bool = False
    is_unproven: bool = False
    impact: Impact = NO_IMPACT

    can_be_asked = True

    async def ask(self, question: Question) -> Answer:
        """Yes, if the current impact is what the person saw, with the name and the passkey where they are required."""
        self.impact = question.impact
        digest = impact_digest(self.tool, question.impact)
        can_destroy = requires_name(question.impact)
        self.has_changed = digest != self.seen
        self.is_name_wrong = can_destroy and self.typed_name.strip() != self.workspace_name
        if self.has_changed or self.is_name_wrong:
            return Answer.NO
        self.is_unproven = can_destroy and self.proof is not None and not self.proof(digest)
        return Answer.NO if self.is_unproven else Answer.YES_ON_PAGE

    def refusal(self, changed: str) -> str:
        """Why nothing was sent.

        Args:
            changed: the reason if the impact has changed.
        """
        if self.has_changed:
            return changed
        return UNPROVEN if self.is_unproven else WRONG_NAME


def proof_of(visit: Visit, form: Mapping[str, str], tool: str) -> Callable[[str], bool] | None:
    """Whether the passkey of a form confirms an impact; None if the server uses no passkeys.

    Args:
        visit: the request with the form.
        form: the fields of the form.
        tool: the tool that the decision calls.
    """
    passkeys = visit.request.app.state.site.passkeys
    if passkeys is None:
        return None
    path, asker = visit.request.url.path, asker_of(visit.request, visit.session)
    return lambda seen: passkeys.confirms(asker, decision_key(path, tool, seen), form.get("passkey", ""))


def decided_person(visit: Visit, form: Mapping[str, str], tool: str, workspace: str) -> DecidedPerson:
    """The person who sent the form of a decision.

    Args:
        visit: the request.
        form: its fields.
        tool: the tool that they decided to call.
        workspace: the name of the workspace.
    """
    name, user = form.get("workspace_name", ""), visit.session.visitor.name
    return DecidedPerson(tool, form.get("seen", ""), name, workspace, user, proof_of(visit, form, tool))

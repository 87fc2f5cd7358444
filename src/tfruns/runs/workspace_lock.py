"""The lock of a workspace: its holder, its time and its reason, as returned by the API.

Workspaces API, "Show workspace": a lock has a holder (`locked-by`) and a reason, and no time. The time is known for a
run, which locks the workspace with its status, and with the local backend.
"""

from dataclasses import dataclass
from datetime import datetime

from tfruns.client.client import Client
from tfruns.errors import Fact, TfrunsError
from tfruns.masking.redaction import redact
from tfruns.masking.text import one_line
from tfruns.runs.masks import masker_of_all_plans
from tfruns.runs.workspace_queue import since
from tfruns.views.base import shown_time
from tfruns.wire.activity import Team, User
from tfruns.wire.workspaces import Workspace

_NAME = 60  # characters
_REASON = 200


@dataclass(frozen=True, slots=True)
class Lock:
    """The lock of a workspace.

    Attributes:
        holder: the name of a user or team, or the id of a run.
        kind: `run`, `user` or `team`; `unknown` if the API omits the holder.
        since: when it was locked; None if the API does not record it.
        reason: the reason that the holder gave; may be empty.
    """

    holder: str
    kind: str
    since: datetime | None
    reason: str

    @property
    def text(self) -> str:
        """The holder, the time and the reason, in one sentence."""
        holder = self.holder if self.kind in {"run", "unknown"} else f"the {self.kind} {self.holder}"
        when = f"since {shown_time(self.since)}" if self.since else "since an unknown time: the API does not record it"
        why = f"Reason: «{self.reason}»" if self.reason else "No reason is recorded."
        return f"Locked by {holder}, {when}. {why}"

    @property
    def until_run_ends(self) -> str:
        """How the lock of a run ends; empty for another lock."""
        return f"Wait for {self.holder} to finish, or cancel or discard it." if self.kind == "run" else ""

    @property
    def facts(self) -> dict[str, Fact]:
        """The fields of an error."""
        return {"locked_by": self.holder, "locked_since": shown_time(self.since), "lock_reason": self.reason or None}


async def read_lock(client: Client, workspace: Workspace) -> Lock | None:
    """The lock of a workspace that was read with `include=locked_by`; None if it is not locked."""
    if not workspace.locked:
        return None
    related = workspace.locked_by
    reason = one_line(masker_of_all_plans(client)(workspace.locked_reason or ""), _REASON)
    if related is None:
        return Lock("an unknown user", "unknown", workspace.locked_at, reason)
    if related.type == "runs":
        return Lock(related.id, "run", await _run_since(client, related.id), reason)
    user, team = workspace.follow(related, User), workspace.follow(related, Team)
    name = (user.username if user else team.name if team else None) or related.id
    kind = related.type.removesuffix("s")
    return Lock(one_line(redact(name), _NAME), kind, workspace.locked_at, reason)


async def _run_since(client: Client, run_id: str) -> datetime | None:
    """When a run left the queue, and so locked its workspace."""
    try:
        run = await client.runs.read(run_id)
    except TfrunsError:
        return None
    return run.status_timestamps.get("plan-queued-at") or since(run)

"""A call that may need consent: what it would do, and how it is shown to the person who decides."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from anyio import to_thread
from pydantic import BaseModel

from tfruns.client.client import Client
from tfruns.errors import TfrunsError
from tfruns.gate.audit import logged_arguments
from tfruns.impact import NO_IMPACT, Impact
from tfruns.jsonapi import JSON
from tfruns.masking.redaction import safe_text
from tfruns.tool import Proof, Role, Tool
from tfruns.wire.runs import RunVariable


@dataclass(frozen=True, slots=True)
class PendingCall:
    """A call that may need consent.

    Attributes:
        tool: the tool.
        values: the arguments that will be sent.
        caller: the name of the calling program; empty for the command line.
        proofs: the proofs of confirmation that the call contains.
        caller_version: the version of the calling program; empty if it is unknown.
    """

    tool: Tool
    values: Mapping[str, Any]
    caller: str = ""
    proofs: Mapping[Proof, str] = field(default_factory=dict)
    caller_version: str = ""

    async def impact(self, client: Client) -> Impact:
        """Read the current impact of the call."""
        return await self.tool.impact(client, self.values) if self.tool.impact else NO_IMPACT

    def subject(self, impact: Impact) -> JSON:
        """The subject of a consent: the call with all its arguments, and the state that was shown."""
        return [self.tool.name, _plain(self.values), sorted(impact.kinds), impact.state]

    def unanswered(self, impact: Impact) -> JSON:
        """The subject of a code that shows that the client closed the question about the call without an answer."""
        return ["unanswered", self.subject(impact)]

    def text(self, impact: Impact) -> str:
        """The question for a person: the caller, the call, and what is at stake."""
        asks = f"{self.caller} asks: " if self.caller else ""
        return safe_text("\n".join((f"{asks}{impact.question}", *impact.at_stake)))


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.model_dump(exclude_none=True) if isinstance(value, BaseModel) else value
        for name, value in values.items()
    }


@dataclass(frozen=True, slots=True)
class DescribedCall:
    """A call as the audit log and the page of its decision show it.

    Attributes:
        arguments: the arguments without secrets, truncated.
        run: the id of the run that the call names, if it names one.
        workspace: the id of the run's workspace, or the workspace that the call names.
    """

    arguments: Mapping[str, JSON]
    run: str | None
    workspace: str | None


async def describe(call: PendingCall, client: Client) -> DescribedCall:
    """Describe a call without secrets."""
    values = {**call.values, Proof.FINGERPRINT.value: call.proofs.get(Proof.FINGERPRINT)}
    run = call.tool.argument(Role.RUN, call.values)
    run = client.runs.id_of(run) if run else None
    workspace, own = call.tool.argument(Role.WORKSPACE, call.values), None
    workspace = workspace or call.tool.argument(Role.SAVED_WORKSPACE, call.values)
    if run is not None:
        with suppress(TfrunsError):  # the call itself does not need them
            found = await client.runs.read(run)
            workspace, own = found.workspace.id if found.workspace else None, found.variables
    masked = values if run is None else await to_thread.run_sync(_masked, client, run, own, values)
    return DescribedCall(await to_thread.run_sync(logged_arguments, masked), run, workspace)


def _masked(
    client: Client, run_id: str, own: Iterable[RunVariable] | None, values: Mapping[str, Any]
) -> dict[str, Any]:
    """The arguments with values masked that are sensitive in the plan, or may be if the plan is unknown."""
    from tfruns.runs.masks import masker_from_cache  # noqa: PLC0415

    mask = masker_from_cache(client, run_id, own)
    return {name: mask(value) if isinstance(value, str) else value for name, value in values.items()}

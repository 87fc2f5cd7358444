"""The JSON of a run's plan without sensitive values, as bytes for a file."""

from dataclasses import dataclass
from functools import partial

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, UnexpectedResponse
from tfruns.local.exact_json import write_json
from tfruns.masking.secrets import Secrets
from tfruns.review.masked_plan import masked_plan
from tfruns.review.plan_document import PlanDocument
from tfruns.runs.plans import open_plan
from tfruns.wire.runs import Run

_ENVIRONMENT_PREFIX = "TF_VAR_"  # such a variable of the environment sets one of Terraform


@dataclass(frozen=True, slots=True)
class PlanFile:
    """The masked JSON of a plan.

    Attributes:
        content: the JSON document, with a line break at its end.
        is_api_form: whether it is the redacted form of the API, because the token may not read the full one.
    """

    content: bytes
    is_api_form: bool


async def plan_file(client: Client, run: Run) -> PlanFile:
    """The JSON of a run's plan without sensitive values.

    Raises:
        NotFound: the run has no plan, or this token may read neither form.
        TooLarge: it is too large.
    """
    async with open_plan(client, run) as plan:
        if plan is None:
            raise NotFound(
                f"{run.id} has no plan.",
                cause="It has not been planned, or planning failed.",
                solution="Wait until it is planned.",
            )
        names = await _sensitive_variables(client, run)
        write = partial(_masked, plan.document, plan.known.secrets, names)
        return PlanFile(await to_thread.run_sync(write), plan.document.is_redacted)


async def _sensitive_variables(client: Client, run: Run) -> set[str] | None:
    """The variables that the workspace or a variable set declares sensitive; None if they cannot be read."""
    if run.workspace is None:
        return None
    try:
        variables = await client.variables.list_for_workspace(run.workspace.id)
    except (Forbidden, NotFound, UnexpectedResponse):
        return None
    return {found.key.removeprefix(_ENVIRONMENT_PREFIX) for found in variables if found.sensitive is not False}


def _masked(document: PlanDocument, secrets: Secrets, names: set[str] | None) -> bytes:
    masked = masked_plan(document.source, secrets, names)
    return f"{write_json(masked, indent=2)}\n".encode(errors="surrogatepass")

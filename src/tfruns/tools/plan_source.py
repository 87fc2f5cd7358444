"""The plan of a run, as this token may read it, and what is kept of it.

A plan never changes once its JSON is there, so what is made of it holds as long as the client does. Only what is small
is kept, by the client: another client may have another token, which may see less.

A large plan takes seconds of computing, which are spent in threads: other calls go on meanwhile.
"""

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TooLarge, UnexpectedResponse
from tfruns.masking.secrets import Secrets
from tfruns.review.plan_document import PlanDocument, parse_plan
from tfruns.review.summary import Summary, summary
from tfruns.wire.runs import Run

_MAX_BYTES = 128_000_000  # of a plan's JSON; in memory it takes some five times as much
_MAX_KEPT = 32  # plans of one client
_ENVIRONMENT_PREFIX = "TF_VAR_"  # such a variable of the environment gives one of Terraform its value


@dataclass(frozen=True, slots=True)
class Known:
    """What is kept of a run's plan."""

    run_id: str
    secrets: Secrets
    summary: Summary


_known: WeakKeyDictionary[Client, OrderedDict[str, Known]] = WeakKeyDictionary()


async def read_plan(client: Client, run: Run) -> PlanDocument | None:
    """Read a run's plan: the full JSON if the token may read it, else the redacted form.

    Returns:
        The plan; None while there is none, and where there never will be: of a run that failed or was ended before.

    Raises:
        NotFound, Forbidden: the token may read neither form.
        TooLarge: so is the plan, in both forms.
        UnexpectedResponse: it is no JSON.
    """
    if run.plan is None:
        return None
    plan_id, is_redacted = run.plan.id, False
    try:
        data = await client.plans.read_json(plan_id, max_bytes=_MAX_BYTES)
    except (Forbidden, NotFound, TooLarge):
        is_redacted = True
        data = await client.plans.read_json(plan_id, is_redacted=True, max_bytes=_MAX_BYTES)
    if data is None:
        return None
    read = partial(parse_plan, data, run_id=run.id, plan_id=plan_id, is_redacted=is_redacted)
    return await to_thread.run_sync(read)


async def secrets_of(client: Client, run: Run) -> Secrets:
    """The sensitive values of a run's plan, to hide them in its logs and messages; none while there is no plan.

    To read them once more costs nothing. Where the token may read only the redacted form they are not known, and
    hiding is left to Terraform.

    Raises: as `read_plan`.
    """
    known = await _know(client, run)
    return known.secrets if known else Secrets()


def known_secrets(client: Client, run_id: str) -> Secrets:
    """The sensitive values of a run's plan as far as it was read before; nothing is read for it."""
    kept = _known.get(client) or OrderedDict()
    return next((known.secrets for known in kept.values() if known.run_id == run_id), Secrets())


async def plan_summary(client: Client, run: Run) -> Summary | None:
    """A run's plan in a few numbers, with its dangers and its fingerprint; None while there is no plan.

    The fingerprint is the one that `review_run` shows to the same token. To read it once more costs nothing: a plan is
    written once.

    Raises: as `read_plan`.
    """
    known = await _know(client, run)
    return known.summary if known else None


async def secrets_in(client: Client, run: Run, document: PlanDocument) -> Secrets:
    """The sensitive values of a run's plan that was read: what Terraform marks, and the values of variables that the
    workspace or a variable set calls sensitive, of which Terraform knows nothing.
    """
    if run.workspace is None or not document.source.get("variables"):
        return await to_thread.run_sync(Secrets.of_plan, document.source)
    try:
        variables = await client.variables.list_for_workspace(run.workspace.id)
    except (Forbidden, NotFound, UnexpectedResponse):
        variables = []  # hidden from this token; the marks of the plan are known all the same
    names = [variable.key.removeprefix(_ENVIRONMENT_PREFIX) for variable in variables if variable.sensitive]
    return await to_thread.run_sync(Secrets.of_plan, document.source, names)


async def remember(client: Client, document: PlanDocument, secrets: Secrets) -> Known:
    """Sum a plan up that was read, and keep what the next ones to ask will need."""
    summed_up = await to_thread.run_sync(summary, document, secrets)
    kept = _known.setdefault(client, OrderedDict())
    known = kept[document.plan_id] = Known(document.run_id, secrets, summed_up)
    while len(kept) > _MAX_KEPT:
        kept.popitem(last=False)
    return known


async def _know(client: Client, run: Run) -> Known | None:
    if run.plan is None:
        return None
    known = _known.setdefault(client, OrderedDict()).get(run.plan.id)
    if known is None:
        document = await read_plan(client, run)
        if document is None:
            return None
        known = await remember(client, document, await secrets_in(client, run, document))
    return known

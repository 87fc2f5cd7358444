"""Masks for the texts of a run: they remove the sensitive values of its plan."""

from collections.abc import Iterable

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TooLarge, UnexpectedResponse
from tfruns.jsonapi import JSON
from tfruns.masking.arguments import hcl_texts
from tfruns.masking.redaction import redact
from tfruns.masking.secrets import Mask, Secrets
from tfruns.masking.text import sanitize
from tfruns.runs.plans import all_known_secrets, known_secrets, secrets_of
from tfruns.wire.runs import Run, RunVariable


def withheld(text: str) -> str:
    """The mask if the values to hide are unknown: it shows nothing."""
    return "(not shown: the plan, whose sensitive values have to be masked, could not be read)" if text else ""


def masker_from_cache(client: Client, run_id: str, own: Iterable[RunVariable] | None = None) -> Mask:
    """A mask for secrets that have a known form, and for the plan's sensitive values if the plan was read before.

    For texts that people wrote. No plan is read for them. Until the plan has been read, all values of the run's own
    variables are masked, because it is unknown which of them are sensitive.
    """
    return _mask_of(known_secrets(client, run_id, before_plan=_secrets_before_plan(own)))


def without_known_secrets(client: Client, document: JSON) -> JSON:
    """A document without the sensitive values of every plan that was read before."""
    for known in all_known_secrets(client):
        document = known.mask_document(document)
    return document


def masker_of_all_plans(client: Client) -> Mask:
    """A mask for secrets that have a known form, and for the sensitive values of all plans that were read before.

    For texts of a workspace.
    """
    secrets = all_known_secrets(client)

    def mask(text: str) -> str:
        text = sanitize(text)
        for known in secrets:
            text = known.mask(text)
        return redact(text)

    return mask


async def masker(client: Client, run: Run) -> Mask:
    """A mask for the plan's sensitive values, and for secrets that have a known form.

    Before the plan exists, all values of the run's own variables are masked. If this token may not read the plan, only
    Terraform's own masking applies.

    Raises:
        TfrunsError: the API does not respond, so the values to mask are unknown.
    """
    own = await to_thread.run_sync(_secrets_before_plan, run.variables)
    try:
        secrets = await secrets_of(client, run, before_plan=own)
    except (Forbidden, NotFound, TooLarge, UnexpectedResponse):
        secrets = own
    return _mask_of(secrets)


def _secrets_before_plan(own: Iterable[RunVariable] | None) -> Secrets:
    return Secrets(text for variable in own or () if variable.value for text in hcl_texts(variable.value))


def _mask_of(secrets: Secrets) -> Mask:
    return lambda text: redact(secrets.mask(sanitize(text)))

"""Masks for the texts of a run: they remove the sensitive values of its plan."""

from collections.abc import Iterable

from anyio import to_thread

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TooLarge, UnexpectedResponse
from tfruns.masking.arguments import hcl_texts
from tfruns.masking.redaction import redact
from tfruns.masking.secrets import Mask, Secrets
from tfruns.masking.text import sanitize
from tfruns.runs.plans import all_known_secrets, known_secrets, secrets_of
from tfruns.wire.runs import Run, RunVariable


def withheld(text: str) -> str:
    """The mask if the values to hide are unknown: it shows nothing."""
    return "(not shown: the plan could not be read for what has to be hidden)" if text else ""


def masker_from_cache(client: Client, run_id: str, own: Iterable[RunVariable] | None = None) -> Mask:
    """Removes what is secret by its form, and the plan's sensitive values if the plan was read before.

    It is for texts that people wrote, for which no plan is read. Until the plan was read, it is not known which of the
    run's own variables are sensitive: all their values are removed.
    """
    return _mask_of(known_secrets(client, run_id, before_plan=_secrets_before_plan(own)))


def masker_of_all_plans(client: Client) -> Mask:
    """Removes what is secret by its form, and the sensitive values of every plan that was read before.

    It is for texts that belong to a workspace, and not to one run.
    """
    secrets = all_known_secrets(client)

    def mask(text: str) -> str:
        text = sanitize(text)
        for known in secrets:
            text = known.mask(text)
        return redact(text)

    return mask


async def masker(client: Client, run: Run) -> Mask:
    """Removes the plan's sensitive values, and what is secret by its form.

    As long as there is no plan, all values of the run's own variables are removed. Where the plan cannot be read by
    this token, hiding its values is left to Terraform, which wrote the text.

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

"""What must not be shown in what Terraform wrote about a run."""

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TooLarge, UnexpectedResponse
from tfruns.masking.redaction import redact
from tfruns.masking.secrets import Mask, Secrets
from tfruns.masking.text import one_line, sanitize
from tfruns.tools.plan_source import known_secrets, secrets_of
from tfruns.wire.runs import Run


def masked_line(text: str, length: int, mask: Mask) -> str:
    """A text on one line of so many characters, without what must not be shown.

    It is looked for once more when the lines are joined: that may make a secret of what was none.
    """
    return one_line(mask(" ".join(mask(text).split())), length)


def withheld(text: str) -> str:
    """What is shown where it is not known what must be hidden."""
    return "(not shown: the plan could not be read for what has to be hidden)" if text else ""


def masker_from_cache(client: Client, run_id: str) -> Mask:
    """Takes out what is secret by its form, and the plan's sensitive values if the plan was read before.

    It is for what people wrote themselves, which is not worth the reading of a plan.
    """
    secrets = known_secrets(client, run_id)
    return lambda text: redact(secrets.hide(sanitize(text)))


async def masker(client: Client, run: Run) -> Mask:
    """Takes out the plan's sensitive values, and what is secret by its form.

    Where the plan cannot be read by this token, hiding its values is left to Terraform, which wrote the text.

    Raises:
        TfrunsError: the API does not answer; it is not known what is to be hidden.
    """
    try:
        secrets = await secrets_of(client, run)
    except (Forbidden, NotFound, TooLarge, UnexpectedResponse):
        secrets = Secrets()
    return lambda text: redact(secrets.hide(sanitize(text)))

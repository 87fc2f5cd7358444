"""What must not be shown in what Terraform wrote about a run."""

from collections.abc import Callable

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TooLarge, UnexpectedResponse
from tfruns.redaction import redact
from tfruns.review.secrets import Secrets
from tfruns.tools.plan_source import secrets_of
from tfruns.wire.runs import Run


async def hider(client: Client, run: Run) -> Callable[[str], str]:
    """Takes out the plan's sensitive values, and what is secret by its form.

    Where the plan cannot be read by this token, hiding its values is left to Terraform, which wrote the text.

    Raises:
        TfrunsError: the API does not answer; it is not known what is to be hidden.
    """
    try:
        secrets = await secrets_of(client, run)
    except (Forbidden, NotFound, TooLarge, UnexpectedResponse):
        secrets = Secrets()
    return lambda text: redact(secrets.hide(text))

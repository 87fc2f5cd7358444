"""What must not be shown in what Terraform wrote about a run."""

from tfruns.client.client import Client
from tfruns.errors import Forbidden, NotFound, TooLarge, UnexpectedResponse
from tfruns.foreign_text import clean, one_line
from tfruns.logs.paging import Hide
from tfruns.redaction import redact
from tfruns.review.secrets import Secrets
from tfruns.tools.plan_source import known_secrets, secrets_of
from tfruns.wire.runs import Run


def hidden_line(text: str, length: int, hide: Hide) -> str:
    """A text on one line of so many characters, without what must not be shown.

    It is looked for once more when the lines are joined: that may make a secret of what was none.
    """
    return one_line(hide(" ".join(clean(hide(text)).split())), length)


def hidden(text: str) -> str:
    """What is shown where it is not known what must be hidden."""
    return "(not shown: the plan could not be read for what has to be hidden)" if text else ""


def hider_of_known(client: Client, run_id: str) -> Hide:
    """Takes out what is secret by its form, and the plan's sensitive values if the plan was read before.

    It is for what people wrote themselves, which is not worth the reading of a plan.
    """
    secrets = known_secrets(client, run_id)
    return lambda text: redact(secrets.hide(text))


async def hider(client: Client, run: Run) -> Hide:
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

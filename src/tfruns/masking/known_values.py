"""Values that this process sent as secrets, which are removed from all its later output."""

from tfruns.masking.redaction import remember_secret
from tfruns.masking.written_forms import written_forms


def remember_value(value: str) -> None:
    """Remove a value, in every form in which Terraform and its providers write it, from all later text.

    Forms of fewer than six characters would match harmless text, and are not removed.
    """
    for form in written_forms(value):
        remember_secret(form)

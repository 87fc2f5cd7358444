"""Ids as HCP Terraform gives them: a prefix and 16 letters and digits. Clients check that form."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str) -> str:
    """An id that nothing has yet, such as `run-CZcmD7eagjhyX0vN`."""
    return f"{prefix}-{random_text(16)}"


def random_text(length: int) -> str:
    """Letters and digits that nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))

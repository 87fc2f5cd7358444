"""Ids as HCP Terraform gives them: a prefix and 16 letters and digits. Clients check that form."""

import secrets


def new_id(prefix: str) -> str:
    """An id that nothing has yet, such as `run-CZcmD7eagjhyX0vN`."""
    return f"{prefix}-{random_text(16)}"


def random_text(length: int) -> str:
    """Letters and digits that nobody can guess."""
    text = ""
    while len(text) < length:  # Base64 has two characters more than letters and digits
        text += secrets.token_urlsafe(length).replace("-", "").replace("_", "")
    return text[:length]

"""Ids in the form of HCP Terraform: a prefix and 16 letters and digits. Clients check this form."""

import secrets


def new_id(prefix: str) -> str:
    """A new unique id, such as `run-CZcmD7eagjhyX0vN`."""
    return f"{prefix}-{random_text(16)}"


def random_text(length: int) -> str:
    """Random letters and digits, unpredictable enough for secrets."""
    text = ""
    while len(text) < length:  # Base64 also contains - and _
        text += secrets.token_urlsafe(length).replace("-", "").replace("_", "")
    return text[:length]

"""What a comment ends with that is sent for an assistant: which program it came through."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from tfruns.masking.redaction import redact

COMMENTS = ("comment", "body")
"""The arguments that become a comment of a run."""

_LONGEST_NAME = 60  # characters


def caller_name(name: str | None) -> str:
    """The name by which a client calls itself, on one line, without what does not show and what could be a secret."""
    shown = "".join(char if unicodedata.category(char)[0] not in "CZ" else " " for char in (name or "")[:1000])
    return redact(" ".join(shown.split()))[:_LONGEST_NAME].strip()


def attribute_comments(values: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """The arguments of a call, where a comment ends with who sent it; where there is none, nothing is added."""
    comments = [name for name in COMMENTS if caller and isinstance(values.get(name), str) and values[name].strip()]
    return {**values, **{name: f"{values[name].rstrip()} (via tfruns, {caller})" for name in comments}}

"""Taking secrets out of text that a person or an assistant will read.

What is known to be secret by its form is removed wherever text leaves the program in an error, a log line or a raw
document: API tokens, bearer headers, passwords in addresses, and signed addresses (whoever has a log or upload address
of HCP Terraform may read or write the object behind it without a token).
"""

import re
from collections.abc import Mapping
from typing import Any

from tfruns.masking.text import sanitize

REMOVED = "[removed]"

_SHORTEST_SECRET = 6  # characters; a shorter one would hit innocent text

# Repetitions that could be tried from many places are bounded: what is redacted may be long.
_API_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{4,200}\.atlasv1\.[A-Za-z0-9_-]+")
_BEARER = re.compile(
    r"(?i)\b(authorization:?\s{0,5}(?:bearer|basic)?|bearer)\s{1,5}"
    r"(?!\(sensitive value\)|(?:bearer|basic)\s)[^\s\"',;]+"
)
_USERINFO = re.compile(r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,20}://)[^/\s\"'<>]{1,1000}@")
_ADDRESS = re.compile(r"(?i)\b(https?://[^/?#\s\"'<>\\]+)[^\s\"'<>\\]*|(?:/_archivist)?/v1/object/[^\s\"'<>\\]+")

# The object store of HCP Terraform ("archivist") puts the whole permission into the path; others sign in the query.
_SIGNED = re.compile(
    r"(?i)^https?://[^/]{0,253}archivist|/_archivist/|/v1/object/"
    r"|[?&][^=&#?]{0,64}(?:sig|signature|token|credential)[^=&#?]{0,64}="
)


_remembered: set[str] = set()


def remember_secret(secret: str) -> None:
    """Remove this text from whatever is redacted from now on, whatever its form; under 6 characters it is ignored."""
    if len(secret) >= _SHORTEST_SECRET:
        _remembered.add(secret)


def is_signed_url(text: str) -> bool:
    """Whether this address carries its own permission, so that to know it is to have access."""
    return _SIGNED.search(text) is not None


def redact(text: str) -> str:
    """Return the text with tokens, passwords and signed addresses replaced; the host of an address stays readable."""
    for secret in sorted(_remembered, key=len, reverse=True):  # one may begin with another
        text = text.replace(secret, REMOVED)
    text = _USERINFO.sub(rf"\1{REMOVED}@", text)
    text = _ADDRESS.sub(_redact_address, text)
    text = _API_TOKEN.sub(REMOVED, text)
    return _BEARER.sub(rf"\1 {REMOVED}", text)


def _redact_address(match: re.Match[str]) -> str:
    address = match.group(0)
    if not is_signed_url(address):
        return address
    return f"{match.group(1) or ''}/[signed-url-removed]"


def safe_text(text: str) -> str:
    """A text as it may leave the program: without control and invisible characters, then without secrets.

    In this order: a character that is not shown would split a secret so that it is not recognized.
    """
    return redact(sanitize(text))


def safe_document(document: Any) -> Any:
    """A copy of a result in which every string is as it may leave the program, the names of objects included."""
    if isinstance(document, str):
        return safe_text(document)
    if isinstance(document, list | tuple):
        return [safe_document(item) for item in document]
    if isinstance(document, Mapping):
        return {safe_document(key): safe_document(value) for key, value in document.items()}
    return document


def redact_document(document: Any) -> Any:
    """A copy of an API document without tokens, signed addresses, and the values of variables."""
    if isinstance(document, str):
        return redact(document)
    if isinstance(document, list):
        return [redact_document(item) for item in document]
    if isinstance(document, Mapping):
        return {
            key: _without_values(value) if key == "variables" else redact_document(value)
            for key, value in document.items()
        }
    return document


def _without_values(variables: Any) -> Any:
    """The variables of a run, by their keys."""
    if not isinstance(variables, list):
        return variables if variables is None else REMOVED
    return [
        {"key": variable.get("key"), "value": REMOVED} if isinstance(variable, Mapping) else REMOVED
        for variable in variables
    ]

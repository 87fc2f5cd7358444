"""Redaction of secrets that are recognizable by their form.

API tokens, authorization headers, passwords in URLs and signed URLs are removed from all text that leaves the program
in an error, a log line or a raw document. (A log or upload URL of HCP Terraform grants access to the object without a
token.)
"""

import re
from collections.abc import Mapping
from typing import Any

from tfruns.masking.text import sanitize

REMOVED = "[removed]"

_MIN_REMEMBERED = 6  # characters; a shorter secret would match harmless text

# Repetitions that can start at many positions are bounded, because the text may be long.
_API_TOKEN = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{4,200}\.atlasv1\.[A-Za-z0-9_-]+")
_BEARER = re.compile(
    r"(?i)\b(authorization:?\s{0,5}(?:bearer|basic)?|bearer)\s{1,5}"
    r"(?!\(sensitive value\)|(?:bearer|basic)\s)[^\s\"',;]+"
)
_USERINFO = re.compile(r"(?i)(?<![a-z0-9+.-])([a-z][a-z0-9+.-]{0,20}://)[^/\s\"'<>]{1,1000}@")
_URL = re.compile(r"(?i)\b(https?://[^/?#\s\"'<>\\]+)[^\s\"'<>\\]*|(?:/_archivist)?/v1/object/[^\s\"'<>\\]+")

# The object store of HCP Terraform ("archivist") puts the permission into the path; other stores sign in the query.
_SIGNED = re.compile(
    r"(?i)^https?://[^/]{0,253}archivist|/_archivist/|/v1/object/"
    r"|[?&][^=&#?]{0,64}(?:sig|signature|token|credential)[^=&#?]{0,64}="
)


class RememberedSecrets:
    """Secrets without a recognizable form, such as the token in use or the password of a database."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def add(self, secret: str) -> None:
        """Remember a secret. A string of fewer than 6 characters is ignored."""
        if len(secret) >= _MIN_REMEMBERED:
            self._secrets.add(secret)

    def remove_from(self, text: str) -> str:
        """Replace every remembered secret in a text."""
        for secret in sorted(self._secrets, key=len, reverse=True):  # a secret may be a prefix of another one
            text = text.replace(secret, REMOVED)
        return text


OF_THIS_PROCESS = RememberedSecrets()
"""A process has one log, and any of its clients may receive a text that repeats the token of another one. A secret is
still one when its owner is gone, so nothing is forgotten."""


def remember_secret(secret: str) -> None:
    """Remove this string from all text that is redacted from now on. A string of fewer than 6 characters is ignored."""
    OF_THIS_PROCESS.add(secret)


def is_signed_url(text: str) -> bool:
    """Whether a URL grants access to everyone who knows it."""
    return _SIGNED.search(text) is not None


def redact(text: str) -> str:
    """Replace tokens, passwords and signed URLs. The host of a URL stays readable."""
    text = OF_THIS_PROCESS.remove_from(text)
    text = _USERINFO.sub(rf"\1{REMOVED}@", text)
    text = _URL.sub(_redact_url, text)
    text = _API_TOKEN.sub(REMOVED, text)
    return _BEARER.sub(rf"\1 {REMOVED}", text)


def _redact_url(match: re.Match[str]) -> str:
    url = match.group(0)
    if not is_signed_url(url):
        return url
    return f"{match.group(1) or ''}/[signed-url-removed]"


def safe_text(text: str) -> str:
    """Sanitize a text, then redact it, so that it may leave the program.

    The order matters: an invisible character in a secret would prevent its recognition.
    """
    return redact(sanitize(text))


def safe_document(document: Any) -> Any:
    """Copy a document and make every string in it safe to leave the program, including the keys of objects."""
    if isinstance(document, str):
        return safe_text(document)
    if isinstance(document, list | tuple):
        return [safe_document(item) for item in document]
    if isinstance(document, Mapping):
        return {safe_document(key): safe_document(value) for key, value in document.items()}
    return document


def redact_document(document: Any) -> Any:
    """Copy an API document without tokens, signed URLs and values of variables."""
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
    """The variables of a run with removed values."""
    if not isinstance(variables, list):
        return variables if variables is None else REMOVED
    return [
        {"key": variable.get("key"), "value": REMOVED} if isinstance(variable, Mapping) else REMOVED
        for variable in variables
    ]

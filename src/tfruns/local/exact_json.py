"""Reads and writes JSON without changing a number: Terraform's numbers can have more digits than a double."""

import json
import re
import secrets
from typing import Any

from tfruns.hcl.literals import Number

_MAX_DIGITS = 4000  # Python converts at most 4,300


def read_json(content: bytes) -> Any:
    """Parse JSON. A number that Python would write differently becomes a `Number`.

    Raises:
        ValueError: the content is not JSON.
        RecursionError: it is nested too deep.
    """
    return json.loads(content, parse_int=_integer, parse_float=_decimal)


def write_json(document: Any, *, indent: int | None = None, sort_keys: bool = False) -> str:
    """Write a document that `read_json` returned, or parts of it, with the original numbers."""
    mark = secrets.token_hex(16)  # random, so that no text of the document contains it

    def marked(value: Any) -> str:
        if isinstance(value, Number):
            return f"{mark}{value.text}"
        raise TypeError(f"{type(value).__name__} is not a JSON value")

    separators = (",", ":") if indent is None else None
    text = json.dumps(document, indent=indent, separators=separators, sort_keys=sort_keys, default=marked)
    return re.sub(f'"{mark}([^"]+)"', r"\1", text)


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= _MAX_DIGITS and text != "-0" else Number(text)


def _decimal(text: str) -> float | Number:
    value = float(text)
    return value if repr(value) == text else Number(text)

"""JSON whose numbers are read as they are written, however many digits they have.

Most numbers are integers, or decimals that a double holds without loss. Any other number becomes a `Number`, which
keeps its text: two such numbers are equal only if they are written the same.
"""

import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic_core import from_json

from tfruns.hcl.literals import Number

_DEEPEST = 200  # levels of objects and lists, the limit of the fast reader
_MOST_DIGITS = 4_000  # of a number that is computed with; Python reads no integer of more than 4,300

# A number that the fast reader may round or refuse: with an exponent, more than 15 digits and a point, or thousands of
# digits. It may also match within a text, which only costs time.
_MAYBE_INEXACT = re.compile(rb"[\s:,\[-](?:[0-9]+(?:\.[0-9]+)?[eE]|(?=[0-9]+\.)[0-9.]{17}|[0-9]{%d})" % _MOST_DIGITS)


def read_json(data: bytes) -> Any:
    """The JSON value in some bytes.

    Raises:
        ValueError: it is not JSON, or nested more than 200 levels deep.
    """
    if not _MAYBE_INEXACT.search(data):
        return from_json(data, cache_strings="all")
    try:
        found = json.loads(data, parse_int=_integer, parse_float=_decimal)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if is_deeper(found, _DEEPEST):
        raise ValueError("nested too deep")
    return found


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= _MOST_DIGITS else Number(text)


def _decimal(text: str) -> float | Number:
    """A float where it is the same number as the text."""
    if len(text) > _MOST_DIGITS:
        return Number(text)
    value = float(text)
    try:
        is_exact = math.isfinite(value) and Decimal(repr(value)) == Decimal(text)
    except InvalidOperation:  # an exponent of more than 18 digits
        is_exact = False
    return value if is_exact else Number(text)


def encode_number(value: Any) -> Any:
    """For `json.dumps(default=…)`: the JSON form of a `Number`, which is different from any other number or text."""
    if isinstance(value, Number):
        return {"(number)": value.text}
    raise TypeError(f"{type(value).__name__} is no JSON value")


def is_deeper(value: Any, levels: int) -> bool:
    """Whether objects and lists are nested in more than so many levels."""
    level = [value]
    for _ in range(levels):
        parts = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [part for items in parts for part in items]
        if not level:
            return False
    return True

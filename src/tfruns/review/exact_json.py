"""A JSON parser that loses no digits of a number.

Most numbers are integers, or decimals that a double represents exactly. Any other number becomes a `Number`, which
keeps its text. Two `Number`s are equal only if their texts are.
"""

import json
import math
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic_core import from_json

from tfruns.hcl.literals import Number

_MAX_DEPTH = 200  # levels of objects and lists, the limit of the fast parser
_MAX_DIGITS = 4_000  # of a number that is converted; Python parses no integer of more than 4,300

# Numbers that the fast parser may round or reject: with an exponent, with a point and more than 15 digits, or with
# thousands of digits. A match inside a string costs only time.
_MAYBE_INEXACT = re.compile(rb"[\s:,\[-](?:[0-9]+(?:\.[0-9]+)?[eE]|(?=[0-9]+\.)[0-9.]{17}|[0-9]{%d})" % _MAX_DIGITS)


def read_json(data: bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: the data is not JSON, or is nested more than 200 levels deep.
    """
    if not _MAYBE_INEXACT.search(data):
        return from_json(data, cache_strings="all")
    try:
        found = json.loads(data, parse_int=_integer, parse_float=_decimal)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if is_nested_deeper_than(found, _MAX_DEPTH):
        raise ValueError("nested too deeply")
    return found


def _integer(text: str) -> int | Number:
    return int(text) if len(text) <= _MAX_DIGITS else Number(text)


def _decimal(text: str) -> float | Number:
    """The number as a float if that is exact."""
    if len(text) > _MAX_DIGITS:
        return Number(text)
    value = float(text)
    try:
        is_exact = math.isfinite(value) and Decimal(repr(value)) == Decimal(text)
    except InvalidOperation:  # an exponent of more than 18 digits
        is_exact = False
    return value if is_exact else Number(text)


def encode_number(value: Any) -> Any:
    """Encode a `Number` for `json.dumps(default=…)`, distinct from every other number and string."""
    if isinstance(value, Number):
        return {"(number)": value.text}
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def is_nested_deeper_than(value: Any, levels: int) -> bool:
    """Whether objects and lists are nested more than `levels` deep."""
    level = [value]
    for _ in range(levels):
        parts = [item.values() if isinstance(item, dict) else item for item in level if isinstance(item, dict | list)]
        level = [part for items in parts for part in items]
        if not level:
            return False
    return True

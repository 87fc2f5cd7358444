"""A JSON parser that loses no digits of a number.

Most numbers are integers, or decimals that a double represents exactly. Any other number becomes a `Number`, which
keeps its text. Two `Number`s are equal only if their texts are.
"""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic_core import from_json

from tfruns.hcl.literals import Number

_MAX_DEPTH = 200  # levels of objects and lists, the limit of the fast parser
_EXACT_LENGTH = 16  # of a number with a point: a double represents 15 digits exactly
_MAX_DIGITS = 4_000  # of a number that is converted; Python parses no integer of more than 4,300

# The shape of a document: digits are 0, delimiters are commas, signs are hyphens, and bytes outside numbers are x.
# Parts of numbers are then found by substring search, which is much faster than a regular expression.
_SHAPE = bytes(
    ord("0") if chr(byte).isdecimal() and byte < 128
    else ord(",") if byte in b" \t\r\n:,[]{}"
    else ord("-") if byte in b"+-"
    else ord("e") if byte in b"eE"
    else byte if byte in b"."
    else ord("x")
    for byte in range(256)
)  # fmt: skip
_PARTS = (b"0e0", b"0e-0", b"0" * 8)  # of a number with an exponent, or with 16 digits on both sides of a point
_NUMBER = re.compile(rb"-?0[0.e-]*")


def read_json(data: bytes) -> Any:
    """Parse JSON.

    Raises:
        ValueError: the data is not JSON, or is nested more than 200 levels deep.
    """
    if not _may_be_inexact(data):
        return from_json(data, cache_strings="all")
    try:
        found = json.loads(data, parse_int=_integer, parse_float=_decimal)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if is_nested_deeper_than(found, _MAX_DEPTH):
        raise ValueError("nested too deeply")
    return found


def _may_be_inexact(data: bytes) -> bool:
    """Whether the fast parser may round or reject a number. A match within a string costs only time."""
    shape = data.translate(_SHAPE)
    return any(_is_inexact(token) for part in _PARTS for token in _tokens_with(part, shape))


def _tokens_with(part: bytes, shape: bytes) -> Iterator[bytes]:
    """The parts of a document between delimiters that contain `part`, of at most twice `_MAX_DIGITS`."""
    at = shape.find(part)
    while at >= 0:
        start = shape.rfind(b",", max(0, at - _MAX_DIGITS), at) + 1 or max(0, at - _MAX_DIGITS)
        end = shape.find(b",", at, at + _MAX_DIGITS)
        end = end if end >= 0 else min(len(shape), at + _MAX_DIGITS)
        yield shape[start:end]
        at = shape.find(part, end)


def _is_inexact(token: bytes) -> bool:
    has_long_fraction = b"." in token and len(token) > _EXACT_LENGTH
    return (has_long_fraction or b"e" in token or len(token) >= _MAX_DIGITS) and bool(_NUMBER.fullmatch(token))


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

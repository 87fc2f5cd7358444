"""Instance keys: the address that instances of a count or for_each share, and the keys that distinguish them."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from tfruns.masking.secrets import Secrets

_KEY = 120  # characters of a key

_INSTANCE_KEY = re.compile(r'\[(\d+|"(?:[^"\\]|\\.)*")\]')
_INDEX = re.compile(r"[0-9]{1,18}")  # of a count; keys of for_each are quoted, even if they consist of digits


def without_keys(address: str, mark: str = "") -> str:
    """The address with `mark` in place of each instance key."""
    return _INSTANCE_KEY.sub(mark, address)


def wildcard_address(address: str) -> str:
    """The address that all instances share: `module.m[*].a.b[*]`."""
    return without_keys(address, "[*]")


def format_keys(addresses: Sequence[str], secrets: Secrets) -> list[str]:
    """The keys that distinguish the addresses, all of them. Consecutive indexes become a range."""
    keys = [_INSTANCE_KEY.findall(address) for address in addresses]
    if all(len(parts) == 1 and _INDEX.fullmatch(parts[0]) for parts in keys):
        return [*_ranges(sorted(int(parts[0]) for parts in keys))]
    return [secrets.safe_line("/".join(map(_unquoted, parts)), _KEY) for parts in keys]


def _unquoted(key: str) -> str:
    """A key without its quotes."""
    return key[1:-1] if key.startswith('"') else key


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        consecutive = [number for _, number in run]
        yield f"{consecutive[0]}-{consecutive[-1]}" if len(consecutive) > 1 else str(consecutive[0])

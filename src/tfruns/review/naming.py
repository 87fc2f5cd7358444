"""The names of instances: what siblings of a count or for_each have in common, and the keys by which they differ."""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from tfruns.masking.secrets import Secrets

_KEY = 120  # characters of a key

_INSTANCE_KEY = re.compile(r'\[(\d+|"(?:[^"\\]|\\.)*")\]')
_INDEX = re.compile(r"[0-9]{1,18}")  # of an instance with count; the keys of for_each are in quotes, digits as well


def without_keys(address: str, mark: str = "") -> str:
    """The address with each instance key replaced by a mark."""
    return _INSTANCE_KEY.sub(mark, address)


def general_address(address: str) -> str:
    """The address that all siblings share: `module.m[*].a.b[*]`."""
    return without_keys(address, "[*]")


def shown_keys(addresses: Sequence[str], secrets: Secrets) -> list[str]:
    """The keys by which siblings differ, all of them; numbers that follow each other as a range."""
    keys = [_INSTANCE_KEY.findall(address) for address in addresses]
    if all(len(parts) == 1 and _INDEX.fullmatch(parts[0]) for parts in keys):
        return [*_ranges(sorted(int(parts[0]) for parts in keys))]
    return [secrets.shown("/".join(map(_unquoted, parts)), _KEY) for parts in keys]


def _unquoted(key: str) -> str:
    """A key without the quotes around it."""
    return key[1:-1] if key.startswith('"') else key


def _ranges(numbers: Sequence[int]) -> Iterator[str]:
    for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0]):
        together = [number for _, number in run]
        yield f"{together[0]}-{together[-1]}" if len(together) > 1 else str(together[0])

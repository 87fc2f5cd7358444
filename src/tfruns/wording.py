"""Plurals and truncated texts."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 line`, `2 lines`, `1,000 entries`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def cut_line(line: str, length: int) -> str:
    """A line, truncated to `length` characters with a note of how many are omitted."""
    return line if len(line) <= length else f"{line[:length]}… [{counted(len(line) - length, 'character')} omitted]"

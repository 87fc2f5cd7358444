"""Words that depend on a number, and texts of a limited length."""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 line`, `2 lines`, `1,000 entries`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def cut_line(line: str, length: int) -> str:
    """A line, of which the part that is too long is left out, with a note."""
    return line if len(line) <= length else f"{line[:length]}… [{counted(len(line) - length, 'character')} left out]"

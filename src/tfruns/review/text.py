"""Text of a plan as data: on one line, cut, and without what a terminal or a reader could be misled by."""

import re

_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|.)?", re.DOTALL)
_LOOKED_AT = 8  # times as much as is shown at most: a text may be megabytes


def one_line(text: str, length: int) -> str:
    """The text on one line of so many characters at most, with an ellipsis where it is cut.

    Control characters, marks of the direction of writing and other invisible ones become spaces; halves of characters
    too. Spaces are said once.
    """
    looked_at = text[: length * _LOOKED_AT]
    shown = looked_at
    if not shown.isprintable():
        shown = _ESCAPE_SEQUENCE.sub(" ", shown)
        shown = "".join(character if character.isprintable() else " " for character in shown)
    if "  " in shown or shown != shown.strip():
        shown = " ".join(shown.split())
    if len(shown) <= length and len(looked_at) == len(text):
        return shown
    return shown[: length - 1] + "…"


def common_beginning(first: str, second: str) -> int:
    """How many characters two texts begin with alike."""
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(first), len(second)))

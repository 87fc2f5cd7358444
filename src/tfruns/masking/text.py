"""Text that somebody else wrote, made safe to show: what moves a cursor or hides a word does not come through."""

import re

_LOOKED_AT = 8  # times as much as is shown at most: a text may be megabytes

# ECMA-48: control sequences (colours), strings (titles, links), and what else begins with an escape.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c\n]{0,2000}(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]{0,8}[0-~]?"
)
# What is left of the control characters, bidirectional overrides, characters that take no room, halves of characters.
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f\ud800-\udfff]"
)


def sanitize(text: str) -> str:
    """The text without ANSI sequences, control characters (but for tab and line feed) and bidirectional overrides."""
    text = _ESCAPES.sub("", text.replace("\r\n", "\n"))
    return _CONTROLS.sub("", text.replace("\r", "\n"))


def one_line(text: str, length: int) -> str:
    """The text on one line of so many characters at most, with an ellipsis where it is cut.

    What `sanitize` leaves of the characters that are not printed becomes a space. Spaces are said once.
    """
    shown = looked_at = text[: length * _LOOKED_AT]
    if not shown.isprintable():
        shown = "".join(character if character.isprintable() else " " for character in sanitize(shown))
    if "  " in shown or shown != shown.strip():
        shown = " ".join(shown.split())
    if len(shown) <= length and len(looked_at) == len(text):
        return shown
    return shown[: length - 1] + "…"

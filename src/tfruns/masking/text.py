"""Text that somebody else wrote, made safe to show: nothing in it moves a cursor, hides a word or is invisible.

Removed are

- ANSI sequences and control characters, except line feed and tab; a carriage return and Unicode's line and paragraph
  separators become a line feed;
- what Unicode calls default ignorable (zero-width characters, variation selectors, tags, fillers, soft hyphens) and
  format characters (bidirectional controls, annotations), except the few format characters that are visible, such as
  the Arabic number sign;
- code points that are no text: unpaired surrogates, noncharacters, private use.

Three characters stay where a writing system needs them: the zero-width joiner and non-joiner between two letters of
a script that is not Latin, Greek or Cyrillic; the joiner between two emoji; one variation selector that makes an emoji
of a symbol. Each of them alone, so that they cannot carry a message.
"""

import re
import unicodedata

from tfruns.masking.invisible import DEFAULT_IGNORABLE

_INSPECTED = 8  # times as much as is shown at most: a text may be megabytes

# ECMA-48: control sequences (colours), strings (titles, links), and what else begins with an escape.
_ESCAPES = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c\n]{0,2000}(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]{0,8}[0-~]?"
)
_LINE_BREAKS = re.compile("\r\n|[\r\u2028\u2029]")

_CONTROLS = ((0x00, 0x08), (0x0B, 0x1F), (0x7F, 0x9F))
# Format characters (Cf) that are not default ignorable, without those with Prepended_Concatenation_Mark.
_FORMATS = ((0xFFF9, 0xFFFB), (0x13430, 0x1343F))
_NO_TEXT = (
    (0xD800, 0xDFFF),
    (0xE000, 0xF8FF),
    (0xFDD0, 0xFDEF),
    *((plane + 0xFFFE, plane + 0xFFFF) for plane in range(0, 0x110000, 0x10000)),
    (0xF0000, 0xFFFFD),
    (0x100000, 0x10FFFD),
)
_REMOVED = re.compile(
    "[{}]+".format(
        "".join(
            f"{re.escape(chr(first))}-{re.escape(chr(last))}"
            for first, last in (*_CONTROLS, *DEFAULT_IGNORABLE, *_FORMATS, *_NO_TEXT)
        )
    )
)
_NON_JOINER, _JOINER, _SELECTORS = "\u200c", "\u200d", "\ufe0e\ufe0f"
_FIRST_COMPLEX_SCRIPT = 0x0590  # Hebrew; before it are Latin, Greek, Cyrillic and Armenian, which are not joined
_KEYCAPS = "#*0123456789"
_KEYCAP = "\u20e3"
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def sanitize(text: str) -> str:
    """The text without ANSI sequences, control characters except tab and line feed, and invisible characters."""
    if text.isascii() and text.isprintable():
        return text
    text = _ESCAPES.sub("", _LINE_BREAKS.sub("\n", text))
    return _REMOVED.sub(_kept, text)


def _kept(found: re.Match[str]) -> str:
    """What stays of a stretch of invisible characters: what the characters around it need."""
    text, mark = found.string, found[0]
    before = text[found.start() - 1 : found.start()]
    after = text[found.end() : found.end() + 1]
    if not before:
        return ""
    selector, joiner = (mark[0], mark[1:]) if mark[0] in _SELECTORS else ("", mark)
    kept = selector if selector and _is_emoji_base(before, after) else ""
    if joiner in {_JOINER, _NON_JOINER} and after and _joins(before, joiner, after):
        kept += joiner
    return kept if kept == mark else ""


def _is_emoji_base(character: str, after: str) -> bool:
    return (unicodedata.category(character) in {"So", "Sm", "Po"} and ord(character) > 0x7F) or (
        character in _KEYCAPS and after == _KEYCAP
    )


def _joins(before: str, joiner: str, after: str) -> bool:
    if joiner == _JOINER and _is_pictograph(before) and _is_pictograph(after):
        return True
    return _is_of_complex_script(before) and _is_of_complex_script(after)


def _is_pictograph(character: str) -> bool:
    return unicodedata.category(character) == "So" or ord(character) in _SKIN_TONES


def _is_of_complex_script(character: str) -> bool:
    return ord(character) >= _FIRST_COMPLEX_SCRIPT and unicodedata.category(character) in {"Lo", "Mn", "Mc"}


def one_line(text: str, length: int) -> str:
    """The text on one line of so many characters at most, with an ellipsis where it is cut.

    What `sanitize` leaves of the characters that are not printed becomes a space. Spaces are said once.
    """
    shown = inspected = text[: length * _INSPECTED]
    if not shown.isprintable():
        shown = "".join(
            character if character.isprintable() or character in _JOINERS else " " for character in sanitize(shown)
        )
    if "  " in shown or shown != shown.strip():
        shown = " ".join(shown.split())
    if len(shown) <= length and len(inspected) == len(text):
        return shown
    return shown[: length - 1] + "…"


_JOINERS = _JOINER + _NON_JOINER

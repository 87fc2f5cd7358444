"""The forms in which Terraform and its providers write a value.

As it is; escaped for HCL, for JSON (as Go does and as programs do that write ASCII only), for Go's `%q`, or for an
address; each of these within a JSON text; and each line of it. Hashes, encodings and parts of a value are not among
them: Terraform marks what it derives from a sensitive value itself.
"""

import json
import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

from tfruns.hcl.literals import NotALiteral, literal
from tfruns.masking.text import sanitize

SHORTEST = 6  # characters of a secret that is searched for in any text; a shorter one would hit innocent text

_LONG = 1_000  # characters of a value that is searched for by its lines alone where these are long enough
_GO_ESCAPES = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
_GO_ESCAPED = re.compile(r'[\x00-\x1f\x7f\\"]')
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")


def written_forms(value: str, shortest: int = SHORTEST) -> set[str]:
    """Each form of a value, and of its lines, that is at least so many characters long."""
    lines = {line.strip() for line in value.splitlines()} - {""}
    are_enough = len(value) > _LONG and all(len(line) >= SHORTEST for line in lines)
    parts = lines if are_enough else {value, *lines}
    parts |= {sanitize(part) for part in parts} | {unicodedata.normalize("NFC", part) for part in parts}
    return {form for part in parts if len(part) >= shortest for form in _forms(part)}


def _forms(text: str) -> Iterator[str]:
    yield text
    if _PLAIN.fullmatch(text):
        return  # nothing in it is escaped anywhere
    once = {text, _in_hcl(text), _in_go(text), *_in_json(text)}
    yield from once
    for form in once:
        yield from _in_json(form)
    data = text.encode(errors="surrogatepass")
    yield from (quote(data, safe=""), quote(data), quote_plus(data))


def _in_json(text: str) -> Iterator[str]:
    quoted = json.dumps(text, ensure_ascii=False)[1:-1].replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    yield quoted
    # Go writes these so in JSON, unless it is told not to.
    for_html = quoted.replace("<", "\\u003c").replace(">", "\\u003e")
    yield for_html
    yield for_html.replace("&", "\\u0026")
    yield json.dumps(text)[1:-1]


def _in_go(text: str) -> str:
    return _GO_ESCAPED.sub(_go_escape, text)


def _go_escape(match: re.Match[str]) -> str:
    character = match[0]
    return _GO_ESCAPES.get(character) or (f"\\x{ord(character):02x}" if character not in '\\"' else f"\\{character}")


def _in_hcl(text: str) -> str:
    try:
        return literal(text)[1:-1]
    except NotALiteral:
        return text

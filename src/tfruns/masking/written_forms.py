"""The forms in which Terraform and its providers write a value.

As it is; escaped for HCL, for JSON (as Go does and as programs do that write ASCII only), for Go's `%q`, for an
address, for XML, or for a shell; most of these within a JSON text, too; in base64, also as a part of a text that is
encoded as a whole; each line of it; and the texts in it, if it is a JSON document. Not among them are hashes, other
encodings, parts of a value, a value in other letter case or spacing, and one that is wrapped onto two lines: Terraform
marks what it derives from a sensitive value itself.
"""

import html
import json
import re
import unicodedata
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
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
    parts |= {leaf for leaf in _leaves(_document(value)) if len(leaf) >= SHORTEST}
    parts |= {sanitize(part) for part in parts}
    parts |= {unicodedata.normalize(form, part) for part in parts for form in ("NFC", "NFD")}
    forms = {form for part in parts if len(part) >= shortest for form in _forms(part)}
    return forms | {*_in_base64(value)} if SHORTEST <= len(value) <= _LONGEST_ENCODED else forms


def _document(text: str) -> Any:
    """The object or list that a text is; None if it is neither."""
    if text.lstrip()[:1] not in {"{", "["} or len(text) > _LONGEST_DOCUMENT:
        return None
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _leaves(document: Any) -> Iterator[str]:
    """The texts and numbers in a JSON document."""
    rest = [document]
    while rest:
        item = rest.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict | list):
            rest += item.values() if isinstance(item, dict) else item


def _forms(text: str) -> Iterator[str]:
    yield text
    if _PLAIN.fullmatch(text):
        return  # nothing in it is escaped anywhere
    once = {text, _in_hcl(text), _in_go(text), _in_ascii(_in_go(text)), *_in_json(text)}
    yield from once
    for form in once:
        yield from _in_json(form)
    yield from _in_markup(text)
    yield from _in_addresses(text.encode(errors="surrogatepass"))


def _in_addresses(data: bytes) -> Iterator[str]:
    for quoted in (quote_plus(data), *(quote(data, safe=kept) for kept in _KEPT_IN_ADDRESSES)):
        yield quoted
        yield _PERCENT.sub(lambda match: match[0].lower(), quoted)


# What Python, JavaScript (encodeURIComponent, encodeURI) and Go (path, user) leave as it is.
_KEPT_IN_ADDRESSES = ("", "/", "!'()*", ";,/?:@&=+$#!'()*", "$&+=:@", "$&+,;=")
_PERCENT = re.compile("%[0-9A-F]{2}")


def _in_markup(text: str) -> Iterator[str]:
    """In XML as Python, Java and Go write it, and in the quotes of a shell, of SQL, YAML and CSV."""
    escaped = html.escape(text, quote=False)
    yield escaped
    for quotes in (
        ("&quot;", "&#x27;"),
        ("&quot;", "&apos;"),
        ("&#34;", "&#39;"),
        ("&quot;", "&#39;"),
        ("&quot;", "'"),
    ):
        yield escaped.replace('"', quotes[0]).replace("'", quotes[1])
    for quote_, doubled in (("'", "'\\''"), ("'", "'\"'\"'"), ("'", "''"), ('"', '""')):
        yield text.replace(quote_, doubled)


def _in_base64(text: str) -> Iterator[str]:
    """The characters of base64 that a text becomes, wherever it stands in what is encoded."""
    data = text.encode(errors="surrogatepass")
    for before in range(3):
        encoded = b64encode(b"\0" * before + data).decode()
        stable = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        if len(stable) >= _SHORTEST_ENCODED:
            yield stable
            yield stable.replace("+", "-").replace("/", "_")


_SHORTEST_ENCODED = 7  # characters of base64
_LONGEST_ENCODED = 20_000  # characters of a value
_LONGEST_DOCUMENT = 200_000


def _in_json(text: str) -> Iterator[str]:
    quoted = json.dumps(text, ensure_ascii=False)[1:-1].replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    yield quoted
    # Go writes these so in JSON, unless it is told not to.
    for_html = quoted.replace("<", "\\u003c").replace(">", "\\u003e")
    yield for_html
    yield for_html.replace("&", "\\u0026")
    ascii_only = json.dumps(text)[1:-1]
    yield ascii_only
    yield _HEXADECIMAL.sub(lambda match: match[0].upper().replace("U", "u"), ascii_only)
    yield quoted.replace("/", "\\/")


_HEXADECIMAL = re.compile(r"\\u[0-9a-f]{4}")


def _in_go(text: str) -> str:
    return _GO_ESCAPED.sub(_go_escape, text)


def _go_escape(match: re.Match[str]) -> str:
    character = match[0]
    return _GO_ESCAPES.get(character) or (f"\\x{ord(character):02x}" if character not in '\\"' else f"\\{character}")


def _in_ascii(text: str) -> str:
    """As Go's `%+q` and HCL write what is not ASCII."""
    return "".join(
        one if one.isascii() else f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}" for one in text
    )


def _in_hcl(text: str) -> str:
    try:
        return literal(text)[1:-1]
    except NotALiteral:
        return text

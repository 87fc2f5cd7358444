"""The forms in which Terraform and its providers write a value.

- The value itself, each of its lines, and each string in it if it is a JSON document.
- Escaped for HCL, JSON (as in Go, or ASCII only), Go's `%q`, URLs, XML, and shell, SQL, YAML or CSV quotes; most of
  these also inside a JSON string.
- In base64, also as part of a longer encoded text.

Not covered are hashes, other encodings, parts of a value, other letter case or spacing, and values that are wrapped
onto two lines. Terraform itself marks values that it derives from a sensitive value.
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

MIN_LENGTH = 6  # characters of a secret that is masked at any position; a shorter one would match harmless text

_LONG = 1_000  # characters; of a longer value, only the lines are searched for if all of them are long enough
_GO_ESCAPES = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
_GO_ESCAPED = re.compile(r'[\x00-\x1f\x7f\\"]')
_PLAIN = re.compile(r"[A-Za-z0-9_.~-]+")


def written_forms(value: str, shortest: int = MIN_LENGTH) -> set[str]:
    """The forms of a value and its lines that have at least `shortest` characters."""
    lines = {line.strip() for line in value.splitlines()} - {""}
    are_enough = len(value) > _LONG and all(len(line) >= MIN_LENGTH for line in lines)
    parts = lines if are_enough else {value, *lines}
    parts |= {leaf for leaf in _leaves(_document(value)) if len(leaf) >= MIN_LENGTH}
    parts |= {sanitize(part) for part in parts}
    parts |= {unicodedata.normalize(form, part) for part in parts for form in ("NFC", "NFD")}
    forms = {form for part in parts if len(part) >= shortest for form in _forms(part)}
    return forms | {*_in_base64(value)} if MIN_LENGTH <= len(value) <= _MAX_ENCODED else forms


def _document(text: str) -> Any:
    """Parse a string that is a JSON object or list; None for any other string."""
    if text.lstrip()[:1] not in {"{", "["} or len(text) > _MAX_DOCUMENT:
        return None
    try:
        return json.loads(text, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        return None


def _leaves(document: Any) -> Iterator[str]:
    """The strings and numbers in a JSON document."""
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
        return  # no format escapes any of these characters
    once = {text, _in_hcl(text), _in_go(text), _in_ascii(_in_go(text)), *_in_json(text)}
    yield from once
    for form in once:
        yield from _in_json(form)
    yield from _in_markup(text)
    yield from _in_urls(text.encode(errors="surrogatepass"))


def _in_urls(data: bytes) -> Iterator[str]:
    for quoted in (quote_plus(data), *(quote(data, safe=unescaped) for unescaped in _UNESCAPED_IN_URLS)):
        yield quoted
        yield _PERCENT.sub(lambda match: match[0].lower(), quoted)


# The characters that Python, JavaScript (encodeURIComponent, encodeURI) and Go (path, user) do not escape.
_UNESCAPED_IN_URLS = ("", "/", "!'()*", ";,/?:@&=+$#!'()*", "$&+=:@", "$&+,;=")
_PERCENT = re.compile("%[0-9A-F]{2}")


def _in_markup(text: str) -> Iterator[str]:
    """Escaped for XML as in Python, Java and Go, and for quoted strings of a shell, SQL, YAML and CSV."""
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
    """The base64 characters that encode a text at any offset of a longer encoded text."""
    data = text.encode(errors="surrogatepass")
    for before in range(3):
        encoded = b64encode(b"\0" * before + data).decode()
        stable = encoded[-(-before * 8 // 6) : (before + len(data)) * 8 // 6]
        if len(stable) >= _MIN_BASE64:
            yield stable
            yield stable.replace("+", "-").replace("/", "_")


_MIN_BASE64 = 7  # characters of base64
_MAX_ENCODED = 20_000  # characters of a value
_MAX_DOCUMENT = 200_000  # characters


def _in_json(text: str) -> Iterator[str]:
    quoted = json.dumps(text, ensure_ascii=False)[1:-1].replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    yield quoted
    # Go escapes these characters in JSON by default.
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
    """Escape characters that are not ASCII, as Go's `%+q` and HCL do."""
    return "".join(
        one if one.isascii() else f"\\u{ord(one):04x}" if ord(one) < 0x10000 else f"\\U{ord(one):08x}" for one in text
    )


def _in_hcl(text: str) -> str:
    try:
        return literal(text)[1:-1]
    except NotALiteral:
        return text

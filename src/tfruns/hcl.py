"""HCL literals: what the value of a run's variable must be.

The run API takes each variable's value as an HCL literal, in the syntax of Terraform code: `2`, `true`, `"text"` with
its own quotes, `["a", "b"]`, `{ name = "x" }`. A bare word is a reference, not a string, and a plan with it fails much
later. So the literal is checked before anything is sent; Terraform's own evaluation is not repeated.

Source: HCP Terraform API, "Create a Run"; the HCL native syntax specification, of which this reads the part without
references, calls, operators and templates.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

_MAX_DEPTH = 100  # of nested lists and objects; a variable that needs more is a mistake

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r'[\\"\n\r\t]|[\x00-\x1f\x7f]|([$%])(?=\{)')
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


class NotALiteral(ValueError):
    """Something that is no HCL literal, or has none."""


def literal(value: Any) -> str:
    """The HCL literal of a JSON value: number, boolean, null, string, list or object.

    A string becomes a quoted literal that means exactly this text, with nothing in it left to be interpreted.

    Raises:
        NotALiteral: not a finite number, no text, or nested more than 100 deep.
    """
    return _literal(value, _MAX_DEPTH)


def _literal(value: Any, depth: int) -> str:
    if depth == 0:
        raise NotALiteral(f"lists and objects may be nested {_MAX_DEPTH} deep at most")
    if isinstance(value, str):
        if _HALF_CHARACTER.search(value):
            raise NotALiteral("a text has half of a character in it")
        return f'"{_ESCAPED.sub(_escape, value)}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(item, depth - 1) for item in value)}]"
    if isinstance(value, Mapping):
        pairs = (f"{_literal(str(key), depth)} = {_literal(item, depth - 1)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise NotALiteral("it is neither a finite number, nor a boolean, null, string, list or object") from None


def _escape(match: re.Match[str]) -> str:
    found = match.group(0)
    if match.group(1):
        return found * 2  # `${` is written `$${`
    return _ESCAPES.get(found) or f"\\u{ord(found):04x}"


def is_literal(text: str) -> bool:
    """Whether the text is one HCL literal: no reference, no call, no operator, no template."""
    try:
        reader = _Reader(text)
        reader.skip_lines()
        reader.read_value(_MAX_DEPTH)
        reader.skip_lines()
    except NotALiteral:
        return False
    return reader.is_at_end


_TOKEN = re.compile(
    r"""
    (?P<space>[ \t]+|/\*.*?\*/)
  | (?P<line>\r?\n|(?:\#|//)[^\n]*(?:\n|\Z))
  | (?P<string>"(?:
        [^"\\$%\r\n]
      | \\(?:[nrt"\\]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4}|U000[0-9a-fA-F]{5}|U0010[0-9a-fA-F]{4})
      | \$\$\{ | %%\{ | \$(?!\{) | %(?!\{)      # `$${` is an escape; `${` would begin a template
    )*")
  | (?P<heredoc><<-?(?P<mark>[^\W\d][\w-]*)\r?\n
        (?:(?![ \t]*(?P=mark)[ \t]*\r?$)(?:[^$%\n]|\$\$\{|%%\{|\$(?!\{)|%(?!\{))*\n)*
        [ \t]*(?P=mark)(?=[ \t]*\r?(?:\n|\Z)))
  | (?P<number>-?[ \t]*[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![\w.]))
  | (?P<word>[^\W\d][\w-]*)
  | (?P<mark_of_list>[][{},=:])
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_VALUES = {"string", "heredoc", "number"}


class _Reader:
    """Reads a literal token by token; the value itself is of no interest."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._kind = ""
        self._token = ""
        self._advance()

    @property
    def is_at_end(self) -> bool:
        return not self._kind

    def _advance(self) -> None:
        while True:
            if self._position == len(self._text):
                self._kind = self._token = ""
                return
            found = _TOKEN.match(self._text, self._position)
            if found is None:
                raise NotALiteral("it has something else in it")
            self._position = found.end()
            self._kind = next(kind for kind, token in found.groupdict().items() if token is not None and kind != "mark")
            self._token = found.group(self._kind)
            if self._kind != "space":
                return

    def skip_lines(self) -> None:
        while self._kind == "line":
            self._advance()

    def _take(self, *tokens: str) -> bool:
        """Go past one of these tokens, if it is the next."""
        is_next = self._kind not in {"", "string"} and self._token in tokens
        if is_next:
            self._advance()
        return is_next

    def read_value(self, depth: int) -> None:
        """Go past one value."""
        if depth == 0:
            raise NotALiteral("it is nested too deep")
        if self._kind in _VALUES or (self._kind == "word" and self._token in {"true", "false", "null"}):
            self._advance()
        elif self._take("["):
            self._read_list(depth)
        elif self._take("{"):
            self._read_object(depth)
        else:
            raise NotALiteral("it has something else in it")

    def _read_list(self, depth: int) -> None:
        """`[a, b]`, with line breaks anywhere, and a comma after the last item if one likes."""
        self.skip_lines()
        while not self._take("]"):
            self.read_value(depth - 1)
            self.skip_lines()
            if not self._take(","):
                self._expect("]")
                return
            self.skip_lines()

    def _read_object(self, depth: int) -> None:
        """`{ a = 1, "b" : 2 }`; a line break separates items as well as a comma."""
        self.skip_lines()
        while not self._take("}"):
            if self._kind not in {"word", "string", "number"}:
                raise NotALiteral("a key is neither a name nor a string")
            self._advance()
            self._expect("=", ":")
            self.read_value(depth - 1)
            is_separated = self._kind == "line"
            self.skip_lines()
            is_separated = self._take(",") or is_separated
            self.skip_lines()
            if not is_separated:
                self._expect("}")
                return

    def _expect(self, *tokens: str) -> None:
        if not self._take(*tokens):
            raise NotALiteral(f"it lacks a {' or '.join(tokens)}")

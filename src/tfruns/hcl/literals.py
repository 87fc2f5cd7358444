"""HCL literals, the form of the values of a run's variables.

The run API takes the value of a variable as an HCL literal in Terraform's syntax: `2`, `true`, `"text"` including the
quotes, `["a", "b"]`, `{ name = "x" }`. A bare word is a reference, not a string, and makes the plan fail much later.
The literal is therefore validated before anything is sent.

Source: HCP Terraform API, "Create a Run"; the HCL native syntax specification without references, calls, operators and
templates.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from tfruns.hcl.lexer import HclSyntaxError, Token, TokenKind, TokenReader, tokens

_MAX_DEPTH = 100  # of nested lists and objects

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r'[\\"\n\r\t]|[\x00-\x1f\x7f]|([$%])(?=\{)')
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class NotALiteral(ValueError):
    """A text is not an HCL literal, or a value cannot be written as one."""


def literal(value: Any) -> str:
    """The HCL literal of a JSON value: number, boolean, null, string, list or object.

    Template markers in a string are escaped, so that it keeps exactly this text.

    Raises:
        NotALiteral: a number is not finite, a string contains an unpaired surrogate, or the nesting exceeds 100 levels.
    """
    return _literal(value, _MAX_DEPTH)


def _literal(value: Any, depth: int) -> str:
    if depth == 0:
        raise NotALiteral(f"lists and objects may be nested at most {_MAX_DEPTH} levels deep")
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise NotALiteral("a string contains an unpaired surrogate")
        return f'"{_ESCAPED.sub(_escape, value)}"'
    if isinstance(value, list | tuple):
        return f"[{', '.join(_literal(item, depth - 1) for item in value)}]"
    if isinstance(value, Mapping):
        pairs = (f"{_literal(str(key), depth)} = {_literal(item, depth - 1)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError):
        raise NotALiteral("it is not a finite number, a boolean, null, a string, a list or an object") from None


def _escape(match: re.Match[str]) -> str:
    found = match.group(0)
    if match.group(1):
        return found * 2  # `${` is written `$${`
    return _ESCAPES.get(found) or f"\\u{ord(found):04x}"


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written, with its sign. It can have more digits than a float."""

    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Object:
    """The items of an object, in order. A key can occur twice; Terraform uses the last one."""

    items: tuple[tuple[str, "Literal"], ...]


Literal: TypeAlias = "str | bool | Number | Object | list[Literal] | None"


def read_literal(text: str) -> Literal:
    """Parse a text that is one HCL literal.

    Raises:
        NotALiteral: it contains a reference, a call, an operator or a template, or is not HCL.
    """
    try:
        reader = _Reader(tokens(text))
        reader.skip_newlines()
        value = reader.read_value(_MAX_DEPTH)
        reader.skip_newlines()
    except HclSyntaxError as error:
        raise NotALiteral(str(error)) from None
    if not reader.is_at_end:
        raise NotALiteral("text follows the literal")
    return value


def is_literal(text: str) -> bool:
    """Whether the text is one HCL literal, without references, calls, operators and templates."""
    try:
        read_literal(text)
    except NotALiteral:
        return False
    return True


_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None}


class _Reader(TokenReader):
    """A parser of literals."""

    def skip_newlines(self) -> None:
        while self.token.kind is TokenKind.NEWLINE:
            self.advance()

    def read_value(self, depth: int) -> Literal:
        if depth == 0:
            raise NotALiteral(f"it is nested more than {_MAX_DEPTH} levels deep")
        if self.takes_symbol("["):
            return self._read_list(depth)
        if self.takes_symbol("{"):
            return Object(tuple(self._read_items(depth)))
        if self.takes_symbol("-"):
            return Number(f"-{self._next_of(TokenKind.NUMBER).text}")
        return self._read_scalar()

    def _read_scalar(self) -> Literal:
        token = self._next_of(TokenKind.STRING, TokenKind.HEREDOC, TokenKind.NUMBER, TokenKind.WORD)
        if token.kind is TokenKind.NUMBER:
            return Number(token.text)
        if token.kind is TokenKind.WORD:
            if token.text not in _WORDS:
                raise NotALiteral("a bare word is a reference")
            return _WORDS[token.text]
        return self._value_of(token)

    def _read_list(self, depth: int) -> list[Literal]:
        """Read `a, b]`. Newlines are allowed anywhere, and a comma after the last item."""
        items: list[Literal] = []
        self.skip_newlines()
        while not self.takes_symbol("]"):
            items.append(self.read_value(depth - 1))
            self.skip_newlines()
            if not self.takes_symbol(","):
                self._expect_symbol("]")
                break
            self.skip_newlines()
        return items

    def _read_items(self, depth: int) -> Iterator[tuple[str, Literal]]:
        """Read `a = 1, "b" : 2 }`. Items are separated by commas or newlines."""
        self.skip_newlines()
        while not self.takes_symbol("}"):
            key = self._read_key()
            self._expect_symbol("=", ":")
            yield key, self.read_value(depth - 1)
            is_separated = self.token.kind is TokenKind.NEWLINE
            self.skip_newlines()
            is_separated = self.takes_symbol(",") or is_separated
            self.skip_newlines()
            if not is_separated:
                self._expect_symbol("}")
                return

    def _read_key(self) -> str:
        token = self._next_of(TokenKind.WORD, TokenKind.STRING, TokenKind.NUMBER)
        return self._value_of(token) if token.kind is TokenKind.STRING else token.text

    def _value_of(self, token: Token) -> str:
        if token.value is None:
            raise NotALiteral("a string contains a template or an invalid escape")
        return token.value

    def _next_of(self, *kinds: TokenKind) -> Token:
        if self.token.kind not in kinds:
            raise NotALiteral(f"{self.token.text[:1]!r} is not allowed here" if self.token.text else "it is incomplete")
        return self.advance()

    def _expect_symbol(self, *symbols: str) -> None:
        if not self.takes_symbol(*symbols):
            raise NotALiteral(f"{' or '.join(symbols)} is missing")

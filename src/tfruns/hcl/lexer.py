"""The lexer of HCL: one pass, in time proportional to the size of the text.

A string or heredoc without a template has a value. One with a template has none, because Terraform evaluates it.

Source: HCL native syntax specification, "Lexical Elements", "Template Expressions".
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class HclSyntaxError(ValueError):
    """The text is not HCL."""


class TokenKind(StrEnum):
    """The kind of a token."""

    NEWLINE = "newline"  # also a comment up to the end of its line
    STRING = "string"
    HEREDOC = "heredoc"
    NUMBER = "number"  # without a sign
    WORD = "word"
    SYMBOL = "symbol"  # one character: a bracket, an operator, anything else
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A token.

    Attributes:
        kind: the kind of token.
        text: the source text.
        start: the offset in the source, in characters.
        value: the value of a string or heredoc without a template; otherwise None.
    """

    kind: TokenKind
    text: str
    start: int
    value: str | None = None

    def is_symbol(self, *symbols: str) -> bool:
        """Whether the token is one of these symbols."""
        return self.kind is TokenKind.SYMBOL and self.text in symbols

    @property
    def end(self) -> int:
        """The offset after the token."""
        return self.start + len(self.text)


_TOKEN = re.compile(
    r"""
    (?P<space>[ \t]+|/\*.*?\*/)
  | (?P<newline>\r?\n|(?:\#|//)[^\n]*(?:\n|\Z))
  | (?P<heredoc><<-?(?P<marker>[^\W\d][\w-]*)\r?\n)
  | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
  | (?P<word>[^\W\d][\w-]*)
  | (?P<string>")
  | (?P<unclosed>/\*)
  | (?P<symbol>\S)
    """,
    re.VERBOSE | re.DOTALL,
)
_IN_STRING = re.compile(r'\\.|"|\$\$\{|%%\{|[$%]\{|[\r\n]')
_IN_TEMPLATE = re.compile(r'["{}]')
_TEMPLATE = re.compile(r"(?:\$\$|%%)\{|([$%]\{)")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))|([$%])\4\{", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, without spaces and comments. The last one has the kind `END`.

    Raises:
        HclSyntaxError: a string, a template, a heredoc or a comment is not closed.
    """
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:  # other white space, such as a form feed
            raise HclSyntaxError("a character is not allowed in HCL")
        kind = found.lastgroup if found.lastgroup != "marker" else "heredoc"
        if kind == "space":
            position = found.end()
            continue
        token = _token(kind or "", found)
        position = token.end
        yield token
    yield Token(TokenKind.END, "", len(text))


def _token(kind: str, found: re.Match[str]) -> Token:
    if kind == "unclosed":
        raise HclSyntaxError("a comment is not closed")
    if kind == "string":
        return _string(found.string, found.start())
    if kind == "heredoc":
        return _heredoc(found)
    return Token(TokenKind(kind), found[0], found.start())


def _string(text: str, start: int) -> Token:
    end, has_template = _end_of_string(text, start + 1)
    written = text[start:end]
    return Token(TokenKind.STRING, written, start, None if has_template else _unescape(written[1:-1]))


def _end_of_string(text: str, position: int) -> tuple[int, bool]:
    """The end of the string that is open at `position`, and whether it contains a template.

    Strings and templates nest: `"a ${f("b ${c}")}"`.
    """
    has_template = False
    open_parts = ['"']
    while open_parts:
        in_string = open_parts[-1] == '"'
        found = (_IN_STRING if in_string else _IN_TEMPLATE).search(text, position)
        if found is None or found[0] in {"\r", "\n"}:
            raise HclSyntaxError("a string is not closed")
        position = found.end()
        mark = found[0]
        if mark == '"' and in_string:
            open_parts.pop()
        elif mark == '"':
            open_parts.append('"')
        elif mark in {"${", "%{", "{"}:
            has_template = True
            open_parts.append("{")
        elif mark == "}":
            open_parts.pop()
    return position, has_template


def _unescape(written: str) -> str | None:
    """The value of a string's source text; None if it contains an invalid escape, which Terraform refuses."""
    try:
        return _ESCAPE.sub(_unescaped, written)
    except ValueError:
        return None


def _unescaped(escape: re.Match[str]) -> str:
    if escape[4]:
        return f"{escape[4]}{{"
    if escape[3]:
        if escape[3] not in _ESCAPED:
            raise ValueError(escape[3])
        return _ESCAPED[escape[3]]
    code = int(escape[1] or escape[2], 16)
    if 0xD800 <= code <= 0xDFFF or code > sys.maxunicode:
        raise ValueError(code)
    return chr(code)


def _heredoc(found: re.Match[str]) -> Token:
    marker = re.compile(rf"^[ \t]*{re.escape(found['marker'])}(?=[ \t]*\r?(?:\n|\Z))", re.MULTILINE)
    closing = marker.search(found.string, found.end())
    if closing is None:
        raise HclSyntaxError("a heredoc is not closed")
    body = found.string[found.end() : closing.start()]
    written = found.string[found.start() : closing.end()]
    if any(template[1] for template in _TEMPLATE.finditer(body)):
        return Token(TokenKind.HEREDOC, written, found.start())
    if found[0].startswith("<<-"):
        body = _without_indentation(body)
    return Token(TokenKind.HEREDOC, written, found.start(), body.replace("$${", "${").replace("%%{", "%{"))


def _without_indentation(body: str) -> str:
    lines = body.splitlines(keepends=True)
    indentation = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0)
    return "".join(line[indentation:] if line.strip() else line for line in lines)


class TokenReader:
    """A stream of tokens with one token of lookahead, the base of all parsers here."""

    def __init__(self, source: Iterator[Token]) -> None:
        self._source = source
        self.end = 0  # the offset behind the last consumed token
        self.token = next(source)

    @property
    def is_at_end(self) -> bool:
        """Whether all tokens are consumed."""
        return self.token.kind is TokenKind.END

    def advance(self) -> Token:
        """Consume the next token and return it. The `END` token is never consumed."""
        token = self.token
        if not self.is_at_end:
            self.end = token.end
            self.token = next(self._source)
        return token

    def takes_symbol(self, *symbols: str) -> bool:
        """Consume the next token if it is one of these symbols. Returns whether it was."""
        is_next = self.token.is_symbol(*symbols)
        if is_next:
            self.advance()
        return is_next

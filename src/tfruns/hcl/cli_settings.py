"""The settings of a Terraform CLI configuration file, which is HCL 1 or JSON.

HCL 1 has no expressions. A key may be quoted (`"hashicorp/null" = "/dir"`), a block may be written as an object
(`credentials = { … }`), and items need no separator.

Source: Terraform, "CLI Configuration File"; the grammar of HCL 1, "SPEC.md" of its repository.
"""

import json
from collections.abc import Iterator
from typing import Any

from tfruns.hcl.lexer import HclSyntaxError, Token, TokenKind, TokenReader, tokens

_MAX_DEPTH = 100
Path = tuple[str, ...]


def read_cli_settings(text: str) -> list[tuple[Path, str]]:
    """The strings of a file with their paths, such as `("credentials", "app.terraform.io", "token")`.

    List items have the path of the list. Numbers, booleans and templates are omitted.

    Raises:
        HclSyntaxError: the file is neither HCL 1 nor a JSON object, or is nested more than 100 levels deep.
    """
    if not text.lstrip(" \t\r\n").startswith("{"):
        return list(_Reader(_without_newlines(text)).read_file())
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise HclSyntaxError("it is not JSON") from None
    return list(_strings(document, (), _MAX_DEPTH))


def _strings(value: Any, path: Path, depth: int) -> Iterator[tuple[Path, str]]:
    if not depth:
        raise HclSyntaxError("it is nested too deeply")
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, path, depth - 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key), depth - 1)


def _without_newlines(text: str) -> Iterator[Token]:
    return (token for token in tokens(text) if token.kind is not TokenKind.NEWLINE)


class _Reader(TokenReader):
    def read_file(self) -> Iterator[tuple[Path, str]]:
        yield from self._read_items((), _MAX_DEPTH)
        if not self.is_at_end:
            raise HclSyntaxError("a bracket is closed that was never opened")

    def _read_items(self, path: Path, depth: int) -> Iterator[tuple[Path, str]]:
        """Read items (`key = value`, `key "label" { … }`) up to the end or a closing brace."""
        if not depth:
            raise HclSyntaxError("it is nested too deeply")
        while not self.is_at_end and not self.token.is_symbol("}"):
            keys = [self._read_key()]
            while not self.token.is_symbol("=", "{"):
                keys.append(self._read_key())
            self.takes_symbol("=")
            yield from self._read_value((*path, *keys), depth)
            self.takes_symbol(",")

    def _read_key(self) -> str:
        token = self.advance()
        if token.kind is TokenKind.STRING and token.value is not None:
            return token.value
        if token.kind not in {TokenKind.WORD, TokenKind.NUMBER}:
            raise HclSyntaxError("a key is neither a name nor a string")
        name = token
        while self.token.start == name.end and (self.token.is_symbol(".", "-") or self.token.kind in _IN_NAMES):
            joined = self.advance()
            name = Token(TokenKind.WORD, name.text + joined.text, name.start)
        return name.text

    def _read_value(self, path: Path, depth: int) -> Iterator[tuple[Path, str]]:
        if self.takes_symbol("{"):
            yield from self._read_items(path, depth - 1)
            if not self.takes_symbol("}"):
                raise HclSyntaxError("a block is not closed")
        elif self.takes_symbol("["):
            yield from self._read_list(path, depth - 1)
        else:
            self.takes_symbol("-")
            token = self.advance()
            if token.kind not in _SCALARS:
                raise HclSyntaxError("a value is missing")
            if token.value is not None:
                yield path, token.value

    def _read_list(self, path: Path, depth: int) -> Iterator[tuple[Path, str]]:
        if not depth:
            raise HclSyntaxError("it is nested too deeply")
        while not self.takes_symbol("]"):
            yield from self._read_value(path, depth)
            if not self.takes_symbol(",") and not self.token.is_symbol("]"):
                raise HclSyntaxError("a list is not closed")


_IN_NAMES = {TokenKind.WORD, TokenKind.NUMBER}
_SCALARS = {TokenKind.STRING, TokenKind.HEREDOC, TokenKind.NUMBER, TokenKind.WORD}

"""The blocks of a Terraform file and their string arguments. Other expressions are skipped, not evaluated.

Source: HCL native syntax specification, "Structural Elements".
"""

from dataclasses import dataclass, field

from tfruns.hcl.lexer import HclSyntaxError, TokenKind, TokenReader, tokens

_MAX_DEPTH = 100
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Block:
    """A block.

    Attributes:
        words: the type and labels.
        settings: the arguments that are strings without templates, by name.
        arguments: the source text of all arguments, by name.
        blocks: the nested blocks.
    """

    words: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)


def read_blocks(text: str) -> list[Block]:
    """The blocks of a file.

    Raises:
        HclSyntaxError: the structure is invalid, or nested more than 100 levels deep.
    """
    return read_file(text).blocks


def read_file(text: str) -> Block:
    """The arguments and blocks of a file.

    Raises: as `read_blocks`.
    """
    source = text.removeprefix("\ufeff")
    reader = _Reader(source)
    file = Block(())
    reader.read_body(file, _MAX_DEPTH)
    if not reader.is_at_end:
        raise HclSyntaxError("a bracket is closed that was never opened")
    return file


class _Reader(TokenReader):
    def __init__(self, text: str) -> None:
        super().__init__(tokens(text))
        self._text = text

    @property
    def _is_at_end_of_body(self) -> bool:
        return self.is_at_end or self.token.is_symbol("}")

    def read_body(self, block: Block, depth: int) -> None:
        """Read the content of a block, up to its closing brace."""
        if not depth:
            raise HclSyntaxError("blocks are nested too deep")
        while not self._is_at_end_of_body:
            token = self.advance()
            if token.kind is TokenKind.NEWLINE:
                continue
            if token.kind is not TokenKind.WORD:
                raise HclSyntaxError("neither an argument nor a block")
            if self.token.is_symbol("="):
                self.advance()
                self._read_argument(block, token.text)
            else:
                block.blocks.append(self._read_block(token.text, depth))

    def _read_block(self, word: str, depth: int) -> Block:
        words = [word]
        while not self.token.is_symbol("{"):
            label = self.advance()
            text = label.text if label.kind is TokenKind.WORD else label.value
            if text is None or label.kind is TokenKind.HEREDOC:
                raise HclSyntaxError("a block has something other than labels before its brace")
            words.append(text)
        self.advance()
        block = Block(tuple(words))
        self.read_body(block, depth - 1)
        if self.is_at_end:
            raise HclSyntaxError("a block is not closed")
        self.advance()
        return block

    def _read_argument(self, block: Block, name: str) -> None:
        first = self.token
        self._read_value(block, name)
        block.arguments[name] = self._text[first.start : self.end]

    def _read_value(self, block: Block, name: str) -> None:
        first = self.token
        if first.kind is TokenKind.STRING and first.value is not None:
            self.advance()
            if self.token.kind is TokenKind.NEWLINE or self._is_at_end_of_body:
                block.settings[name] = first.value
                return
        self._skip_expression()

    def _skip_expression(self) -> None:
        """Skip an expression, up to the end of its line or the closing brace of its block."""
        open_brackets: list[str] = []
        while not self.is_at_end:
            if not open_brackets and (self.token.kind is TokenKind.NEWLINE or self.token.is_symbol("}")):
                return
            token = self.advance()
            if token.is_symbol(*_CLOSING):
                open_brackets.append(_CLOSING[token.text])
            elif token.is_symbol(*_CLOSING.values()) and (not open_brackets or open_brackets.pop() != token.text):
                raise HclSyntaxError("brackets do not match")
        if open_brackets:
            raise HclSyntaxError("a bracket is not closed")

"""The blocks of a Terraform file, and the plain strings in them. What would have to be evaluated is passed over.

Neither of the libraries serves here: `pyhcl` reads HCL 1, and fails on most of today's configurations; a full parser of
HCL 2 is large and slow for the one block that is wanted. This follows the structure of the native syntax alone, in one
pass: comments, strings with templates in them, heredocs, brackets.

Source: HCL native syntax specification, "Lexical Elements", "Structural Elements".
"""

import re
from dataclasses import dataclass, field

_SPACE = re.compile(r"(?:[ \t\r]|/\*.*?\*/)*", re.DOTALL)
_LINES = re.compile(r"(?:\s|/\*.*?\*/|(?:#|//)[^\n]*)*", re.DOTALL)
_WORD = re.compile(r"[^\W\d][\w-]*")
_PLAIN = re.compile(r'"((?:[^"\\$%\n]|\\["\\]|\$(?!\{)|%(?!\{))*)"')
_END_OF_LINE = re.compile(r"(?:[ \t\r]|/\*.*?\*/)*(?:(?:#|//)[^\n]*)?(?:\n|\Z|(?=\}))", re.DOTALL)
_HEREDOC = re.compile(r"<<-?([^\W\d][\w-]*)[ \t]*\r?\n")
_OTHERS = re.compile(r"[^\s\"{}()\[\]#/<]+")
_OTHERS_IN_STRING = re.compile(r"[^\"\\$%\n]+")
_DEEPEST = 100
_OPENING, _CLOSING = "([{", ")]}"


class NotReadable(ValueError):
    """It is not the text of a Terraform file."""


@dataclass(frozen=True, slots=True)
class Block:
    """A block.

    Attributes:
        words: its type and labels.
        settings: its arguments that are plain strings, by name.
        blocks: those in it.
    """

    words: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)
    blocks: list["Block"] = field(default_factory=list)


def read_blocks(text: str) -> list[Block]:
    """The blocks of a file.

    Raises:
        NotReadable: its structure is broken, or nested more than 100 deep.
    """
    reader = _Reader(text.removeprefix("\ufeff"))
    file = Block(())
    reader.read_body(file, _DEEPEST)
    if not reader.is_at_end:
        raise NotReadable("a bracket is closed that was never opened")
    return file.blocks


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._text)

    @property
    def _next(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return found

    def read_body(self, block: Block, depth: int) -> None:
        """Read what is in a block, up to the bracket that closes it."""
        if not depth:
            raise NotReadable("it is nested too deep")
        while self._skip(_LINES) and self._next not in {"", "}"}:
            word = self._skip(_WORD)
            if word is None:
                raise NotReadable("there is something else than an argument or a block")
            self._skip(_SPACE)
            if self._next == "=":
                self._at += 1
                self._read_argument(block, word[0])
            else:
                block.blocks.append(self._read_block(word[0], depth))

    def _read_block(self, word: str, depth: int) -> Block:
        words = [word]
        while self._next != "{":
            label = self._skip(_PLAIN) or self._skip(_WORD)
            if label is None:
                raise NotReadable("a block has something else than labels before its bracket")
            words.append(label[1] if label.re is _PLAIN else label[0])
            self._skip(_SPACE)
        self._at += 1
        block = Block(tuple(words))
        self.read_body(block, depth - 1)
        if self._next != "}":
            raise NotReadable("a block is not closed")
        self._at += 1
        return block

    def _read_argument(self, block: Block, name: str) -> None:
        self._skip(_SPACE)
        start = self._at
        plain = self._skip(_PLAIN)
        if plain is not None and self._skip(_END_OF_LINE) is not None:
            block.settings[name] = re.sub(r"\\(.)", r"\1", plain[1])
            return
        self._at = start
        self._pass_expression()

    def _pass_expression(self) -> None:
        """Go past an expression: to the end of the line, or to the bracket that closes the block around it."""
        brackets: list[str] = []
        while not self.is_at_end:
            if not brackets and (self._next in "\n}" or self._text.startswith(("#", "//"), self._at)):
                return
            self._pass_token(brackets)
        if brackets:
            raise NotReadable("a bracket is not closed")

    def _pass_token(self, brackets: list[str]) -> None:
        """Go past a comment, a string, a heredoc, a bracket or anything else; `brackets` are those that are open."""
        space = self._skip(_LINES if brackets else _SPACE)
        if (space is not None and space[0]) or self._skip(_OTHERS) is not None:
            return
        heredoc = self._skip(_HEREDOC)
        if heredoc is not None:
            self._pass_heredoc(heredoc[1])
            return
        if self._text.startswith("/*", self._at):
            raise NotReadable("a comment is not closed")
        character = self._next
        self._at += 1
        if character == '"':
            self._pass_string(_DEEPEST)
        elif character and character in _OPENING:
            brackets.append(_CLOSING[_OPENING.index(character)])
        elif character and character in _CLOSING and (not brackets or brackets.pop() != character):
            raise NotReadable("brackets do not match")

    def _pass_heredoc(self, mark: str) -> None:
        end = re.compile(rf"^[ \t]*{re.escape(mark)}[ \t]*\r?$", re.MULTILINE).search(self._text, self._at)
        if end is None:
            raise NotReadable("a heredoc is not closed")
        self._at = end.end()

    def _pass_string(self, depth: int) -> None:
        """Go past the rest of a string, with the templates in it."""
        if not depth:
            raise NotReadable("it is nested too deep")
        while self._next not in {"", '"', "\n"}:
            if self._skip(_OTHERS_IN_STRING) is not None:
                continue
            if self._next == "\\" or self._text.startswith(("$${", "%%{"), self._at):
                self._at += 2 if self._next == "\\" else 3
            elif self._text.startswith(("${", "%{"), self._at):
                self._at += 2
                self._pass_template(depth - 1)
            else:
                self._at += 1
        if self._next != '"':
            raise NotReadable("a string is not closed")
        self._at += 1

    def _pass_template(self, depth: int) -> None:
        """Go past the rest of a template, to its closing bracket."""
        brackets = 1
        while brackets and not self.is_at_end:
            character = self._next
            self._at += 1
            if character == '"':
                self._pass_string(depth)
            else:
                brackets += (character == "{") - (character == "}")
        if brackets:
            raise NotReadable("a template is not closed")

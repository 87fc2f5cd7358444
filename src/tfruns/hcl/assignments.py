"""The assignments of a file of variables (.tfvars)."""

from collections.abc import Iterator

from tfruns.hcl.blocks import read_file
from tfruns.hcl.lexer import HclSyntaxError
from tfruns.hcl.literals import NotALiteral, literal, read_literal


def read_assignments(text: str) -> Iterator[tuple[str, str]]:
    """The names and literals of the assignments in a text.

    Raises:
        HclSyntaxError: it is not HCL.
        NotALiteral: a value contains a reference, a call or a template.
    """
    file = read_file(text)
    if file.blocks:
        raise HclSyntaxError("it contains a block")
    for key, source in file.arguments.items():
        try:
            value = read_literal(source)
        except NotALiteral as error:
            raise NotALiteral(f"{key} is not a literal: {error}") from None
        yield key, literal(value) if isinstance(value, str) else source

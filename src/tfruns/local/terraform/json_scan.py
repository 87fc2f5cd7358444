"""JSON that this program need not, or cannot, take apart: whether it is complete, and single values at its top level.

Terraform writes numbers of any length and values of any depth, which no JSON library of Python reads. The scan has no
limits: it takes time in proportion to the text, and no stack.
"""

import re

_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|["\[\]{}]', re.DOTALL)
_VALUE = re.compile(rb'\s*:\s*("(?:[^"\\]|\\.)*"|[-+.\w]+)', re.DOTALL)
_CLOSING = {b"}": b"{", b"]": b"["}


def top_level_scalars(text: bytes) -> dict[bytes, bytes] | None:
    """The strings, numbers and constants at the top level of a JSON object, as they are written, by the key's text.

    Returns:
        None if it is no JSON object that is complete.
    """
    found: dict[bytes, bytes] = {}
    open_brackets: list[bytes] = []
    end = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        word = token[0]
        if not open_brackets and (word != b"{" or end):
            return None
        if word in b"{[":
            open_brackets.append(word)
        elif word in _CLOSING:
            if not open_brackets or open_brackets.pop() != _CLOSING[word]:
                return None
            end = token.end()
        elif word == b'"':  # a string that does not end
            return None
        elif len(open_brackets) == 1 and (value := _VALUE.match(text, token.end())):
            found[word[1:-1]] = value[1].strip(b'"')
    is_complete = bool(end) and not open_brackets and not text[end:].strip()
    return found if is_complete and text.lstrip().startswith(b"{") else None

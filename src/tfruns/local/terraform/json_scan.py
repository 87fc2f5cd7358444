"""A scan of JSON without parsing it: checks that it is complete, and reads scalars at its top level.

Terraform writes numbers of any length and values of any depth, which Python's JSON libraries do not parse. The scan
has no such limits: its time is linear in the size of the text, and it is not recursive.
"""

import re

_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*"|["\[\]{}]', re.DOTALL)
_VALUE = re.compile(rb'\s*:\s*("(?:[^"\\]|\\.)*"|[-+.\w]+)', re.DOTALL)
_CLOSING = {b"}": b"{", b"]": b"["}


def top_level_scalars(text: bytes) -> dict[bytes, bytes] | None:
    """Read the strings, numbers and constants at the top level of a JSON object.

    Returns:
        The text of each value by the text of its key; None if the text is not a complete JSON object.
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
        elif word == b'"':  # an unterminated string
            return None
        elif len(open_brackets) == 1 and (value := _VALUE.match(text, token.end())):
            found[word[1:-1]] = value[1].strip(b'"')
    is_complete = bool(end) and not open_brackets and not text[end:].strip()
    return found if is_complete and text.lstrip().startswith(b"{") else None

"""HCL literals: what the value of a run's variable must be.

The run API takes each variable's value as an HCL literal, in the syntax of Terraform code: `2`, `true`, `"text"` with
its own quotes, `["a", "b"]`, `{ name = "x" }`. A bare word is a reference, not a string, and a plan with it fails much
later. So the literal is checked before anything is sent; Terraform's own evaluation is not repeated.

Source: HCP Terraform API, "Create a Run"; the HCL native syntax specification.
"""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lark import Token, Tree
    from typing_extensions import TypeIs

_MAX_DEPTH = 100  # of nested lists and objects; a variable that needs more is a mistake

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = re.compile(r'[\\"\n\r\t]|[\x00-\x1f\x7f]|([$%])(?=\{)')

# The grammar rules of python-hcl2 that a literal may consist of; a reference, a call or a template needs another one.
_LITERAL_RULES = frozenset(
    {
        "expr_term",
        "float_lit",
        "heredoc_template",
        "heredoc_template_trim",
        "int_lit",
        "literal_value",  # true, false, null
        "new_line_or_comment",
        "object",
        "object_elem",
        "object_elem_key",
        "string",
        "string_part",
        "tuple",
        "unary_op",
    }
)


class NotALiteral(ValueError):
    """A JSON value that has no HCL literal."""


def literal(value: Any) -> str:
    """The HCL literal of a JSON value: number, boolean, null, string, list or object.

    A string becomes a quoted literal that means exactly this text, with nothing in it left to be interpreted.

    Raises:
        NotALiteral: not a finite number, or nested more than 100 deep.
    """
    return _literal(value, _MAX_DEPTH)


def _literal(value: Any, depth: int) -> str:
    if depth == 0:
        raise NotALiteral(f"lists and objects may be nested {_MAX_DEPTH} deep at most")
    if isinstance(value, str):
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
    text = text.strip()
    if text in {"true", "false", "null"} or _NUMBER.fullmatch(text):
        return True
    return text[:1] in {'"', "[", "{", "<"} and _parses_as_literal(text)


def _parses_as_literal(text: str) -> bool:
    import hcl2  # noqa: PLC0415  # 70 ms, and most runs have no variables
    from lark.exceptions import LarkError  # noqa: PLC0415

    try:
        document = hcl2.parses_to_tree(f"value = {text}\n")
    except (LarkError, RecursionError):
        return False
    attributes = [node for node in document.children[0].children if _rule(node) != "new_line_or_comment"]
    return len(attributes) == 1 and _rule(attributes[0]) == "attribute" and _is_literal_node(attributes[0].children[-1])


def _is_literal_node(root: "Tree[Token] | Token") -> bool:
    """Walk down from an expression; without recursion, since the text may nest as deep as it likes."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        if _is_token(node):
            if not _is_literal_token(node):
                return False
        elif _is_bare_key(node):
            continue
        elif node.data not in _LITERAL_RULES or (node.data == "unary_op" and not _is_number(node.children[-1])):
            return False
        else:
            nodes.extend(filter(None, node.children))  # the parser leaves None for what is optional
    return True


def _is_number(node: "Tree[Token] | Token") -> bool:
    return not _is_token(node) and node.data == "expr_term" and _rule(node.children[0]) in {"int_lit", "float_lit"}


def _is_literal_token(token: "Token") -> bool:
    """Whether a token can stand in a literal: no parenthesis, no operator but a sign, no template in a heredoc."""
    if token.type.startswith("HEREDOC"):
        return re.search(r"[$%]\{", token) is None
    if token.type == "STRING_CHARS":
        return "\n" not in token
    return token.type not in {"LPAR", "NOT"}


def _is_token(node: "Tree[Token] | Token") -> "TypeIs[Token]":
    return not hasattr(node, "children")


def _is_bare_key(node: "Tree[Token]") -> bool:
    """Whether this is the key `a` of `{ a = 1 }`, which is a name and no reference."""
    if node.data != "object_elem_key" or len(node.children) != 1:
        return False
    (term,) = node.children
    return (
        not _is_token(term) and term.data == "expr_term" and [_rule(child) for child in term.children] == ["identifier"]
    )


def _rule(node: "Tree[Token] | Token") -> str:
    return str(getattr(node, "data", ""))

"""HCL literals: their recognition and their values."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.tables import rows
from tfruns.hcl.literals import NotALiteral, Number, Object, is_literal, literal, read_literal


# The HCL native syntax specification; Terraform 1.11 accepts each of these as a local value.
@rows(
    "text",
    [
        *(
            "true",
            "false",
            "null",
            "0",
            "-1",
            "1.5",
            "-0.5",
            "1e5",
            "1E+5",
            "1.5e-07",
            "123456789012345678901234567890",
        ),
        *('""', '"a"', '" "', '"é 😀"', '"a\\"b"', '"\\n\\r\\t\\\\"', '"\\u00e9"', '"\\U0001F600"'),
        *('"$"', '"a$b"', '"100%"', '"$$"', '"$${x}"', '"%%{x}"', '"$$${x}"', '"#"', '"//"', '"/* x"', '"[1"', '"{"'),
        *("[]", "[1]", "[1,]", '[1, "a", true, null, [], {}]', "[\n1,\n2,\n]", "[-1, 1.5e-7]", '[[["a"]]]'),
        *("{}", "{a=1}", '{ "a" = 1 }', "{ a : 1 }", '{"a":1,"b":[1,2]}', "{ a = 1, b = 2 }", "{\n a = 1\n b = 2\n}"),
        *(
            "{ a-b = 1 }",
            "{ 1 = 2 }",
            "{ true = 1 }",
            "{ null = 1 }",
            '{ "a b" = 1 }',
            '{ "for" = 1 }',
            "{a={b={c=[]}}}",
        ),
        *("[1, # c\n 2]", "[1 /* c */]", "{ // c\n a = 1\n}"),
        *("<<EOT\nhello\nEOT", "<<-EOT\n  hello\n  EOT", "[<<EOT\nhello\nEOT\n]"),
    ],
)
def test_terraform_literal_is_recognized(text: str) -> None:
    assert is_literal(text)
    assert is_literal(f" \n{text}\n ")


@rows("text", ['"$${"', '"%%{"', '"a $${ b"', '["$${"]'])
def test_escaped_template_needs_no_closing_brace(text: str) -> None:
    assert is_literal(text)


_NO_LITERALS = {
    "empty texts": ["", " ", "\n", "\t \n"],
    "bare words": [
        "text",
        "hello world",
        "us-east-1",
        "t2.micro",
        "True",
        "NULL",
        "'a'",
        "NaN",
        "Infinity",
        "10.0.0.0/16",
    ],
    "references": [
        "var.x",
        "local.a",
        "[a]",
        "[a.b]",
        "{ a = b }",
        "{ a = b.c }",
        "[[a]]",
        "[{ a = [b] }]",
        "data.x.y.z",
    ],
    "computed keys": ["{ (a) = 1 }", "{ a.b = 1 }", '{ "${a}" = 1 }', '{ "${"x"}" = 1 }', "{ a[0] = 1 }"],
    "calls": [
        "foo()",
        'file("/etc/passwd")',
        '[file("x")]',
        "{ a = uuid() }",
        "provider::x::y()",
        "[provider::x::y()]",
    ],
    "templates": [
        '"${var.x}"',
        '"${"a"}"',
        '["${"a"}"]',
        '"%{ if true }x%{ endif }"',
        '"a${"',
        '"%{"',
        '{ a = "${b}" }',
    ],
    "templates in heredocs": [
        "<<EOT\n${x}\nEOT",
        "<<-EOT\n  a ${x}\n  EOT",
        "<<EOT\n%{ if x }\nEOT",
        "[<<EOT\n${x}\nEOT\n]",
    ],
    "operators": ["1 + 1", "[1 + 1]", '"a" == "a"', '["a" == "a"]', "true ? 1 : 2", "true && false", "[true || false]"],
    "unary operators": [
        "!true",
        "[!true]",
        "-a",
        "[-a]",
        '-"x"',
        '[-"x"]',
        "--1",
        "[--1]",
        "[-true]",
        "[-[1]]",
        "[-{}]",
    ],
    "access": ["[1][0]", "{}.a", '{ a = 1 }["a"]', '"a"[0]', "[].*", "[][*]", "[[1][0]]", '["a"[0]]'],
    "comprehensions": [
        "[for x in []: x]",
        "{ for k, v in {}: k => v }",
        "[for x in [1]: x if true]",
        "[[for x in []: x]]",
    ],
    "expansion": ['"a"...', "[1...]", "[1]..."],
    "parentheses": ["(1)", "[(1)]", '{ "a" = (1) }', "(true)"],
    "numbers of other languages": [".5", "1.", "0x1f", "+1", "1_000", "1e", "\uff11\uff12", "\u0663"],
    "several literals": ["1 2", '"a" "b"', "1, 2", "[1 2]", "[] []", "{} {}", "true false"],
    "incomplete literals": [
        '"a',
        'a"',
        "[1",
        "[1, 2",
        "{ a = 1",
        "{ a }",
        "{ a = }",
        "[,]",
        "{ a = 1,, }",
        "<<EOT\nx",
        "<EOT",
        "]",
    ],
    "line breaks in quotes": ['"a\nb"', '["a\nb"]', '{ "a\nb" = 1 }'],
}


@rows("text", [pytest.param(text, id=f"{kind}: {text!r}") for kind, texts in _NO_LITERALS.items() for text in texts])
def test_expression_or_invalid_syntax_is_not_a_literal(text: str) -> None:
    assert not is_literal(text)


@rows(
    "text",
    [
        "1\nother = 2",
        '"a"\nother = "b"',
        '"a"\n}\nresource "x" "y" {',
        "[1]\nother = [2]",
        "{ a = 1 }\nblock {\n}",
        "<<EOT\na\nEOT\nother = 1",
        '"a" # c\nother = 1',
        '"a"\r\nother = 1',
    ],
)
def test_literal_followed_by_other_text_is_rejected(text: str) -> None:
    assert not is_literal(text)


# Each is an error in Terraform 1.11: invalid escape sequence, missing attribute separator, invalid multi-line string.
@rows(
    "text",
    [
        '"\\x"',
        '"\\$"',
        '"\\u12"',
        '"\\ud83d"',
        '["\\x"]',
        '{ "\\x" = 1 }',
        "{ a = 1 b = 2 }",
        "{ a =\n 1 }",
        "{ a\n= 1 }",
        "{ a = # c\n 1 }",
        '"\r"',
    ],
)
def test_literal_that_terraform_rejects_is_rejected(text: str) -> None:
    assert not is_literal(text)


_LONG = {
    "deep list": ("[" * 100 + "]" * 100, True),
    "too deep list": ("[" * 20_000 + "]" * 20_000, False),  # the limit of a JSON value also applies to a text
    "too deep object": ("{a=" * 20_000 + "1" + "}" * 20_000, False),
    "open brackets": ("[" * 20_000, False),
    "long string": ('"' + "a" * 500_000 + '"', True),
    "long escapes": ('"' + "\\\\" * 100_000 + '"', True),
    "dollars": ('"' + "$" * 100_000 + '"', True),
    "quotes": ('"' * 20_001, False),
    "open templates": ('"' + '${"' * 5_000, False),
    "open comments": ("[" + "/*" * 50_000, False),
    "open heredocs": ("<<E\n" * 20_000, False),
    "long heredoc": ("<<E\n" + "x\n" * 50_000 + "E", True),
    "heredoc with similar markers": ("<<E\n" + "  E x\n" * 20_000, False),
    "comments": ("[" + "/* */" * 20_000 + "1]", True),
    "line breaks": ("[" + "\n" * 50_000 + "]", True),
    "minuses": ("[" + "-" * 3_000 + "1]", False),
    "digits": ("1" * 100_000, True),
    "long list": ("[" + ",".join("1" * 10_000) + "]", True),
}


@rows(("text", "expected"), _LONG.values(), ids=list(_LONG))
def test_long_or_deep_text_is_parsed_in_bounded_time(text: str, expected: bool) -> None:
    started = time.monotonic()
    assert is_literal(text) is expected
    assert time.monotonic() - started < 10  # most take a tenth of a second on an idle machine


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_text_is_a_literal_or_not(text: str) -> None:
    assert is_literal(text) in {True, False}


_PIECES = [
    '"',
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "=",
    ",",
    "\n",
    " ",
    "a",
    "1",
    "-",
    "!",
    "$",
    "%",
    "\\",
    "<<E\n",
    "\nE",
    "#",
    "/*",
    ".",
]


@given(st.lists(st.sampled_from(_PIECES), max_size=14).map("".join))
@example('"a"\n}\nx {')
@settings(deadline=None)
def test_any_text_of_language_tokens_is_a_literal_or_not(text: str) -> None:
    assert is_literal(text) in {True, False}


@rows(
    ("text", "expected"),
    [
        ('"a"', "a"),
        ("-1.50", Number("-1.50")),
        ("- 1", Number("-1")),
        ("9" * 5000, Number("9" * 5000)),
        ("[true, null, false,]", [True, None, False]),
        ('{ a = 1\n "b c" : [<<-E\n  x\n  E\n] }', Object((("a", Number("1")), ("b c", ["x\n"])))),
        ("{ a = 1, a = 2 }", Object((("a", Number("1")), ("a", Number("2"))))),
    ],
)
def test_literal_is_parsed_to_its_value(text: str, expected: object) -> None:
    assert read_literal(text) == expected


@rows("text", ["", "a", "1 2", '"${a}"', "[1", "{ a }", "f(1)", "1 + 1", "- a", '"a'])
def test_text_that_is_not_a_literal_has_no_value(text: str) -> None:
    with pytest.raises(NotALiteral):
        read_literal(text)


@given(st.text())
def test_string_literal_is_parsed_to_the_same_string(text: str) -> None:
    assert read_literal(literal(text)) == text

"""The HCL lexer loses no text. Strings have values, templates do not."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.growth import assert_linear
from tests.support.tables import rows
from tfruns.hcl.lexer import HclSyntaxError, TokenKind, tokens


@rows(
    ("text", "value"),
    [
        ('"a"', "a"),
        ('"\\n\\r\\t\\"\\\\"', '\n\r\t"\\'),
        ('"\\u00e9\\U0001F600"', "é😀"),
        ('"$${a} %%{b} $$ % $"', "${a} %{b} $$ % $"),
        ('"$$${a}"', "$${a}"),
        ('"${a}"', None),
        ('"%{ if a }b%{ endif }"', None),
        ('"a ${f("b ${c}", { d = "}" })} e"', None),
        ('"\\x41"', None),
        ('"\\ud83d"', None),
        ('"\\UFFFFFFFF"', None),
        ("<<EOT\na\n b\nEOT", "a\n b\n"),
        ("<<-EOT\n    a\n\n      b\n  EOT", "a\n\n  b\n"),
        ("<<EOT\n$${a} \\n\nEOT", "${a} \\n\n"),
        ("<<EOT\n${a}\nEOT", None),
        ("<<EOT\nEOTX\nEOT", "EOTX\n"),
    ],
)
def test_string_has_a_value_and_template_has_none(text: str, value: str | None) -> None:
    token, end = tokens(text)
    assert (token.text, token.value, end.kind) == (text, value, TokenKind.END)


@rows("text", ['"a', '"a\n"', '"${a"', '"${"a}"', "<<EOT\na", "/* a", '"a\\', "\f"])
def test_unclosed_token_is_rejected(text: str) -> None:
    with pytest.raises(HclSyntaxError):
        list(tokens(text))


@given(st.text(alphabet='ab"\\{}[]=,-.0# \n/*<$%_ET') | st.text())
def test_tokens_and_the_space_between_them_are_the_text(text: str) -> None:
    position = 0
    with suppress(HclSyntaxError):
        for token in tokens(text):
            between = text[position : token.start]
            assert not between.strip(" \t") or between.strip(" \t").startswith("/*")
            assert text[token.start : token.end] == token.text
            position = token.end
        assert position == len(text)


@rows("piece", ["/*", "/* */", "<<A\n", '"', '"${', "#\n", '"\\"', "<<A\nA\n", "-", "a.", "${", '"$${'])
def test_time_is_proportional_to_the_size_of_a_text(piece: str) -> None:
    def read(length: int) -> None:
        with suppress(HclSyntaxError):
            list(tokens(piece * (length // len(piece))))

    assert_linear(read, 10_000, piece)

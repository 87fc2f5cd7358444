"""The blocks of a Terraform file are found among any other syntax. An invalid file is rejected."""

from contextlib import suppress

import pytest

from tests.support.growth import assert_linear
from tests.support.tables import rows
from tfruns.hcl.blocks import Block, read_blocks
from tfruns.hcl.lexer import HclSyntaxError

AROUND = """
# a comment { with "marks
/* another } one */
locals {
  text  = "a ${jsonencode({ b = "}" })} $${not} %{ if true }x%{ endif } \\" }"
  list  = [
    "x", # }
    { y = 1 },
  ]
  here  = <<-EOT
    terraform { cloud { organization = "wrong" } }
    "unclosed
  EOT
  sum   = 1 + (2 * 3) // }
  other = var.a == "b" ? 1 : 2
}
resource "terraform_data" "one" { input = "x" }
"""


def test_block_is_found_between_other_syntax() -> None:
    blocks = read_blocks(AROUND + 'terraform {\n  cloud {\n    organization = "acme" # ours\n  }\n}\n' + AROUND)
    assert [block.words for block in blocks] == [
        *[("locals",), ("resource", "terraform_data", "one")],
        ("terraform",),
        *[("locals",), ("resource", "terraform_data", "one")],
    ]
    assert blocks[2].blocks == [Block(("cloud",), {"organization": "acme"}, {"organization": '"acme"'})]
    assert blocks[1].settings == {"input": "x"}


@rows(
    ("text", "expected"),
    [
        ('a { b = "c" }', {"b": "c"}),
        ('a {\n  b = "c"\r\n  d = "e"\r\n}\r\n', {"b": "c", "d": "e"}),
        ('a {\n  b = "say \\"x\\""\n}', {"b": 'say "x"'}),
        ("a {\n  b = var.c\n  d = 1\n}", {}),
        ('a {\n  b = "x-${var.c}"\n}', {}),
        ('a {\n  b = "x" == "y"\n}', {}),
        ('a {\n  b = upper("x")\n}', {}),
        ('\ufeffa { b = "c" }', {"b": "c"}),
    ],
)
def test_settings_are_strings_without_expressions(text: str, expected: dict[str, str]) -> None:
    (block,) = read_blocks(text)
    assert block.settings == expected


@rows(
    "text",
    [
        "a {",
        "a }",
        "}",
        'a { b = "c',
        "a { b = [1, 2 }",
        "a { b = (1] }",
        "a {\n b = <<EOT\n x\n}",
        "a { b = 1 /* }",
        'a { b = "${c" }',
        "= 1",
        "a = {",
        "a {" * 500 + "}" * 500,
        "\0",
    ],
)
def test_invalid_file_is_rejected(text: str) -> None:
    with pytest.raises(HclSyntaxError):
        read_blocks(text)


@rows("piece", ["/*", "<<A\n", '"', "${", '"${', "a{", "a=[", "#\n", "a = 1\n", "/* */", "<<-", " ", "(", '"\\"', "x"])
def test_time_is_proportional_to_the_size_of_a_file(piece: str) -> None:
    def read(length: int) -> None:
        with suppress(HclSyntaxError):
            read_blocks("a = " + piece * (length // len(piece)))

    assert_linear(read, 10_000, piece)

"""The variables of a new run: --var, --var-string, --var-file and TF_VAR_."""

from pathlib import Path

import pytest

from tests.support.tables import rows
from tfruns.cli.run.variables import collect_variables, read_variable_file
from tfruns.errors import InvalidInput

_DECLARATIONS = """
variable "region" { type = string }
variable "code" { type = string }
variable "zones" { type = list(string) }
variable "size" {
  type    = number
  default = 1
}
variable "plain" {}
"""


def collected(directory: Path, *literals: str, strings: tuple[str, ...] = (), files: tuple[Path, ...] = ()) -> object:
    return {item["key"]: item["value"] for item in collect_variables(literals, strings, files, directory)}


@rows(
    ("given", "value"),
    [
        ("n=2", "2"),
        ("n=-1.5", "-1.5"),
        ("n=007", '"007"'),
        ("n=1.10", '"1.10"'),
        ("n=true", "true"),
        ("n=null", "null"),
        ('n=["a", "b"]', '["a", "b"]'),
        ("n={ a = 1 }", "{ a = 1 }"),
        ('n="a=b"', '"a=b"'),
        ("n=eu-west-1", '"eu-west-1"'),
        ("n=var.secret", '"var.secret"'),
        ("n=a b", '"a b"'),
        ("n=", '""'),
        ("n=${x}", '"$${x}"'),
        ("region=true", '"true"'),
        ("region=1.10", '"1.10"'),
        ("code=[x", '"[x"'),
        ("size=3", "3"),
        ('zones=["a"]', '["a"]'),
        (" plain =x", '"x"'),
    ],
)
def test_value_is_read_as_in_terraform(tmp_path: Path, given: str, value: str) -> None:
    (tmp_path / "main.tf").write_text(_DECLARATIONS)
    assert collected(tmp_path, given) == {given.partition("=")[0].strip(): value}


def test_string_option_keeps_exactly_the_text(tmp_path: Path) -> None:
    assert collected(tmp_path, strings=('t=a "b" ${c}', "n=2")) == {"t": '"a \\"b\\" $${c}"', "n": '"2"'}


@rows("text", ["secret", "=secret", "9k=1", "a b=1", 'k="secret', "k=[secret]", "k={ a = secret", "k=<<secret"])
def test_invalid_variable_is_refused_without_its_value(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        collected(tmp_path, text)
    assert "secret" not in str(caught.value.as_dict())


def test_variable_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="a is given twice"):
        collected(tmp_path, "a=1", strings=("a=x",))


def test_variable_files_are_read_in_order_below_the_command_line(tmp_path: Path) -> None:
    first, second = tmp_path / "a.tfvars", tmp_path / "b.tfvars.json"
    first.write_text('# comment\nsize = 2 # two\nname="a"\nlist = [\n  "x",\n]\ntext = <<EOT\nhello\nEOT\n')
    second.write_text('{"size": 3, "flag": true, "map": {"a": null}}')
    assert collected(tmp_path, "name=b", files=(first, second)) == {
        "size": "3",
        "name": '"b"',
        "list": '[\n  "x",\n]',
        "text": '"hello\\n"',
        "flag": "true",
        "map": '{"a" = null}',
    }


@rows(
    ("name", "text", "why"),
    [
        ("a.tfvars", "x = var.secret", "x is not a literal"),
        ("a.tfvars", 'x = "${secret}"', "x is not a literal"),
        ("a.tfvars", "secret {}", "it contains a block"),
        ("a.tfvars", "x = [", "is not a file of variables"),
        ("a.tfvars.json", "[1]", "it is not a JSON object"),
        ("a.tfvars.json", "{secret", "it is not a JSON object"),
        ("missing.tfvars", None, "cannot be read: No such file"),
    ],
)
def test_invalid_variable_file_is_explained_without_values(
    tmp_path: Path, name: str, text: str | None, why: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_variable_file(tmp_path / name)
    assert why in str(caught.value)
    assert "secret" not in str(caught.value.as_dict())


def test_environment_sets_declared_variables_that_no_file_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {"region": "7", "size": "2", "zones": '["a"]', "plain": "p", "undeclared": "x"}.items():
        monkeypatch.setenv(f"TF_VAR_{key}", value)
    assert collected(tmp_path) == {}
    (tmp_path / "main.tf").write_text(_DECLARATIONS)
    (tmp_path / "x.auto.tfvars").write_text('plain = "of the file"\n')
    assert collected(tmp_path) == {"region": '"7"', "size": "2", "zones": '["a"]'}
    assert collected(tmp_path, "size=9", "region=x") == {"region": '"x"', "size": "9", "zones": '["a"]'}


def test_json_configuration_declares_variables(tmp_path: Path) -> None:
    (tmp_path / "main.tf.json").write_text('{"variable": {"code": {"type": "string"}, "other": {}}}')
    (tmp_path / "broken.tf").write_text("variable {")
    assert collected(tmp_path, "code=1", "other=1") == {"code": '"1"', "other": "1"}

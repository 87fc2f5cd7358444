"""Variables as input of Terraform."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local.terraform.conftest import Bench, local_exec, outputs_of
from tests.support.tables import rows
from tfruns.local.terraform.variables import (
    BadVariable,
    VariableValue,
    check_environment,
    sensitive_texts,
    write_var_file,
)
from tfruns.vocabulary import PhaseStatus

ECHO = """
variable "a" {}
output "a" { value = var.a }
"""


def test_strings_are_quoted_and_literals_are_not(tmp_path: Path) -> None:
    path = tmp_path / "x.tfvars"
    write_var_file(
        path, [VariableValue("a", "${b} 1"), VariableValue("c", '["d"]', is_hcl=True), VariableValue("a", "last")]
    )
    assert path.read_text() == 'a = "last"\nc = ["d"]\n'
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("key", ["", "a b", "a=1\nb", '"a"', "1a", "a.b"])
def test_key_must_be_an_identifier(tmp_path: Path, key: str) -> None:
    with pytest.raises(BadVariable, match="its name is not an identifier"):
        write_var_file(tmp_path / "x.tfvars", [VariableValue(key, "secret-value")])


@pytest.mark.parametrize("value", ["secret-value", "1\nb = 2", '"secret', "var.a", ""])
def test_invalid_literal_is_rejected_without_its_value(tmp_path: Path, value: str) -> None:
    with pytest.raises(BadVariable) as error:
        write_var_file(tmp_path / "x.tfvars", [VariableValue("a", value, is_hcl=True)])
    assert str(error.value) == "The variable a cannot be passed to Terraform: the value is not an HCL literal."


@rows("variable", [VariableValue("", "x"), VariableValue("a=b", "x"), VariableValue("a", "x\0y")])
def test_invalid_environment_variable_is_rejected(variable: VariableValue) -> None:
    with pytest.raises(BadVariable):
        check_environment([variable])


def test_only_sensitive_values_are_secrets() -> None:
    variables = [
        VariableValue("a", "open"),
        VariableValue("b", "shut", is_sensitive=True),
        VariableValue("c", '{k="v"}', True, True),
    ]
    assert sensitive_texts(variables) == ["shut", '{k="v"}', "v"]
    assert "shut" not in repr(variables)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_terraform_reads_any_string_unchanged(bench: Bench, text: str) -> None:
    import unicodedata

    bench.given(ECHO, variables=(VariableValue("a", text),), state=None)
    assert outputs_of(bench.applied().state)["a"] == unicodedata.normalize("NFC", text)


def test_precedence_of_run_workspace_and_configuration_variables(bench: Bench) -> None:
    bench.given(
        """
        variable "a" {}
        variable "b" {}
        variable "c" {}
        output "all" { value = [var.a, var.b, var.c] }
        """,
        {"x.auto.tfvars": 'a = "auto"\nb = "auto"\nc = "auto"\n', "terraform.tfvars": 'a = "file"\n'},
        variables=(VariableValue("b", "workspace"), VariableValue("c", "workspace"), VariableValue("undeclared", "x")),
        run_variables=(VariableValue("c", '{ from = ["run", 1] }', is_hcl=True),),
    )
    assert outputs_of(bench.applied().state)["all"] == ["auto", "workspace", {"from": ["run", 1]}]


def test_ephemeral_variable_is_set_during_the_apply(bench: Bench) -> None:
    bench.given(
        'variable "a" {\n ephemeral = true\n}\nresource "terraform_data" "x" {}', variables=(VariableValue("a", "x"),)
    )
    assert bench.applied().counts.additions == 1


def test_invalid_variable_fails_the_plan_and_is_logged(bench: Bench) -> None:
    bench.given(ECHO, variables=(VariableValue("a", "[secret-value", is_hcl=True, is_sensitive=True),))
    outcome = bench.plan()
    assert (outcome.status, outcome.error) == (
        PhaseStatus.ERRORED,
        "The variable a cannot be passed to Terraform: the value is not an HCL literal.",
    )
    assert (
        "Error: The variable a cannot be passed to Terraform: the value is not an HCL literal."
        in bench.plan_log.read_text()
    )


def test_sensitive_value_in_an_error_is_masked(bench: Bench) -> None:
    bench.given(
        'variable "a" { type = number }\nvariable "b" { type = string }',
        variables=(VariableValue("a", "hunter-22", is_sensitive=True), VariableValue("b", '["hunter-33"]', True, True)),
    )
    outcome = bench.plan()
    assert outcome.status is PhaseStatus.ERRORED
    log = bench.plan_log.read_text()
    assert "Invalid value for input variable" in log
    assert "[removed]" in log
    assert not [secret for secret in ("hunter-22", "hunter-33") if secret in log + str(outcome)]


def test_printed_sensitive_environment_variable_is_masked(bench: Bench) -> None:
    bench.given(
        local_exec("echo it is $PASSWORD"),
        environment=(VariableValue("PASSWORD", 'hun"ter<22>', is_sensitive=True),),
    )
    bench.applied()
    log = bench.apply_log.read_text()
    assert "it is [removed]" in log
    assert "hun" not in log

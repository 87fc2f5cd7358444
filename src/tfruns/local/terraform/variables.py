"""The variables of a workspace and of a run, on their way into Terraform.

They go into variable files on the command line, of which a later one wins, and all win over the `*.auto.tfvars` and
`terraform.tfvars` of the configuration. Source: HCP Terraform, "Variables", precedence. A variable that the
configuration does not declare only makes Terraform warn.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tfruns.hcl.literals import NotALiteral, is_literal, literal
from tfruns.masking.arguments import hcl_texts

_ENVIRONMENT_PREFIX = "TF_VAR_"  # such a variable of the environment gives an HCL value to one of Terraform
_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_ENVIRONMENT_NAME = re.compile(r"[^=\0]+")


class BadVariable(ValueError):
    """A variable that Terraform could not be given. The text names it and does not hold its value."""


@dataclass(frozen=True)
class VariableValue:
    """A variable with its value.

    Attributes:
        key: its name.
        value: a text; or, if `is_hcl`, an HCL literal. A run's own variables always are literals.
        is_hcl: which of the two.
        is_sensitive: whether the value is to be kept out of logs.
    """

    key: str
    value: str = field(repr=False)
    is_hcl: bool = False
    is_sensitive: bool = False


def write_var_file(path: Path, variables: Iterable[VariableValue]) -> None:
    """Write variables into a file that Terraform reads and only its owner may; of two with one key the last counts.

    Raises:
        BadVariable: a key is no identifier, or a value no literal. Terraform would quote the line, whatever it holds.
    """
    lines = {variable.key: f"{variable.key} = {_expression(variable)}\n" for variable in variables}
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.writelines(lines.values())


def check_environment(variables: Iterable[VariableValue]) -> None:
    """Check that these can be environment variables at all.

    Raises:
        BadVariable: a name or a value cannot.
    """
    for variable in variables:
        if not _ENVIRONMENT_NAME.fullmatch(variable.key) or "\0" in variable.value:
            raise BadVariable(f"The environment variable {variable.key!r} has a name or a value that none can have.")


def sensitive_texts(variables: Iterable[VariableValue]) -> list[str]:
    """The texts that must not be read in a log: the values of sensitive variables, and what is nested in them."""
    texts: list[str] = []
    for variable in variables:
        if variable.is_sensitive:
            is_hcl = variable.is_hcl or variable.key.startswith(_ENVIRONMENT_PREFIX)
            texts += hcl_texts(variable.value) if is_hcl else [variable.value]
    return texts


def _expression(variable: VariableValue) -> str:
    if not _IDENTIFIER.fullmatch(variable.key):
        raise BadVariable(f"{variable.key!r} cannot be the name of a Terraform variable.")
    if variable.is_hcl:
        if not is_literal(variable.value):
            raise BadVariable(f"The value of the variable {variable.key} is not an HCL literal.")
        return variable.value
    try:
        return literal(variable.value)
    except NotALiteral as error:
        raise BadVariable(f"The value of the variable {variable.key} cannot be written: {error}.") from None

"""The variables of a workspace and of a run, as input of Terraform.

They are passed in variable files on the command line. A later file overrides an earlier one, and all override the
`*.auto.tfvars` and `terraform.tfvars` of the configuration. Source: HCP Terraform, "Variables", precedence. Terraform
only warns about a variable that the configuration does not declare.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tfruns.hcl.literals import NotALiteral, is_literal, literal
from tfruns.masking.arguments import hcl_texts

_ENVIRONMENT_PREFIX = "TF_VAR_"  # such an environment variable sets a Terraform variable to an HCL value
_IDENTIFIER = re.compile(r"[^\W\d][\w-]*")
_ENVIRONMENT_NAME = re.compile(r"[^=\0]+")


class BadVariable(ValueError):
    """A variable that cannot be passed to Terraform. The message contains its name, but not its value."""


@dataclass(frozen=True)
class VariableValue:
    """A variable with its value.

    Attributes:
        key: the name.
        value: a string or, if `is_hcl`, an HCL literal. The variables of a run are always literals.
        is_hcl: whether the value is an HCL literal.
        is_sensitive: whether the value is masked in logs.
    """

    key: str
    value: str = field(repr=False)
    is_hcl: bool = False
    is_sensitive: bool = False


def write_var_file(path: Path, variables: Iterable[VariableValue]) -> None:
    """Write variables to a file that is readable only by its owner. The last of several with the same key is used.

    Raises:
        BadVariable: a key is not an identifier, or a value is not a literal. Terraform's error would quote the line.
    """
    lines = {variable.key: f"{variable.key} = {_expression(variable)}\n" for variable in variables}
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.writelines(lines.values())


def check_environment(variables: Iterable[VariableValue]) -> None:
    """Check the names and values of environment variables.

    Raises:
        BadVariable: the operating system does not allow a name or a value.
    """
    for variable in variables:
        if not _ENVIRONMENT_NAME.fullmatch(variable.key) or "\0" in variable.value:
            raise BadVariable(
                f"The environment variable {variable.key!r} cannot be set: its name must not be empty or contain `=`, "
                "and neither name nor value may contain a NUL character."
            )


def sensitive_texts(variables: Iterable[VariableValue]) -> list[str]:
    """The secrets to mask: the values of sensitive variables and the strings nested in them."""
    texts: list[str] = []
    for variable in variables:
        if variable.is_sensitive:
            is_hcl = variable.is_hcl or variable.key.startswith(_ENVIRONMENT_PREFIX)
            texts += hcl_texts(variable.value) if is_hcl else [variable.value]
    return texts


def _expression(variable: VariableValue) -> str:
    if not _IDENTIFIER.fullmatch(variable.key):
        raise BadVariable(
            f"The variable {variable.key!r} cannot be passed to Terraform: its name is not an identifier."
        )
    if variable.is_hcl:
        if not is_literal(variable.value):
            raise BadVariable(
                f"The variable {variable.key} cannot be passed to Terraform: the value is not an HCL literal."
            )
        return variable.value
    try:
        return literal(variable.value)
    except NotALiteral as error:
        raise BadVariable(f"The variable {variable.key} cannot be passed to Terraform: {error}.") from None

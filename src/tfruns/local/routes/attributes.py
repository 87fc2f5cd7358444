"""What several write endpoints accept for the same attribute."""

import re
from typing import Annotated

from pydantic import AfterValidator

MAX_TEXT = 1024
"""The longest description, name of a source and the like."""

NO_AGENTS = "there are no agents here"
_MODES = ("remote", "local")
_VERSION = re.compile(r"v?\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?")
_CONSTRAINT = re.compile(rf"\s*(=|!=|>=?|<=?|~>)?\s*{_VERSION.pattern}\s*")


def checked_version(version: str) -> str:
    """A version of Terraform, or a constraint such as `~> 1.11.0`.

    Raises:
        ValueError: it is neither.
    """
    if len(version) > 60 or not (
        version in {"", "latest"} or all(_CONSTRAINT.fullmatch(part) for part in version.split(","))
    ):
        raise ValueError("is not a version of Terraform, such as 1.11.4, or a constraint, such as ~> 1.11.0")
    return version


def _checked_mode(mode: str) -> str:
    if mode == "agent":
        raise ValueError(f"cannot be agent: {NO_AGENTS}")
    if mode not in _MODES:
        raise ValueError(f"has to be {' or '.join(_MODES)}")
    return mode


ExecutionMode = Annotated[str, AfterValidator(_checked_mode)]
"""Where the runs of a workspace are executed: here, or (`local`) by whoever uses the workspace, which keeps states."""

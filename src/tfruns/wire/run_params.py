"""The options of a new run. Source: HCP Terraform API, "Create a Run"; for `policy-paths` and `invoke-action-addrs`,
the OpenAPI document.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from tfruns.errors import InvalidInput
from tfruns.hcl.literals import NotALiteral, is_literal, literal
from tfruns.jsonapi import JSON
from tfruns.wire.base import to_kebab
from tfruns.wire.run_options import option_conflict

_VARIABLE_KEY = r"^[A-Za-z_][A-Za-z0-9_-]*$"


def _as_literal(value: Any, info: ValidationInfo) -> str:
    """Convert a JSON value to an HCL literal. A string must already be one."""
    key = info.data.get("key", "")
    if not isinstance(value, str):
        return _of_python(key, value)
    if not is_literal(value):
        raise InvalidInput(
            f"{_named(key)} is not an HCL literal.",
            cause="Without quotes, text in HCL is a reference, not a string.",
            solution='Include the quotes in the value: "\\"some text\\"" in JSON. Numbers, booleans, lists and objects '
            "can be plain JSON.",
        )
    return value


MAX_MESSAGE = 10_000  # characters; the limit is ours, the API documents none


def check_message(message: str | None) -> None:
    """Refuse a message that is too long.

    Raises:
        InvalidInput: it is longer than MAX_MESSAGE; nothing was sent.
    """
    if message is not None and len(message) > MAX_MESSAGE:
        raise InvalidInput(
            f"The message has {len(message):,} characters; at most {MAX_MESSAGE:,} are allowed.",
            solution="Shorten it.",
        )


class RunVariableParam(BaseModel):
    """A variable of a new run."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    key: Annotated[str, Field(pattern=_VARIABLE_KEY)]
    value: Annotated[
        Any,
        BeforeValidator(_as_literal),
        Field(description='HCL literal or JSON: 2, true, "text" (in quotes), ["a"], {a = 1}', repr=False),
        # Every JSON value is accepted. The schema says `string`, which can express all of them: some clients refuse a
        # union, a list of anything, or an object without properties.
        WithJsonSchema({"type": "string"}),
    ]


def _as_list(variables: Any) -> Any:
    """Convert a dictionary of Python values to a list of variables. A string becomes a quoted literal."""
    if not isinstance(variables, Mapping):
        return variables
    return [{"key": key, "value": _of_python(key, value)} for key, value in variables.items()]


def _of_python(key: object, value: object) -> str:
    try:
        return literal(value)
    except NotALiteral as error:
        raise InvalidInput(f"{_named(key)} cannot be written as an HCL literal: {error}.") from None


def _named(key: object) -> str:
    return f"The value of the variable {key}".rstrip()


if TYPE_CHECKING:
    RunVariables = list[RunVariableParam] | Mapping[str, Any]
else:
    # Only a list is stored. A union would appear in the schema of the tool, and in the locations of its errors.
    RunVariables = Annotated[list[RunVariableParam], BeforeValidator(_as_list)]


class RunParams(BaseModel):
    """The options of a new run. Omitted options (None) are not sent; the API's defaults apply.

    `variables` can be a dictionary of Python values: `{"region": "eu", "size": 2, "zones": ["a", "b"]}`. A string in it
    is a text. In a list of `RunVariableParam`, a string is an HCL literal, so that a text has quotes: `"eu"`.

    Raises:
        InvalidInput: options cannot be used together, or the value of a variable is not an HCL literal.
        pydantic.ValidationError: an option is unknown, or a value has the wrong type.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, defer_build=True)

    message: Annotated[str | None, Field(description="Purpose of the run")] = None
    is_destroy: Annotated[bool | None, Field(description="Destroy all resources")] = None
    auto_apply: Annotated[bool | None, Field(description="Apply without confirmation after the plan")] = None
    refresh: Annotated[bool | None, Field(description="Refresh state before planning (API default: true)")] = None
    refresh_only: Annotated[bool | None, Field(description="Only update the state to match reality")] = None
    plan_only: Annotated[bool | None, Field(description="Speculative plan that cannot be applied")] = None
    target_addrs: Annotated[list[str] | None, Field(description="Resource addresses for -target")] = None
    replace_addrs: Annotated[list[str] | None, Field(description="Resource addresses for -replace")] = None
    variables: Annotated[RunVariables | None, Field(description="Override the workspace's", repr=False)] = None
    configuration_version_id: Annotated[
        str | None, Field(description='"cv-…"; default: the latest of the workspace')
    ] = None
    save_plan: Annotated[bool | None, Field(description="Plan now, apply later; does not block the queue")] = None
    allow_empty_apply: Annotated[bool | None, Field(description="Apply even without changes")] = None
    allow_config_generation: Annotated[bool | None, Field(description="Generate code for imports")] = None
    debugging_mode: Annotated[bool | None, Field(description="TF_LOG=TRACE")] = None
    terraform_version: Annotated[str | None, Field(description="Only with plan_only")] = None
    policy_paths: Annotated[list[str] | None, Field(description="Paths of policies to evaluate")] = None
    invoke_action_addrs: Annotated[list[str] | None, Field(description="Addresses of actions to invoke")] = None

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        """Refuse combinations that the run API refuses, or of which it silently ignores one option."""
        conflict = option_conflict(self)
        if conflict is not None:
            raise InvalidInput(conflict.message, solution=conflict.solution)
        return self

    def as_attributes(self) -> dict[str, JSON]:
        """The given options by wire name, without the configuration version, which is a relationship."""
        given = self.model_dump(exclude_none=True, exclude={"configuration_version_id"})
        return {to_kebab(name): value for name, value in given.items()}

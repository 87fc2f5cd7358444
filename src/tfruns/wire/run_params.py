"""The options of a new run. Source: HCP Terraform API, "Create a Run"; for `policy-paths` and `invoke-action-addrs`,
the OpenAPI document.
"""

from typing import Annotated, Any, Self

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

_VARIABLE_KEY = r"^[A-Za-z_][A-Za-z0-9_-]*$"


def _as_literal(value: Any, info: ValidationInfo) -> str:
    """A string has to be an HCL literal already; any other JSON value is written as one."""
    variable = f"The value of the variable {info.data.get('key', '')}".rstrip()
    if not isinstance(value, str):
        try:
            return literal(value)
        except NotALiteral as error:
            raise InvalidInput(f"{variable} has no HCL literal: {error}.") from None
    if not is_literal(value):
        raise InvalidInput(
            f"{variable} is no HCL literal.",
            cause="A text without quotes of its own is a reference in HCL, not a string.",
            solution='Put the quotes into the value: "\\"some text\\"" in JSON; numbers, booleans, lists and objects '
            "can be given as plain JSON.",
        )
    return value


MAX_MESSAGE = 10_000  # characters; the API documents no limit, and a longer message is an accident


def check_message(message: str | None) -> None:
    """Refuse a message that is too long.

    Raises:
        InvalidInput: it is longer than MAX_MESSAGE.
    """
    if message is not None and len(message) > MAX_MESSAGE:
        raise InvalidInput(
            f"The message has {len(message):,} characters; at most {MAX_MESSAGE:,} are allowed.",
            solution="Shorten it.",
        )


class RunVariableParam(BaseModel):
    """A variable of the new run."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    key: Annotated[str, Field(pattern=_VARIABLE_KEY)]
    value: Annotated[
        Any,
        BeforeValidator(_as_literal),
        Field(description='HCL literal, e.g. "2" or "\\"text\\""; or a JSON number, boolean, list, object', repr=False),
        WithJsonSchema({"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "array", "object")]}),
    ]


class RunParams(BaseModel):
    """The options of a new run. What is not said (or is None) is not sent, and the API's own default holds.

    Raises:
        InvalidInput: options that exclude each other, or a variable whose value is no HCL literal.
        pydantic.ValidationError: an unknown option, or a value of the wrong type.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    message: Annotated[str | None, Field(description="Purpose of the run")] = None
    is_destroy: Annotated[bool | None, Field(description="Destroy all resources")] = None
    auto_apply: Annotated[bool | None, Field(description="Apply without confirmation after the plan")] = None
    refresh: Annotated[bool | None, Field(description="Refresh state before planning (API default: true)")] = None
    refresh_only: Annotated[bool | None, Field(description="Only update the state to match reality")] = None
    plan_only: Annotated[bool | None, Field(description="Speculative plan that cannot be applied")] = None
    target_addrs: Annotated[list[str] | None, Field(description="Resource addresses for -target")] = None
    replace_addrs: Annotated[list[str] | None, Field(description="Resource addresses for -replace")] = None
    variables: Annotated[list[RunVariableParam] | None, Field(description="Override the workspace's", repr=False)] = (
        None
    )
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
        """Run API: these exclude or need each other. The API would refuse them, or ignore one without a word."""
        if self.is_destroy and self.refresh_only:
            raise InvalidInput("is_destroy and refresh_only exclude each other.", solution="Give only one of them.")
        if self.terraform_version is not None and not self.plan_only:
            raise InvalidInput(
                "terraform_version is only possible for a plan-only run.",
                solution="Add plan_only: true, or leave terraform_version out.",
            )
        if self.allow_empty_apply and self.plan_only:
            raise InvalidInput(
                "allow_empty_apply makes no sense for a plan-only run, which is never applied.",
                solution="Give only one of allow_empty_apply and plan_only.",
            )
        return self

    def as_attributes(self) -> dict[str, JSON]:
        """What was said, under the wire's names; the configuration version is a relationship and not among them."""
        said = self.model_dump(exclude_none=True, exclude={"configuration_version_id"})
        return {to_kebab(name): value for name, value in said.items()}

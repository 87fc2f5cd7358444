"""The options of a run, the operation that follows from them, and the options that conflict.

Source: HCP Terraform API, "Create a Run"; for `policy-paths` and `invoke-action-addrs`, the OpenAPI document.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, Self

from pydantic import BaseModel, ConfigDict

from tfruns.next_actions import Argument, Text
from tfruns.vocabulary import RunOperation
from tfruns.wire.base import to_kebab


class RunOptions(BaseModel):
    """The options that a run returns as they were given. An omitted option is None."""

    model_config = ConfigDict(frozen=True, alias_generator=to_kebab, populate_by_name=True, defer_build=True)

    is_destroy: bool | None = None
    refresh: bool | None = None
    refresh_only: bool | None = None
    plan_only: bool | None = None
    save_plan: bool | None = None
    allow_empty_apply: bool | None = None
    allow_config_generation: bool | None = None
    debugging_mode: bool | None = None
    terraform_version: str | None = None
    target_addrs: list[str] | None = None
    replace_addrs: list[str] | None = None
    invoke_action_addrs: list[str] | None = None
    policy_paths: list[str] | None = None

    @property
    def operation(self) -> RunOperation:
        """The run's operation, as in `filter[operation]`.

        Options that decide about queuing take precedence: a destroy run with a saved plan is `save_plan`.
        """
        for is_chosen, operation in (
            (self.plan_only, RunOperation.PLAN_ONLY),
            (self.save_plan, RunOperation.SAVE_PLAN),
            (self.refresh_only, RunOperation.REFRESH_ONLY),
            (self.is_destroy, RunOperation.DESTROY),
            (self.allow_empty_apply, RunOperation.EMPTY_APPLY),
        ):
            if is_chosen:
                return operation
        return RunOperation.PLAN_AND_APPLY

    def with_defaults(self) -> Self:
        """These options, with the API's defaults for omitted flags: only `refresh` defaults to true."""
        flags = [name for name, field in RunOptions.model_fields.items() if field.annotation == bool | None]
        defaults = {name: name == "refresh" for name in flags if getattr(self, name) is None}
        return self.model_copy(update=defaults)


class _Options(Protocol):
    """The options that can conflict, in a request or of a run."""

    @property
    def is_destroy(self) -> bool | None: ...
    @property
    def refresh_only(self) -> bool | None: ...
    @property
    def plan_only(self) -> bool | None: ...
    @property
    def save_plan(self) -> bool | None: ...
    @property
    def allow_empty_apply(self) -> bool | None: ...
    @property
    def terraform_version(self) -> str | None: ...


class OptionConflict(NamedTuple):
    """Why a combination of options is invalid, and the solution."""

    message: Text
    solution: Text


_ONE_OF_THEM = "Set only one of them."
_EXCLUDES_PLAN_ONLY = (" and ", Argument("plan_only"), " cannot be used together: a plan-only run is never applied.")
_CONFLICTS: Sequence[tuple[Callable[[_Options], object], OptionConflict]] = (
    (
        lambda options: options.is_destroy and options.refresh_only,
        OptionConflict(
            (Argument("is_destroy"), " and ", Argument("refresh_only"), " cannot be used together."), _ONE_OF_THEM
        ),
    ),
    (
        lambda options: options.terraform_version is not None and not options.plan_only,
        OptionConflict(
            (Argument("terraform_version"), " requires ", Argument("plan_only"), "."),
            ("Set ", Argument("plan_only"), ", or omit ", Argument("terraform_version"), "."),
        ),
    ),
    (
        lambda options: options.allow_empty_apply and options.plan_only,
        OptionConflict((Argument("allow_empty_apply"), *_EXCLUDES_PLAN_ONLY), _ONE_OF_THEM),
    ),
    (
        lambda options: options.save_plan and options.plan_only,
        OptionConflict((Argument("save_plan"), *_EXCLUDES_PLAN_ONLY), _ONE_OF_THEM),
    ),
)


def option_conflict(options: _Options) -> OptionConflict | None:
    """The first conflict among the options of a new run; None if they are valid together.

    Client and local backend both use this table.
    """
    return next((conflict for applies, conflict in _CONFLICTS if applies(options)), None)

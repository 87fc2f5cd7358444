"""The options of a run, and the operation that follows from them.

Source: HCP Terraform API, "Create a Run"; for `policy-paths` and `invoke-action-addrs`, the OpenAPI document.
"""

from typing import Self

from pydantic import BaseModel, ConfigDict

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
        """The same, with the API's default for every yes or no that was not said: only `refresh` is on by itself."""
        flags = [name for name, field in RunOptions.model_fields.items() if field.annotation == bool | None]
        unsaid = {name: name == "refresh" for name in flags if getattr(self, name) is None}
        return self.model_copy(update=unsaid)

"""The parts of a workspace, a page at a time: outputs, resources, variables, versions, actions, health.

Sensitive values are masked here, whatever the API returns for them.
"""

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from tfruns.client.client import Client
from tfruns.client.listing import Listing, Page
from tfruns.errors import NotFound
from tfruns.jsonapi import JSON
from tfruns.masking.secrets import MASKED, Mask
from tfruns.masking.text import one_line
from tfruns.runs.masks import masker_of_all_plans, without_known_secrets
from tfruns.views.base import View
from tfruns.views.workspaces import (
    ActionRow,
    ConfigurationRow,
    HealthRow,
    OutputRow,
    ResourceRow,
    StateVersionRow,
    VariableRow,
)
from tfruns.wire.base import Resource
from tfruns.wire.configuration_versions import ConfigurationVersion
from tfruns.wire.state_versions import StateVersion, StateVersionOutput
from tfruns.wire.terraform_actions import TerraformAction
from tfruns.wire.variables import Variable
from tfruns.wire.workspaces import Workspace, WorkspaceResource
from tfruns.wording import truncated

_MAX_SEARCHED = 2_000  # items of a list that are searched
_MAX_VALUES = 6_000  # characters of the values of a page
_MAX_VALUE = 20_000  # characters of a value that is the only one
_MAX_TEXT = 300  # characters of a description or an error
_MODULE_STEP = re.compile(r'(?:[^."\[]|\["(?:[^"\\]|\\.)*"\]|\[\d+\])+')  # a name, and possibly an instance key
_NO_STATE = "The workspace has no state yet."

R = TypeVar("R", bound=Resource)


@dataclass(frozen=True, slots=True)
class PartQuery:
    """A request for a page of a part.

    Attributes:
        workspace: the workspace.
        search: a part of the name; empty for all.
        number: the page, from 1.
        size: items per page.
    """

    workspace: Workspace
    search: str
    number: int
    size: int


@dataclass(frozen=True, slots=True)
class Part:
    """A page of a part: its rows, its position, and the API's document."""

    rows: tuple[View, ...]
    document: JSON
    next_page: int | None = None
    total_count: int | None = None
    note: str = ""


async def read_outputs(client: Client, query: PartQuery) -> Part:
    """The outputs of the current state."""
    if query.workspace.current_state_version is None:
        return _nothing(_NO_STATE)
    listing = _without_sensitive_values(client.state_versions.list_current_outputs(query.workspace.id))
    return await _page(listing, query, partial(_output_rows, client), _NO_STATE)


async def read_resources(client: Client, query: PartQuery) -> Part:
    """The resource instances in the current state."""
    return await _page(client.workspaces.list_resources(query.workspace.id), query, _each(_resource_row))


async def read_state_versions(client: Client, query: PartQuery) -> Part:
    """The state versions, newest first."""
    current = query.workspace.current_state_version

    def row(state: StateVersion) -> StateVersionRow:
        return _state_row(state, is_current=current is not None and state.id == current.id)

    return await _page(client.state_versions.list_for_workspace(query.workspace.id), query, _each(row), _NO_STATE)


async def read_configurations(client: Client, query: PartQuery) -> Part:
    """The configuration versions, newest first."""
    current = query.workspace.current_configuration_version

    def row(version: ConfigurationVersion) -> ConfigurationRow:
        return _configuration_row(version, is_current=current is not None and version.id == current.id)

    return await _page(client.configuration_versions.list_for_workspace(query.workspace.id), query, _each(row))


async def read_variables(client: Client, query: PartQuery) -> Part:
    """The variables, and those of variable sets that apply to the workspace."""
    variables = await client.variables.list_for_workspace(query.workspace.id)
    found = [_without_secret(variable) for variable in variables if _matches(variable, query.search)]
    return _slice(found, query, partial(_variable_rows, masker_of_all_plans(client)))


async def read_actions(client: Client, query: PartQuery) -> Part:
    """The actions that a run can invoke."""
    missing = "This API does not list actions, or they are hidden from this token."
    return await _page(
        client.terraform_actions.list_for_workspace(query.workspace.id), query, _each(_action_row), missing
    )


async def read_health(client: Client, query: PartQuery) -> Part:
    """The result of the latest health assessment."""
    try:
        result = await client.assessments.read_current(query.workspace.id)
    except NotFound:
        return _nothing(
            "No health assessment exists: it is disabled for the workspace, has not run yet, or this API has none."
        )
    row = HealthRow(
        id=result.id,
        at=result.created_at,
        succeeded=result.succeeded,
        drifted=result.drifted,
        resources_drifted=result.resources_drifted,
        resources_undrifted=result.resources_undrifted,
        checks_passed=result.checks_passed,
        checks_failed=result.checks_failed,
        checks_errored=result.checks_errored,
        checks_unknown=result.checks_unknown,
        error=one_line(result.error_message or "", _MAX_TEXT),
    )
    return Part((row,), result.document, total_count=1)


# -- pages ------------------------------------------------------------------------------------------------------------

Rows = Callable[[Sequence[R]], Iterable[View]]


def _each(row: Callable[[R], View]) -> Rows[R]:
    return lambda items: map(row, items)


def _nothing(note: str) -> Part:
    return Part((), {"data": []}, note=note)


async def _page(listing: Listing[R], query: PartQuery, rows: Rows[R], on_missing: str = "") -> Part:
    """A page of a list, or of the items whose name contains the search text.

    Args:
        listing: the list.
        query: the page.
        rows: makes the rows.
        on_missing: the note if the API returns 404: the workspace exists, but this part does not.
    """
    try:
        if query.search:
            return await _searched(listing, query, rows)
        page = await listing.page(query.number, size=query.size)
    except NotFound:
        if not on_missing:
            raise
        return _nothing(on_missing)
    position = page.pagination
    return Part(tuple(rows(page.items)), page.document, position.next_page, position.total_count)


async def _searched(listing: Listing[R], query: PartQuery, rows: Rows[R]) -> Part:
    found: list[R] = []
    seen = 0
    async for item in listing:
        if seen == _MAX_SEARCHED:
            note = f"Only the first {_MAX_SEARCHED:,} were searched."
            return _slice(found, query, rows, note=note)
        seen += 1
        if _matches(item, query.search):
            found.append(item)
    return _slice(found, query, rows)


def _slice(found: Sequence[R], query: PartQuery, rows: Rows[R], *, note: str = "") -> Part:
    """A page of a list that was read completely."""
    first = (query.number - 1) * query.size
    shown = found[first : first + query.size]
    following = query.number + 1 if first + query.size < len(found) else None
    return Part(tuple(rows(shown)), {"data": [item.to_wire() for item in shown]}, following, len(found), note)


def _matches(item: Resource, text: str) -> bool:
    if isinstance(item, WorkspaceResource):
        return text.casefold() in full_address(item).casefold()
    name = next(str(getattr(item, field)) for field in ("key", "name") if hasattr(item, field))
    return text.casefold() in name.casefold()


# -- rows -------------------------------------------------------------------------------------------------------------


def _output_rows(client: Client, outputs: Sequence[StateVersionOutput]) -> Iterable[OutputRow]:
    limit = _limit_of_values(len(outputs))
    return (_output_row(output, limit, client) for output in outputs)


def _without_sensitive_values(listing: Listing[StateVersionOutput]) -> Listing[StateVersionOutput]:
    """The outputs, also in the API's document, with values only for those that are certainly not sensitive."""

    async def read_page(number: int, size: int) -> Page[StateVersionOutput]:
        page = await listing.page(number, size=size)
        outputs = [item if item.sensitive is False else item.model_copy(update={"value": None}) for item in page.items]
        sources = [
            source if item.sensitive is False else {**source, "attributes": {**source["attributes"], "value": None}}
            for item, source in zip(page.items, page.document["data"], strict=True)
        ]
        return Page(outputs, page.pagination, {**page.document, "data": sources})

    return Listing(read_page)


def _limit_of_values(number: int) -> int:
    """The characters of each value on a page with this number of rows."""
    return _MAX_VALUE if number == 1 else _MAX_VALUES // max(1, number)


def _output_row(output: StateVersionOutput, limit: int, client: Client) -> OutputRow:
    if output.sensitive is not False:
        return OutputRow(output.name, output.type, MASKED, sensitive=True)
    masked = without_known_secrets(client, output.value)  # a provider may have copied one without its mark
    text = masked if isinstance(masked, str) else json.dumps(masked, ensure_ascii=False)
    is_truncated = len(text) > limit
    value = truncated(text, limit) if is_truncated else masked
    return OutputRow(output.name, output.type, value, is_truncated=is_truncated or None)


def full_address(resource: WorkspaceResource) -> str:
    """The address of a resource as Terraform writes it.

    HCP Terraform omits `module.` before each module: `network.subnets["a"].aws_subnet.this`.
    """
    module, address = resource.module or "root", resource.address
    if module == "root" or module.startswith("module.") or not address.startswith(f"{module}."):
        return address
    steps = _MODULE_STEP.findall(module)
    return f"module.{'.module.'.join(steps)}{address.removeprefix(module)}"


def _resource_row(resource: WorkspaceResource) -> ResourceRow:
    return ResourceRow(full_address(resource), resource.provider, resource.created_at, resource.updated_at)


def _state_row(state: StateVersion, *, is_current: bool) -> StateVersionRow:
    counts = [resource.get("count") for resource in state.resources or ()]
    is_counted = state.resources_processed is not False and all(isinstance(count, int) for count in counts)
    return StateVersionRow(
        id=state.id,
        serial=state.serial,
        current=is_current or None,
        status=None if state.status == "finalized" else state.status,
        created_at=state.created_at,
        run_id=state.run.id if state.run else None,
        resources=sum(count for count in counts if isinstance(count, int)) if is_counted else None,
        size=state.size,
        terraform=state.terraform_version,
    )


def _without_secret(variable: Variable) -> Variable:
    return variable if variable.sensitive is False else variable.model_copy(update={"value": None})


def _variable_rows(mask: Mask, variables: Sequence[Variable]) -> Iterable[VariableRow]:
    limit = _limit_of_values(len(variables))
    return (_variable_row(variable, limit, mask) for variable in variables)


def _variable_row(variable: Variable, limit: int, mask: Mask) -> VariableRow:
    configurable = variable.configurable
    owner = variable.varset or (configurable if configurable and configurable.type == "varsets" else None)
    return VariableRow(
        key=variable.key,
        category=variable.category,
        value=truncated(mask(variable.value or ""), limit) if variable.sensitive is False else None,
        sensitive=variable.sensitive is not False or None,
        hcl=variable.hcl or None,
        description=one_line(mask(variable.description or ""), _MAX_TEXT),
        variable_set=owner.id if owner else None,
    )


def _configuration_row(version: ConfigurationVersion, *, is_current: bool) -> ConfigurationRow:
    times = [moment for moment in (version.status_timestamps or {}).values() if moment]
    return ConfigurationRow(
        id=version.id,
        status=version.status,
        current=is_current or None,
        at=max(times, default=None),
        source=version.source,
        speculative=version.speculative or None,
        provisional=version.provisional or None,
        error=one_line(version.error_message or version.error or "", _MAX_TEXT),
    )


def _action_row(action: TerraformAction) -> ActionRow:
    keys = tuple(action.for_each_values) if action.for_each_values else action.count_value
    return ActionRow(action.address, action.provider, keys, action.invocation_count)

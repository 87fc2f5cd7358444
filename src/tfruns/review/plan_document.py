"""Parsing of plan JSON: the output of `terraform show -json`, or HCP Terraform's redacted form of it.

Source: Terraform, "JSON Output Format"; HCP Terraform API, "Retrieve the JSON execution plan". The redacted form
contains no state, configuration or variables. It replaces sensitive values by strings that only show whether two
values are equal. Parsing is tolerant: an entry that deviates from the documented format is counted, never dropped
silently.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tfruns.errors import UnexpectedResponse
from tfruns.review.collection import collection_paused
from tfruns.review.exact_json import read_json
from tfruns.review.sensitivity_marks import add_marks, marks_problem

JSONObject = Mapping[str, Any]


class Action(StrEnum):
    """The action on a resource or output: planned, or (in drift) made outside of Terraform."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DESTROY = "destroy"
    FORGET = "forget"
    INVOKE = "invoke"
    READ = "read"
    NO_OP = "no-op"
    UNKNOWN = "unknown"


_ACTIONS: dict[tuple[str, ...], Action] = {
    (): Action.NO_OP,
    ("no-op",): Action.NO_OP,
    ("create",): Action.CREATE,
    ("read",): Action.READ,
    ("update",): Action.UPDATE,
    ("delete",): Action.DESTROY,
    ("forget",): Action.FORGET,
    ("delete", "create"): Action.REPLACE,
    ("create", "delete"): Action.REPLACE,
    ("create", "forget"): Action.REPLACE,
    ("forget", "create"): Action.REPLACE,
}


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one resource or output, or the invocation of one action.

    Attributes:
        address: the address of the resource instance, output or action.
        actions: Terraform's actions, in order.
        change: the values before and after with their marks. For an invocation, `after` is its configuration.
        source: the whole JSON entry.
        deferred: Terraform's reason to defer it to a later run; empty for a planned change.
        is_invocation: whether it invokes an action.
    """

    address: str
    actions: tuple[str, ...]
    change: JSONObject
    source: JSONObject
    deferred: str = ""
    is_invocation: bool = False

    @property
    def action(self) -> Action:
        return Action.INVOKE if self.is_invocation else _ACTIONS.get(self.actions, Action.UNKNOWN)

    @property
    def is_forgetting_replacement(self) -> bool:
        """Whether the old object is forgotten instead of destroyed."""
        return self.action is Action.REPLACE and "forget" in self.actions

    @property
    def type(self) -> str:
        return _text(self.source.get("type"))

    @property
    def is_data(self) -> bool:
        return self.source.get("mode") == "data"

    @property
    def index(self) -> str | int | None:
        """The instance key: an integer with count, a string with for_each."""
        found = self.source.get("index")
        return found if isinstance(found, str | int) else None

    @property
    def reason(self) -> str:
        """Terraform's `action_reason`."""
        return _text(self.source.get("action_reason"))

    @property
    def deposed(self) -> str:
        """The key of a deposed object, which remains after an interrupted replacement."""
        return _text(self.source.get("deposed"))

    @property
    def previous_address(self) -> str:
        return _text(self.source.get("previous_address"))

    @property
    def importing(self) -> JSONObject | None:
        """The import: `id`, `identity` or `unknown`; None if the object is not imported."""
        importing = self.change.get("importing")
        return importing if isinstance(importing, dict) else None

    @property
    def generated_config(self) -> str:
        """The configuration that Terraform generated for an imported resource."""
        return _text(self.change.get("generated_config"))

    @property
    def is_change(self) -> bool:
        """Whether the apply changes the object or its entry in the state."""
        return self.action is not Action.NO_OP or self.importing is not None or bool(self.previous_address)


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """A parsed plan.

    Attributes:
        run_id: the id of the run.
        plan_id: the id of the plan.
        is_redacted: whether this is the redacted form.
        source: the whole JSON document. If its marks are unreliable, marks by attribute name are added.
        changes: the planned change of each resource, in Terraform's order, including unchanged resources.
        invocations: the actions that the apply invokes.
        deferred: changes and invocations that are deferred to a later run.
        drift: changes of resources outside of Terraform.
        outputs: the change of each output of the root module.
        unrecognized: the number of entries with an unknown format.
        marks_problem: why the marks of sensitive values are unreliable; empty if they are reliable.
    """

    run_id: str
    plan_id: str
    is_redacted: bool
    source: JSONObject = field(repr=False)
    changes: tuple[Change, ...] = field(repr=False)
    invocations: tuple[Change, ...] = field(repr=False)
    deferred: tuple[Change, ...] = field(repr=False)
    drift: tuple[Change, ...] = field(repr=False)
    outputs: tuple[Change, ...] = field(repr=False)
    unrecognized: int = 0
    marks_problem: str = ""

    @property
    def is_errored(self) -> bool:
        """Whether planning failed, so that the plan is incomplete and cannot be applied."""
        return self.source.get("errored") is True

    @property
    def is_incomplete(self) -> bool:
        """Whether Terraform reports that another plan is needed after the apply."""
        return self.source.get("complete") is False

    @property
    def has_resource_changes(self) -> bool:
        """Whether the plan has a list of resource changes. Terraform omits an empty list."""
        return isinstance(self.source.get("resource_changes"), list)

    @property
    def relevant_resources(self) -> frozenset[str]:
        """The addresses of resources whose drift may have contributed to the planned changes."""
        attributes = objects_in(self.source.get("relevant_attributes"))
        return frozenset(_text(attribute.get("resource")) for attribute in attributes)


def parse_plan(
    data: bytes, *, run_id: str, plan_id: str, is_redacted: bool, terraform_version: str = ""
) -> PlanDocument:
    """Parse plan JSON.

    Args:
        data: the JSON.
        run_id: the id of the run.
        plan_id: the id of the plan.
        is_redacted: whether it is the redacted form.
        terraform_version: the Terraform version of the run, because the redacted form does not contain it.

    Raises:
        UnexpectedResponse: the data is not a JSON object. The error repeats nothing from it.
    """
    with collection_paused():
        try:
            source = read_json(data)
        except ValueError:
            source = None
        if not isinstance(source, dict):
            raise UnexpectedResponse(
                "The plan's JSON output could not be parsed: it is not a JSON object, or is nested too deeply."
            )
        return read_plan_document(
            source, run_id=run_id, plan_id=plan_id, is_redacted=is_redacted, terraform_version=terraform_version
        )


def read_plan_document(
    source: JSONObject, *, run_id: str, plan_id: str, is_redacted: bool, terraform_version: str = ""
) -> PlanDocument:
    """Parse the JSON object of a plan."""
    problem = marks_problem(source, terraform_version)
    if problem:
        source = add_marks(source)
    lists = {name: _ListSection(source.get(name)) for name in _LISTS}
    outputs = source.get("output_changes") or {}
    named = outputs.items() if isinstance(outputs, dict) else ()
    parsed_outputs = [_parse({"address": f"output.{name}", "change": change}) for name, change in named]
    planned, drifted = ([_parse(entry) for entry in lists[name].objects] for name in _RESOURCES)
    deferred = [_parse(entry.get("resource_change"), _reason(entry)) for entry in lists["deferred_changes"].objects]
    invoked = [_parse_invocation(entry) for entry in lists["action_invocations"].objects]
    deferred_invocations = [
        _parse_invocation(entry.get("action_invocation"), _reason(entry))
        for entry in lists["deferred_action_invocations"].objects
    ]
    everything = (*planned, *drifted, *deferred, *parsed_outputs, *invoked, *deferred_invocations)
    return PlanDocument(
        run_id=run_id,
        plan_id=plan_id,
        is_redacted=is_redacted,
        source=source,
        changes=_recognized(planned),
        invocations=_recognized(invoked),
        deferred=_recognized([*deferred, *deferred_invocations]),
        drift=_recognized(drifted),
        outputs=_recognized(parsed_outputs),
        unrecognized=sum(section.non_objects for section in lists.values())
        + (not isinstance(outputs, dict))
        + (not _is_known_format(source))
        + sum(change is None or change.action is Action.UNKNOWN for change in everything),
        marks_problem=problem,
    )


_RESOURCES = ("resource_changes", "resource_drift")
_LISTS = (*_RESOURCES, "deferred_changes", "action_invocations", "deferred_action_invocations")


def _reason(entry: JSONObject) -> str:
    return _text(entry.get("reason")) or "unknown"


def _is_known_format(source: JSONObject) -> bool:
    """Whether this is a plan, in a supported major version of the format.

    Source: Terraform, "JSON Output Format": a consumer must reject a major version that it does not support.
    """
    version = source.get("format_version", source.get("plan_format_version"))
    if version is None:
        return not _SECTIONS.isdisjoint(source)
    return str(version).partition(".")[0] in _MAJOR_VERSIONS


_SECTIONS = {*_LISTS, "output_changes"}
_MAJOR_VERSIONS = {"0", "1"}


class _ListSection:
    """A section of the plan that is a list: its objects, and the number of items that are not objects."""

    def __init__(self, value: Any) -> None:
        items = value if isinstance(value, list) else [] if value is None else [value]
        self.objects = list(objects_in(items))
        self.non_objects = len(items) - len(self.objects)


def _parse(entry: Any, deferred: str = "") -> Change | None:
    """Parse one entry; None if its address, change or actions are missing."""
    if not isinstance(entry, dict):
        return None
    address, change = entry.get("address") or _built_address(entry), entry.get("change")
    if not isinstance(address, str) or not isinstance(change, dict):
        return None
    actions = change.get("actions")
    if not isinstance(actions, list):
        return None
    return Change(address, tuple(map(str, actions)), change, entry, deferred)


def _built_address(entry: JSONObject) -> str | None:
    """The address built from module, type, name and index. Terraform 0.15.2 to 1.0 omits the address in drift."""
    type_, name, index = _text(entry.get("type")), _text(entry.get("name")), entry.get("index")
    if not type_ or not name:
        return None
    module, data = _text(entry.get("module_address")), "data" if entry.get("mode") == "data" else ""
    key = "" if index is None else f"[{json.dumps(index, ensure_ascii=False)}]"
    return ".".join(part for part in (module, data, type_, f"{name}{key}") if part)


def _parse_invocation(entry: Any, deferred: str = "") -> Change | None:
    """Parse the invocation of an action; None if the address of the action is missing."""
    if not isinstance(entry, dict) or not isinstance(entry.get("address"), str):
        return None
    change = {
        "before": None,
        "after": entry.get("config_values"),
        "before_sensitive": False,
        "after_sensitive": entry.get("config_sensitive"),
        "after_unknown": entry.get("config_unknown"),
    }
    return Change(entry["address"], (), change, entry, deferred, is_invocation=True)


def _recognized(changes: Iterable[Change | None]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change is not None)


def objects_in(value: Any) -> Iterator[JSONObject]:
    """The objects in a list; nothing for any other value."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

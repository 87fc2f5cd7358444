"""A plan's JSON, read: the output of `terraform show -json`, or HCP Terraform's redacted form of it.

Source: Terraform, "JSON Output Format"; HCP Terraform API, "Retrieve the JSON execution plan". The redacted form has
no state, no configuration and no variables, and sensitive values are texts in it whose only meaning is whether they
are equal. Readers are tolerant: what is not of the documented form is counted, never passed over in silence.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tfruns.errors import UnexpectedResponse
from tfruns.review.exact_json import read_json
from tfruns.review.unmarked import why_unmarked, with_marks

Object = Mapping[str, Any]


class Action(StrEnum):
    """What becomes of a resource, an output, or (in drift) became of it."""

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
    """One entry of the plan about one resource, or one invocation of an action.

    Attributes:
        address: of the resource's instance, or of the action.
        actions: Terraform's own words for the changes, in their order.
        change: the values before and after with their marks; of an invocation, its configuration as `after`.
        source: the whole entry.
        deferred: Terraform's reason for leaving it to a later run; empty for a planned change.
        is_invocation: an action is invoked.
    """

    address: str
    actions: tuple[str, ...]
    change: Object
    source: Object
    deferred: str = ""
    is_invocation: bool = False

    @property
    def action(self) -> Action:
        return Action.INVOKE if self.is_invocation else _ACTIONS.get(self.actions, Action.UNKNOWN)

    @property
    def is_forgetting_replacement(self) -> bool:
        """Whether a new object is created and the old one forgotten instead of destroyed."""
        return self.action is Action.REPLACE and "forget" in self.actions

    @property
    def type(self) -> str:
        return _text(self.source.get("type"))

    @property
    def is_data(self) -> bool:
        return self.source.get("mode") == "data"

    @property
    def index(self) -> str | int | None:
        """The key of the instance: a number with count, a text with for_each."""
        found = self.source.get("index")
        return found if isinstance(found, str | int) else None

    @property
    def reason(self) -> str:
        """Terraform's word for why the action is taken."""
        return _text(self.source.get("action_reason"))

    @property
    def deposed(self) -> str:
        """The key of a deposed object, which an interrupted replacement has left over."""
        return _text(self.source.get("deposed"))

    @property
    def previous_address(self) -> str:
        return _text(self.source.get("previous_address"))

    @property
    def importing(self) -> Object | None:
        """The identification of the imported object: `id`, `identity` or `unknown`; None without an import."""
        importing = self.change.get("importing")
        return importing if isinstance(importing, dict) else None

    @property
    def generated_config(self) -> str:
        """The configuration that Terraform generated for an imported resource."""
        return _text(self.change.get("generated_config"))

    @property
    def is_change(self) -> bool:
        """Whether an apply changes the object or its entry in the state."""
        return self.action is not Action.NO_OP or self.importing is not None or bool(self.previous_address)


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """A plan.

    Attributes:
        run_id: the run of the plan.
        plan_id: its id.
        is_redacted: it is the redacted form.
        source: the whole document, with marks by name where it is unmarked.
        changes: the planned change of each resource, in Terraform's order, unchanged resources included.
        invocations: the actions that the apply invokes.
        deferred: changes and invocations that are left to a later run.
        drift: changes of resources outside of Terraform.
        outputs: the change of each output of the root module.
        unreadable: how many entries have an unknown form.
        unmarked: why its marks of sensitive values cannot be relied on; empty if they can.
    """

    run_id: str
    plan_id: str
    is_redacted: bool
    source: Object = field(repr=False)
    changes: tuple[Change, ...] = field(repr=False)
    invocations: tuple[Change, ...] = field(repr=False)
    deferred: tuple[Change, ...] = field(repr=False)
    drift: tuple[Change, ...] = field(repr=False)
    outputs: tuple[Change, ...] = field(repr=False)
    unreadable: int = 0
    unmarked: str = ""

    @property
    def is_errored(self) -> bool:
        """Whether planning failed, so that the plan is incomplete and cannot be applied."""
        return self.source.get("errored") is True

    @property
    def is_incomplete(self) -> bool:
        """Whether Terraform says that another plan is needed after this one."""
        return self.source.get("complete") is False

    @property
    def has_resource_changes(self) -> bool:
        """Whether the plan has a list of resource changes at all; Terraform omits an empty one."""
        return isinstance(self.source.get("resource_changes"), list)

    @property
    def relevant(self) -> frozenset[str]:
        """The resources whose drift may have contributed to the changes."""
        attributes = objects_in(self.source.get("relevant_attributes"))
        return frozenset(_text(attribute.get("resource")) for attribute in attributes)


def parse_plan(
    data: bytes, *, run_id: str, plan_id: str, is_redacted: bool, terraform_version: str = ""
) -> PlanDocument:
    """Read a plan's JSON.

    Args:
        data: the JSON.
        run_id: the run of the plan.
        plan_id: its id.
        is_redacted: it is the redacted form.
        terraform_version: the run's; the redacted form does not tell.

    Raises:
        UnexpectedResponse: it is no JSON object. Nothing of it is repeated.
    """
    try:
        source = read_json(data)
    except ValueError:
        source = None
    if not isinstance(source, dict):
        raise UnexpectedResponse("The plan's JSON output cannot be read: it is no JSON object, or nested too deep.")
    return read_plan_document(
        source, run_id=run_id, plan_id=plan_id, is_redacted=is_redacted, terraform_version=terraform_version
    )


def read_plan_document(
    source: Object, *, run_id: str, plan_id: str, is_redacted: bool, terraform_version: str = ""
) -> PlanDocument:
    """The plan that a JSON object describes."""
    unmarked = why_unmarked(source, terraform_version)
    if unmarked:
        source = with_marks(source)
    lists = {name: _Entries(source.get(name)) for name in _LISTS}
    outputs = source.get("output_changes") or {}
    named = outputs.items() if isinstance(outputs, dict) else ()
    read_outputs = [_read({"address": f"output.{name}", "change": change}) for name, change in named]
    planned, drifted = ([_read(entry) for entry in lists[name].objects] for name in _RESOURCES)
    later = [_read(entry.get("resource_change"), _reason(entry)) for entry in lists["deferred_changes"].objects]
    invoked = [_read_invocation(entry) for entry in lists["action_invocations"].objects]
    invoked_later = [
        _read_invocation(entry.get("action_invocation"), _reason(entry))
        for entry in lists["deferred_action_invocations"].objects
    ]
    everything = (*planned, *drifted, *later, *read_outputs, *invoked, *invoked_later)
    return PlanDocument(
        run_id=run_id,
        plan_id=plan_id,
        is_redacted=is_redacted,
        source=source,
        changes=_found(planned),
        invocations=_found(invoked),
        deferred=_found([*later, *invoked_later]),
        drift=_found(drifted),
        outputs=_found(read_outputs),
        unreadable=sum(entries.others for entries in lists.values())
        + (not isinstance(outputs, dict))
        + (not _is_known_form(source))
        + sum(change is None or change.action is Action.UNKNOWN for change in everything),
        unmarked=unmarked,
    )


_RESOURCES = ("resource_changes", "resource_drift")
_LISTS = (*_RESOURCES, "deferred_changes", "action_invocations", "deferred_action_invocations")


def _reason(entry: Object) -> str:
    return _text(entry.get("reason")) or "unknown"


def _is_known_form(source: Object) -> bool:
    """Whether this is a plan at all, and of a version whose words mean what they mean here.

    Terraform, "JSON Output Format": what has another major version is not to be relied on.
    """
    version = source.get("format_version", source.get("plan_format_version"))
    if version is None:
        return not _SECTIONS.isdisjoint(source)
    return str(version).partition(".")[0] in _MAJOR_VERSIONS


_SECTIONS = {*_LISTS, "output_changes"}
_MAJOR_VERSIONS = {"0", "1"}


class _Entries:
    """The objects of a list, and how many other things are in it."""

    def __init__(self, value: Any) -> None:
        items = value if isinstance(value, list) else [] if value is None else [value]
        self.objects = list(objects_in(items))
        self.others = len(items) - len(self.objects)


def _read(entry: Any, deferred: str = "") -> Change | None:
    """One entry; None if it does not name its subject or its actions."""
    if not isinstance(entry, dict):
        return None
    address, change = entry.get("address") or _address_of_parts(entry), entry.get("change")
    if not isinstance(address, str) or not isinstance(change, dict):
        return None
    actions = change.get("actions")
    if not isinstance(actions, list):
        return None
    return Change(address, tuple(map(str, actions)), change, entry, deferred)


def _address_of_parts(entry: Object) -> str | None:
    """The address that follows from module, type, name and index. Terraform 0.15.2 to 1.0 omits it in drift."""
    type_, name, index = _text(entry.get("type")), _text(entry.get("name")), entry.get("index")
    if not type_ or not name:
        return None
    module, data = _text(entry.get("module_address")), "data" if entry.get("mode") == "data" else ""
    key = "" if index is None else f"[{json.dumps(index, ensure_ascii=False)}]"
    return ".".join(part for part in (module, data, type_, f"{name}{key}") if part)


def _read_invocation(entry: Any, deferred: str = "") -> Change | None:
    """The invocation of an action; None if it does not name the action."""
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


def _found(changes: Iterable[Change | None]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change is not None)


def objects_in(value: Any) -> Iterator[Object]:
    """The objects in a list; none in anything else."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

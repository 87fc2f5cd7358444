"""A plan's JSON, read: the output of `terraform show -json`, or HCP Terraform's redacted form of it.

Source: Terraform, "JSON Output Format"; HCP Terraform API, "Retrieve the JSON execution plan". The redacted form has
no state, no configuration and no variables, and sensitive values are texts in it whose only meaning is whether they
are equal. Readers are tolerant: what is not of the documented form is counted, never passed over in silence.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pydantic_core import from_json

from tfruns.errors import UnexpectedResponse

Object = Mapping[str, Any]


class Action(StrEnum):
    """What becomes of a resource, an output, or (in drift) became of it."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DESTROY = "destroy"
    FORGET = "forget"
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
}


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the plan about one resource.

    Attributes:
        address: of the resource's instance.
        actions: Terraform's own words for what is done, in their order.
        change: before, after, and what is said about them.
        source: the whole entry.
        deferred: why Terraform cannot plan it yet; empty for what is planned.
    """

    address: str
    actions: tuple[str, ...]
    change: Object
    source: Object
    deferred: str = ""

    @property
    def action(self) -> Action:
        return _ACTIONS.get(self.actions, Action.UNKNOWN)

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
    def import_id(self) -> str | None:
        """The id by which it is imported; empty if it is imported and the id is not known yet."""
        importing = self.change.get("importing")
        return _text(importing.get("id")) if isinstance(importing, dict) else None

    @property
    def is_change(self) -> bool:
        """Whether to apply the plan does anything about it, be it only to the state."""
        return self.action is not Action.NO_OP or self.import_id is not None or bool(self.previous_address)


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """A plan.

    Attributes:
        run_id: the run that it is the plan of.
        plan_id: its id.
        is_redacted: it is the redacted form.
        source: the whole document.
        changes: what becomes of each resource, in Terraform's order; those that stay as they are among them.
        deferred: what a later run has to plan.
        drift: what became of resources outside of Terraform.
        outputs: what becomes of each output of the root module, by its name.
        unreadable: how many entries are not of a form that is known.
    """

    run_id: str
    plan_id: str
    is_redacted: bool
    source: Object = field(repr=False)
    changes: tuple[Change, ...] = field(repr=False)
    deferred: tuple[Change, ...] = field(repr=False)
    drift: tuple[Change, ...] = field(repr=False)
    outputs: tuple[Change, ...] = field(repr=False)
    unreadable: int = 0

    @property
    def is_errored(self) -> bool:
        """Whether planning failed, so that the plan is incomplete and cannot be applied."""
        return self.source.get("errored") is True

    @property
    def relevant(self) -> frozenset[str]:
        """The resources whose drift may have contributed to the changes."""
        attributes = objects_in(self.source.get("relevant_attributes"))
        return frozenset(_text(attribute.get("resource")) for attribute in attributes)


def parse_plan(data: bytes, *, run_id: str, plan_id: str, is_redacted: bool) -> PlanDocument:
    """Read a plan's JSON.

    Raises:
        UnexpectedResponse: it is no JSON object. Nothing of it is repeated.
    """
    try:
        source = from_json(data, cache_strings="all")
    except ValueError:
        source = None
    if not isinstance(source, dict):
        raise UnexpectedResponse("The plan's JSON output cannot be read: it is no JSON object, or nested too deep.")
    return read_plan_document(source, run_id=run_id, plan_id=plan_id, is_redacted=is_redacted)


def read_plan_document(source: Object, *, run_id: str, plan_id: str, is_redacted: bool) -> PlanDocument:
    """The plan that a JSON object describes."""
    changes = _Entries(source.get("resource_changes"))
    drift = _Entries(source.get("resource_drift"))
    deferred = _Entries(source.get("deferred_changes"))
    outputs = source.get("output_changes") or {}
    named = outputs.items() if isinstance(outputs, dict) else ()
    read_outputs = [_read({"address": f"output.{name}", "change": change}) for name, change in named]
    planned, drifted = [_read(entry) for entry in changes.objects], [_read(entry) for entry in drift.objects]
    later = [_read(entry.get("resource_change"), _text(entry.get("reason")) or "unknown") for entry in deferred.objects]
    everything = (*planned, *drifted, *later, *read_outputs)
    return PlanDocument(
        run_id=run_id,
        plan_id=plan_id,
        is_redacted=is_redacted,
        source=source,
        changes=_found(planned),
        deferred=_found(later),
        drift=_found(drifted),
        outputs=_found(read_outputs),
        unreadable=sum(entries.others for entries in (changes, drift, deferred))
        + (not isinstance(outputs, dict))
        + (not _is_known_form(source))
        + sum(change is None or change.action is Action.UNKNOWN for change in everything),
    )


def _is_known_form(source: Object) -> bool:
    """Whether this is a plan at all, and of a version whose words mean what they mean here.

    Terraform, "JSON Output Format": what has another major version is not to be relied on.
    """
    version = source.get("format_version", source.get("plan_format_version"))
    if version is None:
        return not _SECTIONS.isdisjoint(source)
    return str(version).partition(".")[0] in _MAJOR_VERSIONS


_SECTIONS = {"resource_changes", "resource_drift", "deferred_changes", "output_changes"}
_MAJOR_VERSIONS = {"0", "1"}


class _Entries:
    """The objects of a list, and how many other things are in it."""

    def __init__(self, value: Any) -> None:
        items = value if isinstance(value, list) else [] if value is None else [value]
        self.objects = list(objects_in(items))
        self.others = len(items) - len(self.objects)


def _read(entry: Any, deferred: str = "") -> Change | None:
    """One entry; None if it does not say about what it is, or what is done."""
    if not isinstance(entry, dict):
        return None
    address, change = entry.get("address"), entry.get("change")
    if not isinstance(address, str) or not isinstance(change, dict):
        return None
    actions = change.get("actions")
    if not isinstance(actions, list):
        return None
    return Change(address, tuple(map(str, actions)), change, entry, deferred)


def _found(changes: Iterable[Change | None]) -> tuple[Change, ...]:
    return tuple(change for change in changes if change is not None)


def objects_in(value: Any) -> Iterator[Object]:
    """The objects in a list; none in anything else."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

"""Resources on the wire: tolerant of new or missing fields, strict about types, silent about secrets."""

import copy
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support import samples
from tests.support.tables import rows
from tfruns.jsonapi import MalformedDocument, included
from tfruns.vocabulary import PhaseStatus, RunAction, RunOperation, RunSource, RunStatus
from tfruns.wire.activity import Comment, RunEvent, User
from tfruns.wire.base import Related, Resource
from tfruns.wire.checks import CostEstimate, PolicyCheck, TaskStage
from tfruns.wire.configuration_versions import ConfigurationVersion
from tfruns.wire.plans import Apply, Plan
from tfruns.wire.runs import Run
from tfruns.wire.state_versions import StateVersion, StateVersionOutput
from tfruns.wire.variables import Variable
from tfruns.wire.workspaces import Workspace

KINDS: list[type[Resource]] = [
    Apply,
    Comment,
    ConfigurationVersion,
    CostEstimate,
    Plan,
    PolicyCheck,
    Run,
    RunEvent,
    StateVersion,
    TaskStage,
    User,
    Workspace,
]
SIGNED = "https://archivist.terraform.io/v1/object/fakeSecretValue"


def resource(kind: type[Resource], **attributes: Any) -> dict[str, Any]:
    """A resource with these attributes, given in snake_case."""
    fields = {name.replace("_", "-"): value for name, value in attributes.items()}
    if "status" in kind.model_fields:
        fields.setdefault("status", "pending")
    return {"id": "x-1", "type": kind.wire_type, "attributes": fields}


# -- what a resource is -----------------------------------------------------------------------------------------------


@rows("kind", KINDS)
def test_resource_is_parsed_with_type_and_id(kind: type[Resource]) -> None:
    assert kind.from_wire(resource(kind)).id == "x-1"


@rows("kind", KINDS)
@rows("type_", ["organizations", "Runs", "run", "", None, []])
def test_resource_of_another_type_is_malformed(kind: type[Resource], type_: Any) -> None:
    with pytest.raises(MalformedDocument, match=kind.wire_type):
        kind.from_wire({**resource(kind), "type": type_})


@rows("wrong", [None, [], "runs", 5, [samples.run()]])
def test_non_object_is_malformed(wrong: Any) -> None:
    with pytest.raises(MalformedDocument, match="is not an object"):
        Run.from_wire(wrong)


@rows("part", ["attributes", "relationships"])
@rows("wrong", [["status"], "status", 5])
def test_parts_that_are_not_objects_are_malformed(part: str, wrong: Any) -> None:
    with pytest.raises(MalformedDocument, match=f"the {part} is not an object"):
        Run.from_wire({**samples.run(), part: wrong})


@rows("id_", [None, 5, [], {}])
def test_resource_without_an_id_is_refused(id_: Any) -> None:
    with pytest.raises(ValidationError):
        Run.from_wire({**samples.run(), "id": id_})


@rows("kind", KINDS)
@rows("nothing", [None, {}])
def test_relationships_may_be_omitted(kind: type[Resource], nothing: Any) -> None:
    assert kind.from_wire({**resource(kind), "relationships": nothing}).id == "x-1"


def test_resource_is_immutable() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Run.from_wire(samples.run()).status = "applied"  # type: ignore[misc]


# -- attributes -------------------------------------------------------------------------------------------------------


def test_documented_sample_is_parsed_completely() -> None:
    run = Run.from_wire(samples.run(variables=[{"key": "n", "value": "2"}], target_addrs=["terraform_data.a"]))
    assert run.id == samples.RUN_ID
    assert run.status is RunStatus.PENDING
    assert run.source is RunSource.TFE_API
    assert run.created_at == datetime(2021, 5, 24, 7, 38, 4, 171_000, tzinfo=UTC)
    assert run.status_timestamps == {"plan-queueable-at": datetime(2021, 5, 24, 7, 38, 4, tzinfo=UTC)}
    assert (run.message, run.auto_apply, run.refresh, run.has_changes) == ("Custom message", False, False, False)
    assert run.target_addrs == ["terraform_data.a"]
    assert run.variables is not None
    assert (run.variables[0].key, run.variables[0].value) == ("n", "2")
    assert run.workspace == Related(type="workspaces", id=samples.WORKSPACE_ID)
    assert run.run_events == (
        Related(type="run-events", id="re-8sXcrdLZk8RGVrZo"),
        Related(type="run-events", id="re-vyhSKrRmLmmsZ1pM"),
    )
    assert run.comments == ()
    assert run.permissions is not None
    assert run.permissions.can_apply is True


@rows("kind", [Run, Plan, Apply, CostEstimate, PolicyCheck, TaskStage, ConfigurationVersion])
def test_unknown_status_stays_a_string(kind: type[Resource]) -> None:
    read: Any = kind.from_wire(resource(kind, status="brand_new"))
    assert read.status == "brand_new"
    assert type(read.status) is str


@rows("status", RunStatus)
def test_known_run_status_is_an_enum_member(status: RunStatus) -> None:
    assert Run.from_wire(samples.run(status=status.value)).status is status


@rows("kind", [Plan, Apply])
@rows("status", PhaseStatus)
def test_known_phase_status_is_an_enum_member(kind: type[Plan | Apply], status: PhaseStatus) -> None:
    assert kind.from_wire(resource(kind, status=status.value)).status is status


@rows(("source", "read"), [("brand-new", "brand-new"), ("tfe-ui", RunSource.TFE_UI), (None, None), ("", "")])
def test_unknown_source_stays_a_string(source: str | None, read: Any) -> None:
    found = Run.from_wire(samples.run(source=source)).source
    assert found == read
    assert type(found) is type(read)


def test_unknown_attributes_and_relationships_are_kept() -> None:
    document = samples.run(brand_new={"nested-thing": [1, None]})
    document["relationships"]["another-one"] = {"data": {"type": "things", "id": "thing-1"}}
    extra = Run.from_wire(document).model_extra
    assert extra is not None
    assert extra["brand-new"] == {"nested-thing": [1, None]}
    assert extra["another-one"] == {"data": {"type": "things", "id": "thing-1"}}


def test_unknown_actions_and_permissions_are_kept() -> None:
    run = Run.from_wire(
        samples.run(actions={"is-confirmable": True, "is-brand-new": "x"}, permissions={"can-fly": False})
    )
    assert run.actions is not None
    assert run.permissions is not None
    assert (run.actions.is_confirmable, run.actions.is_cancelable) == (True, None)
    assert run.actions.model_extra == {"is-brand-new": "x"}
    assert (run.permissions.can_apply, run.permissions.model_extra) == (None, {"can-fly": False})


@rows("kind", KINDS)
def test_omitted_attributes_are_none(kind: type[Resource]) -> None:
    read = kind.from_wire(resource(kind))
    for name in kind.model_fields:
        if name not in {"id", "status"}:
            assert getattr(read, name) in (None, (), {}), name


@rows("kind", KINDS)
def test_every_attribute_except_the_status_may_be_null(kind: type[Resource]) -> None:
    nulls = {name: None for name in kind.model_fields if name not in {"id", "status"}}
    read = kind.from_wire(resource(kind, **nulls))
    for name in nulls:
        assert getattr(read, name) in (None, (), {}), name


def test_times_are_timezone_aware_in_any_zone() -> None:
    run = Run.from_wire(samples.run(created_at="2024-01-01T02:00:00+02:00", canceled_at="2024-01-01T00:00:01.5Z"))
    assert run.created_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert run.canceled_at is not None
    assert run.canceled_at.utcoffset() is not None


def test_unknown_and_null_timestamps_are_kept() -> None:
    stamps = {"brand-new-at": "2024-01-01T00:00:00Z", "planned-at": None}
    read = Run.from_wire(samples.run(status_timestamps=stamps)).status_timestamps
    assert read == {"brand-new-at": datetime(2024, 1, 1, tzinfo=UTC), "planned-at": None}


@rows("status", [None, 5, [], {"x": 1}])
def test_status_that_is_not_a_string_is_refused(status: Any) -> None:
    with pytest.raises(ValidationError):
        Run.from_wire(samples.run(status=status))


@rows(
    "attributes",
    [
        {"id": "other-id"},
        {"_document": 1, "_included": 2},
        {"model_config": 1, "model_fields": 2, "model-extra": 3},
        {"from-wire": 1, "follow": 2, "document": 3, "operation": "x", "allowed-actions": 4},
        {"wire_type": "x", "__class__": "y", "": 1, "a b": 2},
    ],
)
def test_attribute_names_cannot_override_the_model(attributes: dict[str, Any]) -> None:
    document = samples.run()
    document["attributes"] |= attributes
    run = Run.from_wire(document, {}, {"data": document})
    assert run.id == samples.RUN_ID
    assert run.document == {"data": document}
    assert run.operation is RunOperation.PLAN_AND_APPLY
    assert RunAction.CANCEL in run.allowed_actions
    assert run.follow(run.workspace, Workspace) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=5,
)
_FIELDS = st.dictionaries(
    st.sampled_from([name.replace("_", "-") for name in Run.model_fields]) | st.text(max_size=6), _JSON, max_size=5
)


@given(st.builds(lambda a, r: {"id": "run-a", "type": "runs", "attributes": a, "relationships": r}, _FIELDS, _FIELDS))
@example({"id": "run-a", "type": "runs", "attributes": {"status": "pending"}, "relationships": {"workspace": 5}})
@settings(deadline=None)
def test_any_run_is_parsed_or_refused(document: Any) -> None:
    before = copy.deepcopy(document)
    try:
        run = Run.from_wire(document)
    except (MalformedDocument, ValidationError):
        run = None
    assert document == before
    assert run is None or run.id == "run-a"


# -- relationships ----------------------------------------------------------------------------------------------------


@rows("nothing", [None, {}, {"data": None}, {"links": {"related": "/api/v2/x"}}])
def test_empty_relationship_is_none_or_empty(nothing: Any) -> None:
    document = samples.run()
    document["relationships"] |= {"plan": nothing, "comments": nothing}
    run = Run.from_wire(document)
    assert run.plan is None
    assert run.comments == ()


def test_relationship_keeps_only_type_and_id() -> None:
    document = samples.workspace(locked_by=("users", "user-a"))
    document["relationships"]["locked-by"]["data"]["meta"] = {"x": 1}
    assert Workspace.from_wire(document).locked_by == Related(type="users", id="user-a")


def test_included_resources_can_be_followed_transitively() -> None:
    workspace = samples.workspace(current_run=("runs", samples.RUN_ID))
    document = {"data": samples.run(), "included": [workspace, samples.user(), samples.run(status="planning")]}
    run = Run.from_wire(document["data"], included(document))
    found = run.follow(run.workspace, Workspace)
    assert found is not None
    assert found.name == "network"
    user = run.follow(run.created_by, User)
    assert user is not None
    assert user.username == "operator"
    current = found.follow(found.current_run, Run)
    assert current is not None
    assert current.status is RunStatus.PLANNING


def test_resource_not_included_is_none() -> None:
    run = Run.from_wire(samples.run())
    assert run.follow(run.workspace, Workspace) is None
    assert run.follow(run.confirmed_by, User) is None


def test_included_resource_of_another_type_is_not_followed() -> None:
    document = {"data": samples.run(), "included": [samples.user()]}
    run = Run.from_wire(document["data"], included(document))
    assert run.follow(run.created_by, Workspace) is None


def test_document_is_kept_only_for_a_primary_resource() -> None:
    document = {"data": samples.run()}
    assert Run.from_wire(document["data"], None, document).document is document
    assert Run.from_wire(document["data"]).document is None


# -- what a run does and allows ---------------------------------------------------------------------------------------


@rows(
    ("options", "operation"),
    [
        ({}, RunOperation.PLAN_AND_APPLY),
        ({"plan_only": True}, RunOperation.PLAN_ONLY),
        ({"plan_only": True, "is_destroy": True}, RunOperation.PLAN_ONLY),
        ({"refresh_only": True}, RunOperation.REFRESH_ONLY),
        ({"is_destroy": True}, RunOperation.DESTROY),
        ({"allow_empty_apply": True}, RunOperation.EMPTY_APPLY),
        ({"save_plan": True}, RunOperation.SAVE_PLAN),
        ({"plan_only": None, "is_destroy": None}, RunOperation.PLAN_AND_APPLY),
    ],
)
def test_operation_follows_from_the_options(options: dict[str, Any], operation: RunOperation) -> None:
    assert Run.from_wire(samples.run(**options)).operation is operation


def test_payload_decides_about_allowed_actions() -> None:
    run = Run.from_wire(samples.run(status="planning", actions=samples.actions("force-cancelable")))
    assert run.allowed_actions == [RunAction.FORCE_CANCEL]
    assert run.possible_actions == frozenset({RunAction.FORCE_CANCEL})


def test_unknown_status_uses_only_the_payloads_actions() -> None:
    run = Run.from_wire(samples.run(status="brand_new", actions=samples.actions("confirmable", "discardable")))
    assert run.allowed_actions == [RunAction.APPLY, RunAction.DISCARD]
    assert Run.from_wire(samples.run(status="brand_new", actions=None)).allowed_actions == []


def test_lifecycle_decides_if_the_payload_omits_actions() -> None:
    assert Run.from_wire(samples.run(status="planned", actions=None)).allowed_actions == [
        RunAction.APPLY,
        RunAction.DISCARD,
    ]
    assert Run.from_wire(samples.run(status="applied", actions=None)).allowed_actions == []


def test_run_that_can_be_applied_needs_a_person_unless_plan_only() -> None:
    assert Run.from_wire(samples.planned()).needs_person
    assert Run.from_wire(samples.planned(actions=None)).needs_person
    assert not Run.from_wire(samples.planned(plan_only=True)).needs_person
    assert not Run.from_wire(samples.planned(auto_apply=True)).needs_person


# Run API, "Discard a Run": a pending run can be discarded; its payload does not show it.
def test_pending_run_can_be_discarded_despite_its_payload() -> None:
    assert Run.from_wire(samples.run(status="pending")).allowed_actions == [RunAction.DISCARD, RunAction.CANCEL]


def test_actions_without_permission_are_not_allowed() -> None:
    run = Run.from_wire(samples.planned(permissions={"can-apply": False, "can-discard": None}))
    assert run.forbidden_actions == {RunAction.APPLY}
    assert run.allowed_actions == [RunAction.DISCARD]
    assert run.possible_actions == frozenset({RunAction.APPLY, RunAction.DISCARD})
    assert Run.from_wire(samples.planned(permissions=None)).forbidden_actions == frozenset()


# -- secrets ----------------------------------------------------------------------------------------------------------

_SECRETS: list[tuple[type[Resource], Mapping[str, Any], str]] = [
    (Run, {"variables": [{"key": "password", "value": '"fakeSecretValue"'}]}, "variables"),
    (Plan, {"log_read_url": SIGNED}, "log_read_url"),
    (Apply, {"log_read_url": SIGNED}, "log_read_url"),
    (ConfigurationVersion, {"upload_url": SIGNED}, "upload_url"),
    (StateVersion, {"hosted_state_download_url": SIGNED}, "hosted_state_download_url"),
    (StateVersion, {"hosted_json_state_download_url": SIGNED}, "hosted_json_state_download_url"),
    (StateVersion, {"hosted_state_upload_url": SIGNED}, "hosted_state_upload_url"),
    (StateVersion, {"hosted_json_state_upload_url": SIGNED}, "hosted_json_state_upload_url"),
    (StateVersionOutput, {"name": "password", "value": ["fakeSecretValue"]}, "value"),
    (Variable, {"key": "password", "value": "fakeSecretValue"}, "value"),
]


@rows(("kind", "attributes", "field"), _SECRETS, ids=[f"{kind.__name__}.{field}" for kind, _, field in _SECRETS])
def test_secret_is_parsed_but_not_in_repr(kind: type[Resource], attributes: Mapping[str, Any], field: str) -> None:
    document = {"data": resource(kind, **attributes)}
    read = kind.from_wire(document["data"], {("x", "y"): document["data"]}, document)
    assert "fakeSecretValue" in str(read.model_dump())
    for shown in (repr(read), str(read), f"{read}", repr([read])):
        assert "fakeSecretValue" not in shown


def test_repr_of_a_run_variable_hides_its_value() -> None:
    variables = Run.from_wire(samples.run(variables=[{"key": "password", "value": '"fakeSecretValue"'}])).variables
    assert variables is not None
    assert variables[0].value == '"fakeSecretValue"'
    assert "fakeSecretValue" not in repr(variables)
    assert "password" in repr(variables)


@rows("value", [None, "", "2"])
def test_variable_without_a_value_is_parsed(value: str | None) -> None:
    variables = Run.from_wire(samples.run(variables=[{"key": "a", "value": value}, {"key": "b"}])).variables
    assert variables is not None
    assert [variable.value for variable in variables] == [value, None]


# -- written ----------------------------------------------------------------------------------------------------------


@rows("document", [samples.run(), samples.planned(), samples.workspace(locked_by=("runs", "run-a")), samples.user()])
def test_resource_round_trips(document: dict[str, Any]) -> None:
    kind = {kind.wire_type: kind for kind in KINDS}[document["type"]]
    read = kind.from_wire(document)
    written = read.to_wire()
    assert (written["id"], written["type"]) == (document["id"], document["type"])
    assert kind.from_wire(written) == read


@rows("option", ["is_destroy", "refresh_only", "allow_empty_apply"])
def test_saved_plan_takes_precedence_as_operation(option: str) -> None:
    # Run API, "Run Operations": a saved plan does not queue, and that is what its operation is asked for.
    resource = samples.run(save_plan=True)
    resource["attributes"][option.replace("_", "-")] = True
    assert Run.from_wire(resource).operation == "save_plan"

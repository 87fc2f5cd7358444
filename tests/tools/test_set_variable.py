"""A variable of a workspace: what is sent, and that its value appears nowhere else."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.gate.harness import FixedPerson, Log
from tests.support import samples
from tests.support.api import FakeApi, answer, body, client_for, error
from tests.support.tables import rows
from tests.tools.calls import TOOLS, WORKSPACE_ID, call, failure_of
from tfruns.errors import InvalidInput, NotFound, OutcomeUnknown, RefusedByMode, UnprocessableEntity
from tfruns.gate.audit import AuditLog
from tfruns.gate.pipeline import Gate
from tfruns.masking.redaction import redact
from tfruns.policy import Confirm, Mode, Policy
from tfruns.views.base import as_json

pytestmark = pytest.mark.anyio

PATH = f"/workspaces/{WORKSPACE_ID}"
SECRET = 'wr1te-0nly "value"'


def variable(key: str = "token", *, category: str = "terraform", **attributes: Any) -> dict[str, Any]:
    fields = {"key": key, "value": None, "category": category, "sensitive": True, "version-id": "v1", **attributes}
    return {"id": f"var-{key}{category}", "type": "vars", "attributes": fields}


def api_of(*variables: dict[str, Any]) -> FakeApi:
    """An API with these variables, which accepts every change."""
    api = FakeApi().on("GET", PATH, answer({"data": samples.workspace()}))
    api.on("GET", f"{PATH}/vars", answer({"data": list(variables)}))
    api.on("POST", f"{PATH}/vars", answer({"data": variable()}, 201))
    for found in variables:
        path = f"{PATH}/vars/{found['id']}"
        api.on("PATCH", path, answer({"data": found})).on("DELETE", path, answer(None, 204))
    return api


def arguments(**given: Any) -> dict[str, Any]:
    return {"workspace_id": WORKSPACE_ID, "key": "token", **given}


async def test_new_variable_is_created_with_the_given_options() -> None:
    api = api_of(variable("other"), variable("token", category="env"))
    view = await call("set_variable", arguments(value=SECRET, sensitive=True, description="For CI"), api=api)
    (request,) = api.sent("POST")
    assert body(request)["data"] == {
        "type": "vars",
        "attributes": {
            "key": "token",
            "value": SECRET,
            "category": "terraform",
            "sensitive": True,
            "description": "For CI",
        },
    }
    assert view == {
        "workspace_id": WORKSPACE_ID,
        "key": "token",
        "category": "terraform",
        "sensitive": True,
        "change": "created",
    }


async def test_existing_variable_is_updated_and_keeps_what_is_omitted() -> None:
    api = api_of(variable(), variable(category="env"))
    view = await call("set_variable", arguments(value="", category="env"), api=api)
    (request,) = api.sent("PATCH")
    assert request.url.path.endswith("/vars/var-tokenenv")
    assert body(request)["data"] == {"type": "vars", "id": "var-tokenenv", "attributes": {"value": ""}}
    assert view["change"] == "updated"


async def test_variable_is_deleted_by_name_and_category() -> None:
    api = api_of(variable(), variable(category="env"))
    view = await call("set_variable", arguments(delete=True), api=api)
    assert [request.url.path.rpartition("/")[2] for request in api.sent("DELETE")] == ["var-tokenterraform"]
    assert view["change"] == "deleted"


async def test_readable_value_is_called_readable() -> None:
    api = api_of().off("POST", f"{PATH}/vars")
    api.on("POST", f"{PATH}/vars", answer({"data": variable(sensitive=False, value="x")}, 201))
    assert "everyone who can read" in (await call("set_variable", arguments(value="x"), api=api))["note"]


@rows(
    ("given", "message"),
    [
        ({}, "There is nothing to set"),
        ({"key": " ", "value": "x"}, "key must be 1 to 256"),
        ({"key": "k" * 257, "value": "x"}, "key must be 1 to 256"),
        ({"key": "a\nb", "value": "x"}, "key must be 1 to 256"),
        ({"value": "x", "delete": True}, "delete cannot be combined"),
        ({"hcl": True, "delete": True}, "delete cannot be combined"),
        ({"value": "x", "category": "file"}, "category must be one of"),
        ({"sensitive": True}, "value is required"),
    ],
)
async def test_impossible_arguments_change_nothing(given: dict[str, Any], message: str) -> None:
    api = api_of()
    refusal = await failure_of("set_variable", arguments(**given), api=api)
    assert isinstance(refusal, InvalidInput)
    assert refusal.message.startswith(message)
    assert {request.method for request in api.requests} <= {"GET"}


async def test_variable_of_a_variable_set_cannot_be_deleted() -> None:
    refusal = await failure_of("set_variable", arguments(delete=True), api=api_of(variable("other")))
    assert isinstance(refusal, NotFound)
    assert "variable set" in refusal.solution


async def test_mode_plan_changes_no_variable() -> None:
    api = api_of()
    for mode in (Mode.PLAN, Mode.READ):
        refusal = await failure_of("set_variable", arguments(value="x"), api=api, policy=Policy(mode, Confirm.NEVER))
        assert isinstance(refusal, RefusedByMode)
    assert api.requests == []


# -- the value --------------------------------------------------------------------------------------------------------


@rows(
    ("given", "outcome"),
    [
        ({}, None),
        ({"delete": True, "value": None}, None),
        ({}, UnprocessableEntity),
        ({}, OutcomeUnknown),
        ({"category": SECRET}, InvalidInput),
        ({"sensitive": SECRET}, InvalidInput),
        ({SECRET: "x"}, InvalidInput),
    ],
)
@pytest.mark.parametrize("is_raw", [False, True])
async def test_value_is_in_no_result_question_error_log_or_audit_line(
    given: dict[str, Any], outcome: Any, is_raw: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api, person = api_of(variable()), FixedPerson()
    if outcome is UnprocessableEntity:
        api.off("PATCH", f"{PATH}/vars/var-tokenterraform")
        api.on("PATCH", f"{PATH}/vars/var-tokenterraform", error(422, f"Value {SECRET} is invalid"))
    elif outcome is OutcomeUnknown:
        api.off("PATCH", f"{PATH}/vars/var-tokenterraform")
        api.on("PATCH", f"{PATH}/vars/var-tokenterraform", error(502, SECRET))
    shown: list[str] = []
    async with client_for(api) as client:
        gate = Gate(client, Policy(), is_raw=is_raw, person=person, audit=AuditLog(tmp_path / "audit"), caller="test")
        values = {name: value for name, value in (arguments(value=SECRET) | given).items() if value is not None}
        if outcome is None:
            shown.append(json.dumps(as_json(await gate.call(TOOLS["set_variable"], values))))
        else:
            with pytest.raises(outcome) as failed:
                await gate.call(TOOLS["set_variable"], values)
            shown += [json.dumps(failed.value.as_dict()), str(failed.value)]
    audit = tmp_path / "audit"
    shown += [*person.asked, caplog.text, audit.read_text() if audit.exists() else ""]
    assert not [text for text in shown if SECRET in text.replace('\\"', '"')]
    (line, *_) = (audit.read_text() if audit.exists() else "{}").splitlines()
    assert json.loads(line).get("arguments", {}).get("value", "[removed]") == "[removed]"


async def test_short_value_is_removed_from_the_audit_line(tmp_path: Path) -> None:
    for value in ("a", "ab", "7", "true", "abc", "x" * 5):
        async with client_for(api_of()) as client:
            path = tmp_path / f"audit-{value}"
            gate = Gate(client, Policy(confirm=Confirm.NEVER), audit=AuditLog(path))
            await gate.call(TOOLS["set_variable"], arguments(value=value))
        begun = json.loads(path.read_text().splitlines()[0])
        assert begun["arguments"]["value"] == "[removed]"


async def test_sensitive_value_is_known_to_masking_afterwards() -> None:
    for number, (found, options) in enumerate([((), {"sensitive": True}), ((variable(),), {})]):
        secret = f'kn0wn-afterwards-"{number}"'
        await call("set_variable", arguments(value=secret, **options), api=api_of(*found))
        assert redact(f"password={secret};") == "password=[removed];"
        assert redact(json.dumps({"password": secret})) == '{"password": "[removed]"}'
    await call("set_variable", arguments(value="plain-and-readable"), api=api_of())
    assert redact("plain-and-readable") == "plain-and-readable"


async def test_question_names_the_variable_and_what_is_lost() -> None:
    for found, given, first, is_lost in (
        ((), {"value": "x"}, "Create the variable token of acme/network?", False),
        ((variable(),), {"value": "x"}, "Change the variable token of acme/network?", True),
        ((variable(),), {"description": "x"}, "Change the variable token of acme/network?", False),
        ((variable(sensitive=False),), {"value": "x"}, "Change the variable token of acme/network?", False),
        ((variable(category="env"),), {"delete": True, "category": "env"}, "Delete the environment variable", True),
    ):
        person = FixedPerson()
        async with client_for(api_of(*found)) as client:
            gate = Gate(client, Policy(), person=person, audit=Log())
            await gate.call(TOOLS["set_variable"], arguments(**given))
        assert person.asked[0].startswith(first)
        assert ("cannot be read back" in person.asked[0]) is is_lost


async def test_lost_deletion_is_settled_by_the_list() -> None:
    for left, is_known in (([], True), ([variable()], False)):
        api = api_of(variable()).off("DELETE", f"{PATH}/vars/var-tokenterraform")
        api.on("DELETE", f"{PATH}/vars/var-tokenterraform", error(502, "bad gateway"))
        api.off("GET", f"{PATH}/vars")
        api.on("GET", f"{PATH}/vars", answer({"data": [variable()]}), answer({"data": left}))
        if is_known:
            assert (await call("set_variable", arguments(delete=True), api=api))["change"] == "deleted"
        else:
            failure = await failure_of("set_variable", arguments(delete=True), api=api)
            assert isinstance(failure, OutcomeUnknown)

"""A workspace and its parts: bounded pages, and never a sensitive value."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for, error, query
from tests.support.tables import rows
from tests.tools.calls import TOOLS, WORKSPACE_ID, call, compact, failure_of
from tfruns.errors import InvalidInput, NotFound
from tfruns.gate.pipeline import Gate
from tfruns.policy import Mode, Policy
from tfruns.views.base import as_json

pytestmark = pytest.mark.anyio

PATH = f"/workspaces/{WORKSPACE_ID}"
SECRET = "hunter2-from-the-api"
STATE = "sv-bWfq4Y1YpRKW4mx7"


def workspace(*, state: str | None = STATE, configuration: str = "cv-n4XQPBa2QnecZJ4G", **attributes: Any) -> Any:
    resource = samples.workspace(**attributes)
    resource["relationships"] |= {
        "current-state-version": {"data": {"type": "state-versions", "id": state} if state else None},
        "current-configuration-version": {"data": {"type": "configuration-versions", "id": configuration}},
    }
    return {"data": resource, "included": [samples.user(username="jane")]}


def output(name: str, value: Any, *, sensitive: bool | None = False, kind: str = "string") -> dict[str, Any]:
    attributes = {"name": name, "sensitive": sensitive, "type": kind, "value": value, "detailed-type": kind}
    return {"id": f"wsout-{name}", "type": "state-version-outputs", "attributes": attributes}


def variable(key: str, value: str | None, **attributes: Any) -> dict[str, Any]:
    relationships = attributes.pop("relationships", {})
    fields = {"key": key, "value": value, "category": "terraform", "hcl": False, "sensitive": False, **attributes}
    return {"id": f"var-{key}", "type": "vars", "attributes": fields, "relationships": relationships}


async def read(part: str, api: FakeApi, **arguments: Any) -> Any:
    api.on("GET", PATH, answer(arguments.pop("workspace", workspace())))
    is_raw = arguments.pop("is_raw", False)
    return await call(
        "get_workspace_details", {"workspace_id": WORKSPACE_ID, "part": part, **arguments}, api=api, is_raw=is_raw
    )


async def test_settings_show_the_lock_and_the_current_versions() -> None:
    document = workspace(
        locked=True,
        locked_by=("users", "user-MA4GL63FmYRpSFxa"),
        locked_reason="Maintenance",
        terraform_version="1.11.4",
        resource_count=3,
        description="The network",
        permissions={"can-lock": True, "can-queue-run": True, "can-force-unlock": False},
    )
    view = await call("get_workspace_details", api=FakeApi().on("GET", PATH, answer(document)))
    assert view == {
        "id": WORKSPACE_ID,
        "name": "network",
        "organization": "acme",
        "description": "The network",
        "locked": True,
        "locked_by": "jane",
        "locked_reason": "Maintenance",
        "auto_apply": False,
        "terraform": "1.11.4",
        "resources": 3,
        "configuration_version_id": "cv-n4XQPBa2QnecZJ4G",
        "state_version_id": STATE,
        "permissions": ["queue runs", "lock"],
    }


# -- outputs ----------------------------------------------------------------------------------------------------------

OUTPUTS = f"{PATH}/current-state-version-outputs"


async def test_raw_document_of_outputs_has_no_sensitive_value() -> None:
    outputs = [
        output("vpc", "vpc-1"),
        output("password", SECRET, sensitive=True),
        output("unmarked", {"a": [SECRET]}, sensitive=None),
    ]
    for search in ("", "a", "vpc"):
        api = FakeApi().on("GET", OUTPUTS, answer(samples.page(*outputs)))
        document = await read("outputs", api, search=search, is_raw=True)
        values = {item["attributes"]["name"]: item["attributes"]["value"] for item in document["data"]}
        everything = {"vpc": "vpc-1", "password": None, "unmarked": None}
        assert values == {name: value for name, value in everything.items() if search in name}


async def test_outputs_keep_their_types_and_sensitive_ones_are_masked() -> None:
    api = FakeApi().on(
        "GET",
        OUTPUTS,
        answer(
            samples.page(
                output("vpc", "vpc-1"),
                output("zones", ["a", "b"], kind="array"),
                output("count", 3, kind="number"),
                output("none", None),
                output("password", SECRET, sensitive=True),  # the API returns null; a value is masked all the same
                output("unmarked", SECRET, sensitive=None),
                total=6,
            )
        ),
    )
    view = await read("outputs", api)
    assert SECRET not in str(view)
    assert view == {
        "workspace_id": WORKSPACE_ID,
        "part": "outputs",
        "rows": [
            {"name": "vpc", "type": "string", "value": "vpc-1"},
            {"name": "zones", "type": "array", "value": ["a", "b"]},
            {"name": "count", "type": "number", "value": 3},
            {"name": "none", "type": "string", "value": None},
            {"name": "password", "type": "string", "value": "(sensitive value)", "sensitive": True},
            {"name": "unmarked", "type": "string", "value": "(sensitive value)", "sensitive": True},
        ],
        "page": 1,
        "next_page": None,
        "total_count": 6,
    }


async def test_long_values_are_truncated_unless_one_is_read_alone() -> None:
    long = ["x" * 40] * 200
    api = FakeApi().on("GET", OUTPUTS, answer(samples.page(*(output(f"o{n}", long) for n in range(20)))))
    view = await read("outputs", api)
    assert all(row["is_truncated"] and row["value"].endswith("…") for row in view["rows"])
    assert len(compact(view)) < 9_000
    alone = await read("outputs", FakeApi().on("GET", OUTPUTS, answer(samples.page(output("o1", long)))))
    assert alone["rows"] == [{"name": "o1", "type": "string", "value": long}]


async def test_page_is_the_one_that_the_api_is_asked_for() -> None:
    api = FakeApi().on("GET", OUTPUTS, answer(samples.page(output("a", "1"), number=2, next_page=3, total=7)))
    view = await read("outputs", api, page_number=2, page_size=3)
    assert query(api.requests[-1]) == {"page[number]": "2", "page[size]": "3"}
    assert (view["page"], view["next_page"], view["total_count"]) == (2, 3, 7)


async def test_search_reads_all_pages_and_has_pages_of_its_own() -> None:
    first = samples.page(*(output(f"net_{n}", "1") for n in range(3)), output("other", "1"), next_page=2)
    last = samples.page(output("Network", "1"), number=2)
    api = FakeApi().on("GET", OUTPUTS, answer(first), answer(last))
    view = await read("outputs", api, search="NET", page_number=2, page_size=3)
    assert [row["name"] for row in view["rows"]] == ["Network"]
    assert (view["page"], view["next_page"], view["total_count"]) == (2, None, 4)


@rows(
    ("api", "document"),
    [
        (FakeApi(), workspace(state=None)),
        (FakeApi().on("GET", OUTPUTS, error(404, "not found")), workspace()),
    ],
)
async def test_workspace_without_a_state_has_no_outputs(api: FakeApi, document: Any) -> None:
    view = await read("outputs", api, workspace=document)
    assert (view["rows"], view["note"]) == ([], "The workspace has no state yet.")


# -- the other parts --------------------------------------------------------------------------------------------------


async def test_resources_have_their_addresses() -> None:
    attributes = {"address": "module.a.aws_vpc.main", "name": "main", "provider": "hashicorp/aws"}
    resource = {"id": "wsr-1", "type": "resources", "attributes": attributes | {"updated-at": "2026-01-02"}}
    api = FakeApi().on("GET", f"{PATH}/resources", answer(samples.page(resource, total=1)))
    view = await read("resources", api)
    assert view["rows"] == [
        {"address": "module.a.aws_vpc.main", "provider": "hashicorp/aws", "updated_at": "2026-01-02"}
    ]


async def test_variables_name_their_set_and_hide_sensitive_values() -> None:
    of_set = {"configurable": {"data": {"type": "varsets", "id": "varset-1"}}}
    api = FakeApi().on(
        "GET",
        f"{PATH}/all-vars",
        answer(
            {
                "data": [
                    variable("region", "eu-west-1", description="Where"),
                    variable("empty", ""),
                    variable("zones", '["a"]', hcl=True),
                    variable("token", SECRET, sensitive=True, category="env"),
                    variable("unmarked", SECRET, sensitive=None),
                    variable("shared", "x", relationships=of_set),
                ]
            }
        ),
    )
    view = await read("variables", api)
    assert SECRET not in str(view)
    assert view["rows"] == [
        {"key": "region", "category": "terraform", "value": "eu-west-1", "description": "Where"},
        {"key": "empty", "category": "terraform", "value": ""},
        {"key": "zones", "category": "terraform", "value": '["a"]', "hcl": True},
        {"key": "token", "category": "env", "sensitive": True},
        {"key": "unmarked", "category": "terraform", "sensitive": True},
        {"key": "shared", "category": "terraform", "value": "x", "variable_set": "varset-1"},
    ]
    assert view["total_count"] == 6
    raw = await read("variables", api, is_raw=True)
    assert SECRET not in str(raw)
    assert [item["attributes"]["key"] for item in raw["data"]][:2] == ["region", "empty"]


async def test_variables_are_paged_and_searched_here() -> None:
    variables = answer({"data": [variable(f"v{n:02}", "1") for n in range(25)]})
    api = FakeApi().on("GET", f"{PATH}/all-vars", variables)
    view = await read("variables", api, page_number=2)
    assert [row["key"] for row in view["rows"]] == ["v20", "v21", "v22", "v23", "v24"]
    assert (view["next_page"], view["total_count"]) == (None, 25)
    assert (await read("variables", api, page_number=1))["next_page"] == 2
    behind = await read("variables", api, page_number=9)
    assert (behind["rows"], behind["note"]) == ([], "Page 9 is empty: there are 2 pages.")
    assert [row["key"] for row in (await read("variables", api, search="V07"))["rows"]] == ["v07"]


async def test_state_versions_mark_the_current_one() -> None:
    def state(id_: str, **attributes: Any) -> dict[str, Any]:
        fields = {"status": "finalized", "serial": 4, "created-at": "2026-01-02T03:04:05Z", "size": 900, **attributes}
        run = {"run": {"data": {"type": "runs", "id": samples.RUN_ID}}}
        return {"id": id_, "type": "state-versions", "attributes": fields, "relationships": run}

    counted = [{"name": "a", "count": 2}, {"name": "b", "count": 1}]
    api = FakeApi().on(
        "GET",
        "/state-versions",
        answer(
            samples.page(
                state(STATE, resources=counted, **{"resources-processed": True, "terraform-version": "1.11.4"}),
                state("sv-0lder0lder0lder0", serial=3, **{"resources-processed": False}),
                total=2,
            )
        ),
    )
    view = await read("state_versions", api)
    assert query(api.sent("GET", "/state-versions")[0]) == {
        "filter[organization][name]": "acme",
        "filter[workspace][name]": "network",
        "page[number]": "1",
        "page[size]": "20",
    }
    shared = {"created_at": "2026-01-02T03:04:05Z", "run_id": samples.RUN_ID, "size": 900}
    assert view["rows"] == [
        {"id": STATE, "serial": 4, "current": True, **shared, "resources": 3, "terraform": "1.11.4"},
        {"id": "sv-0lder0lder0lder0", "serial": 3, **shared},
    ]


async def test_configuration_versions_mark_the_current_one() -> None:
    stamps = {"queued-at": "2026-01-02T03:04:05Z", "uploaded-at": "2026-01-02T03:04:09Z"}
    current = samples.configuration_version(status="uploaded", source="tfe-api", status_timestamps=stamps)
    failed = samples.configuration_version(
        "cv-0lder0lder0lder0", status="errored", error_message="bad\nslug", speculative=True
    )
    api = FakeApi().on("GET", f"{PATH}/configuration-versions", answer(samples.page(current, failed, total=2)))
    assert (await read("configuration_versions", api))["rows"] == [
        {
            "id": current["id"],
            "status": "uploaded",
            "current": True,
            "at": "2026-01-02T03:04:09Z",
            "source": "tfe-api",
        },
        {"id": "cv-0lder0lder0lder0", "status": "errored", "speculative": True, "error": "bad slug"},
    ]


# The sample of the reference, "List Actions in a Workspace".
ACTION = {
    "id": "action-ryh1uSaExmQqK72V",
    "type": "actions",
    "attributes": {
        "address": "action.terraform_data.restart",
        "module-address": "module.foo",
        "provider": "terraform",
        "documentation-url": None,
        "created-at": "2026-05-12T15:30:00Z",
        "updated-at": "2026-05-12T15:31:00Z",
        "instance-type": "for_each",
        "count-value": None,
        "for-each-values": ["key1", "key2", "key3"],
    },
    "relationships": {
        "workspace": {"data": {"id": WORKSPACE_ID, "type": "workspaces"}},
        "last-invocation": {"data": {"id": "ai-TmqZCTY8bCi6b3Am", "type": "action-invocations"}},
    },
}


async def test_actions_have_the_addresses_that_a_run_can_invoke() -> None:
    api = FakeApi().on("GET", f"{PATH}/terraform-actions", answer(samples.page(ACTION)))
    view = await read("actions", api)
    assert view["rows"] == [
        {"address": "action.terraform_data.restart", "provider": "terraform", "keys": ["key1", "key2", "key3"]}
    ]


# The OpenAPI document, "assessment-results".
ASSESSMENT = {
    "id": "asmtres-8F5JFydVYAmtTjET",
    "type": "assessment-results",
    "attributes": {
        "succeeded": True,
        "all-checks-succeeded": False,
        "checks-errored": 0,
        "checks-failed": 1,
        "checks-passed": 2,
        "checks-unknown": 0,
        "created-at": "2026-01-02T03:04:05Z",
        "drifted": True,
        "error-message": None,
        "resources-drifted": 2,
        "resources-undrifted": 40,
    },
}


async def test_health_shows_the_drift() -> None:
    api = FakeApi().on("GET", f"{PATH}/current-assessment-result", answer({"data": ASSESSMENT}))
    assert (await read("health", api))["rows"] == [
        {
            "id": "asmtres-8F5JFydVYAmtTjET",
            "at": "2026-01-02T03:04:05Z",
            "succeeded": True,
            "drifted": True,
            "resources_drifted": 2,
            "resources_undrifted": 40,
            "checks_passed": 2,
            "checks_failed": 1,
            "checks_errored": 0,
            "checks_unknown": 0,
        }
    ]


@rows(
    ("part", "note"),
    [
        ("actions", "This API does not list actions, or they are hidden from this token."),
        (
            "health",
            "No health assessment exists: it is disabled for the workspace, has not run yet, or this API has none.",
        ),
    ],
)
async def test_missing_part_is_noted(part: str, note: str) -> None:
    view = await read(part, FakeApi())
    assert (view["rows"], view["note"]) == ([], note)


@rows(
    "arguments",
    [
        {"part": "health", "search": "x"},
        {"part": "settings", "search": "x"},
        {"part": "everything"},
        {"part": "variables", "page_number": 0},
        {"part": "variables", "page_size": 101},
    ],
)
async def test_impossible_arguments_are_refused_before_a_request(arguments: dict[str, Any]) -> None:
    api = FakeApi()
    refusal = await failure_of("get_workspace_details", {"workspace_id": WORKSPACE_ID, **arguments}, api=api)
    assert isinstance(refusal, InvalidInput)
    assert api.requests == []


async def test_hidden_workspace_is_not_found() -> None:
    assert isinstance(await failure_of("get_workspace_details", api=FakeApi()), NotFound)


# -- texts that others wrote ------------------------------------------------------------------------------------------

HOSTILE = "\x1b]52;c;aGk=\x07vis\u200bible\u202e"


async def test_hostile_texts_of_every_part_are_shown_without_control_characters() -> None:
    def of(kind: str, id_: str, **attributes: Any) -> dict[str, Any]:
        return {"id": id_, "type": kind, "attributes": {name.replace("_", "-"): v for name, v in attributes.items()}}

    hostile = dict.fromkeys(("name", "type", "address", "provider", "description", "status", "source"), HOSTILE)
    paths = {
        "outputs": ("current-state-version-outputs", output(HOSTILE, {HOSTILE: [HOSTILE]}, kind=HOSTILE)),
        "resources": ("resources", of("resources", "wsr-1", **hostile, updated_at=HOSTILE)),
        "variables": ("all-vars", variable(HOSTILE, HOSTILE, description=HOSTILE)),
        "configuration_versions": (
            "configuration-versions",
            of("configuration-versions", "cv-1", **hostile, error_message=HOSTILE),
        ),
        "actions": ("terraform-actions", of("actions", "action-1", **hostile, for_each_values=[HOSTILE])),
    }
    for part, (path, item) in paths.items():
        api = FakeApi().on("GET", f"{PATH}/{path}", answer(samples.page(item)))
        text = str(await read(part, api))
        assert "visible" in text, part
        assert not [
            hidden for hidden in ("\\x1b", "\\x07", "\\u200b", "\\u202e", "\u200b", "\u202e") if hidden in text
        ], part


async def test_secret_of_a_plan_is_masked_in_outputs_that_lost_the_mark() -> None:
    plan = samples.plan_json()
    change = {"actions": ["create"], "before": None, "after": {"x": SECRET}, "after_sensitive": {"x": True}}
    plan["resource_changes"][0]["change"] = change
    api = (
        FakeApi()
        .on("GET", PATH, answer(workspace()))
        .on("GET", OUTPUTS, answer(samples.page(output("url", f"db://{SECRET}"))))
    )
    api.on("GET", f"/runs/{samples.RUN_ID}", answer({"data": samples.planned()}))
    api.on("GET", f"/plans/{samples.PLAN_ID}/json-output", answer(plan))
    async with client_for(api) as client:
        gate = Gate(client, Policy(Mode.READ))
        await gate.call(TOOLS["review_run"], {"run_id": samples.RUN_ID})
        arguments = {"workspace_id": WORKSPACE_ID, "part": "outputs"}
        view = as_json(await gate.call(TOOLS["get_workspace_details"], arguments))
    assert view["rows"][0]["value"] == "db://(sensitive value)"

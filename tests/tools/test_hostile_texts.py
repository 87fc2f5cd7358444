"""Hostile texts in API documents: no output or log moves a cursor or hides a word."""

import json
import unicodedata
from itertools import product
from pathlib import Path
from typing import Any, get_args

import anyio
import httpx2

from tests.support import samples
from tests.support.api import FakeApi, answer, client_for
from tests.tools.calls import LOG_URL, RUN_ID, TOOLS
from tests.tools.test_no_secret_anywhere import everything_shown, talkative_api, texts_in
from tfruns.gate.pipeline import Gate
from tfruns.masking.text import DEFAULT_IGNORABLE
from tfruns.policy import Confirm, Policy
from tfruns.views.base import as_json
from tfruns.wire import activity, checks, configuration_versions, organizations, plans, runs, variables, workspaces
from tfruns.wire.base import Resource

SECRET = "ZQ9-secret-of-all"
INVISIBLE = ("\u200b", "\U000e0041", "\ufe01", "\u202e", "\u00ad", "\x1b[1m", "\x9b", "\U000e0100", "\ufeff", "\x00")
SPLIT = "".join(character + INVISIBLE[place % len(INVISIBLE)] for place, character in enumerate(SECRET))
UNMASKED = {
    *("name", "username", "email", "status", "action", "source", "trigger-reason", "terraform-version"),
    *("execution-mode", "working-directory", "scope", "stage", "policy-kind", "workspace-task-enforcement-level"),
}
"""Names and words of the API, which are sanitized but not masked if they equal a sensitive value."""
HOSTILE = f"\x1b]52;c;aGk=\x07\x9d0;title\x9c\u2066{SPLIT}\u2069\ud800\r\u2028 visible\U000e007f"
NAME = HOSTILE.replace(SPLIT, INVISIBLE[1])

MODULES = (activity, checks, configuration_versions, organizations, plans, runs, variables, workspaces)
MODELS: dict[str, type[Resource]] = {
    kind.wire_type: kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Resource) and hasattr(kind, "wire_type")
}
NEVER_READ = {"organizations", "projects", "entitlement-sets", "teams", "workspace-outputs"} | {
    *("tags", "tag-bindings", "effective-tag-bindings", "resources"),
}
KEPT = {"id", "log-read-url", "upload-url", "url", "value", "type", "status", "category"}


def is_text(annotation: Any) -> bool:
    return annotation is str or any(is_text(one) for one in get_args(annotation))


def hostile_fields(kind: type[Resource], *, is_status_hostile: bool) -> dict[str, Any]:
    """A hostile value for each attribute of a resource that is a text or a list of texts."""
    fields: dict[str, Any] = {}
    for field, info in kind.model_fields.items():
        name = field.replace("_", "-")
        if name in KEPT - ({"status"} if is_status_hostile else set()):
            continue
        if name == "outcomes":
            words = dict.fromkeys(("status", "enforcement_level"), NAME)
            fields[name] = [words | dict.fromkeys(("policy_name", "description"), HOSTILE)]
        elif "dict" not in str(info.annotation) and "wire" not in str(info.annotation) and is_text(info.annotation):
            text = NAME if name in UNMASKED else HOSTILE
            fields[name] = [text] if "list" in str(info.annotation) else text
    return fields


class HostileApi(FakeApi):
    """An API whose resources and errors have a hostile text in every text attribute."""

    def __init__(self, api: FakeApi, *, is_status_hostile: bool) -> None:
        super().__init__()
        self._api = api
        self._is_status_hostile = is_status_hostile
        self.seen = set[str]()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._api.handle_async_request(request)
        if "api+json" not in response.headers.get("content-type", ""):
            return response
        return answer(self.with_hostile_texts(json.loads(response.content)), response.status_code)

    def with_hostile_texts(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.with_hostile_texts(item) for item in node]
        if not isinstance(node, dict):
            return node
        changed = {key: self.with_hostile_texts(value) for key, value in node.items()}
        if "title" in node and "status" in node:
            changed |= {"title": NAME, "detail": NAME}
        kind = MODELS.get(str(node.get("type")))
        if kind is not None and "attributes" in node:
            self.seen.add(kind.wire_type)
            changed["attributes"] |= hostile_fields(kind, is_status_hostile=self._is_status_hostile)
            if kind is runs.Run:
                changed["attributes"]["variables"] = [{"key": HOSTILE, "value": f'"{SECRET}"'}]
        return changed


def resource(kind: str, id_: str, relationships: dict[str, Any] | None = None, **attributes: Any) -> dict[str, Any]:
    related = {name: {"data": value} for name, value in (relationships or {}).items()}
    attributes = {name.replace("_", "-"): value for name, value in attributes.items()}
    return {"id": id_, "type": kind, "attributes": attributes, "relationships": related}


def api_with_failed_checks(status: str, *, has_checks: bool) -> FakeApi:
    """A run that failed between its plan and its apply: policies, tasks, a cost estimate, a configuration."""
    ends = {
        "task-stages": [{"type": "task-stages", "id": "ts-1"}],
        "policy-checks": [{"type": "policy-checks", "id": "polchk-1"}],
        "tf-policy-evaluations": [{"type": "tf-policy-evaluations", "id": "tfpeval-1"}],
        "cost-estimate": {"type": "cost-estimates", "id": "ce-1"},
        "configuration-version": {"type": "configuration-versions", "id": "cv-1"},
    }
    run = samples.run(status=status)
    run["relationships"] |= {name: {"data": value} for name, value in ends.items()}
    if not has_checks:
        for name in ("task-stages", "policy-checks", "tf-policy-evaluations", "cost-estimate"):
            del run["relationships"][name]
    results = {
        "task-results": [{"type": "task-results", "id": "taskrs-1"}],
        "policy-evaluations": [{"type": "policy-evaluations", "id": "poleval-1"}],
    }
    stage = resource("task-stages", "ts-1", results, status="failed")
    stage_document = {
        "data": stage,
        "included": [
            resource("task-results", "taskrs-1", status="failed"),
            resource("policy-evaluations", "poleval-1", status="failed"),
        ],
    }
    check = samples.policy_check("polchk-1", status="hard_failed")
    outcome = resource("policy-set-outcomes", "psout-1")
    plan = resource("plans", samples.PLAN_ID, status="finished", log_read_url=LOG_URL)
    api = FakeApi().on("GET", f"/runs/{RUN_ID}", answer({"data": run, "included": [samples.user()]}))
    api.on("GET", f"/plans/{samples.PLAN_ID}", answer({"data": plan}))
    api.on("GET", f"/plans/{samples.PLAN_ID}/json-output", httpx2.Response(204))
    api.on("GET", f"/runs/{RUN_ID}/policy-checks", answer(samples.page(check)))
    api.on("GET", "/policy-checks/polchk-1/output", httpx2.Response(200, content=HOSTILE.encode(errors="replace")))
    api.on("GET", f"/runs/{RUN_ID}/task-stages", answer(samples.page(stage)))
    api.on("GET", "/task-stages/ts-1", answer(stage_document))
    api.on("GET", "/policy-evaluations/poleval-1/policy-set-outcomes", answer(samples.page(outcome)))
    evaluation = resource("tf-policy-evaluations", "tfpeval-1", status="failed")
    api.on("GET", f"/runs/{RUN_ID}/tf-policy-evaluations", answer(samples.page(evaluation)))
    tf_outcome = resource("tf-policy-set-outcomes", "tfpso-1")
    api.on("GET", "/tf-policy-evaluations/tfpeval-1/tf-policy-set-outcomes", answer(samples.page(tf_outcome)))
    api.on("GET", "/cost-estimates/ce-1", answer({"data": resource("cost-estimates", "ce-1", status="errored")}))
    version = resource("configuration-versions", "cv-1", status="errored")
    return api.on("GET", "/configuration-versions/cv-1", answer({"data": version}))


def is_hidden(character: str) -> bool:
    """Whether a character moves a cursor or is invisible."""
    if character in "\n\t":
        return False
    ranges = (first <= ord(character) <= last for first, last in DEFAULT_IGNORABLE)
    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"} or any(ranges)


def check_shown(shown: list[Any]) -> None:
    assert "visible" in str(shown)
    for view in shown:
        for text in texts_in(view):
            assert not [hex(ord(one)) for one in text if is_hidden(one)], view
            assert SECRET not in text, view


def test_hostile_text_of_any_attribute_is_never_shown_unchanged(tmp_path: Path) -> None:
    seen = set[str]()
    for status in ("planned", "errored", "canceled", "pending"):
        for is_status_hostile in (False, True):
            audit = tmp_path / "audit.jsonl"
            inner = talkative_api(SPLIT, "a variable", status, is_json_log=status == "errored")
            inner.off("GET", f"/plans/{samples.PLAN_ID}/json-output")
            plan = talkative_api(SECRET, "a variable", status, is_json_log=False)
            for route, answers in plan.routes.items():
                inner.routes.setdefault(route, answers)
            api = HostileApi(inner, is_status_hostile=is_status_hostile)
            check_shown(anyio.run(everything_shown, api, SPLIT, audit))
            check_shown([*map(json.loads, audit.read_text().splitlines()), "visible"])
            seen |= api.seen
            audit.unlink()
    seen |= anyio.run(_diagnoses)
    assert seen >= set(MODELS) - NEVER_READ


async def _diagnoses() -> set[str]:
    seen = set[str]()
    statuses = ("errored", "policy_soft_failed", "post_plan_awaiting_decision", "cost_estimated")
    for status, has_checks in product(statuses, (True, False)):
        api = HostileApi(api_with_failed_checks(status, has_checks=has_checks), is_status_hostile=False)
        async with client_for(api) as client:
            for tool in ("diagnose_run", "wait_for_run", "get_run_details"):
                gate = Gate(client, Policy(confirm=Confirm.NEVER))
                check_shown([as_json(await gate.call(TOOLS[tool], {"run_id": RUN_ID})), "visible"])
        seen |= api.seen
    return seen

"""No result, error, question, progress message or audit line of any tool contains a sensitive value of a plan."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support import samples
from tests.support.api import FakeApi, accepted, answer, client_for, error
from tests.support.tables import rows
from tests.tools.calls import ASSISTANT, CONFIGURATION, LOG_URL, REQUIRED, TOOLS, willing_api
from tests.unit.review.plans import change, plan, resource
from tfruns.errors import TfrunsError
from tfruns.gate.audit import AuditLog
from tfruns.gate.person import Answer, Question
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Policy
from tfruns.views.base import as_json

# The tools' own texts contain none of these characters, except quotes and backslashes.
secret_texts = st.text(alphabet='ZQ9Jé<&$%"\\ ', min_size=6, max_size=40).filter(
    lambda text: text == text.strip() and "  " not in text and len(text.strip('"\\')) >= 6
)

Place = Callable[[dict[str, Any], str], Any]
HIDDEN_BY_THE_CONFIGURATION: dict[str, Place] = {
    "a variable": lambda plan, secret: plan.update(
        variables={"v": {"value": secret}},
        configuration={"root_module": {"variables": {"v": {"sensitive": True}}}},
    ),
    "before": lambda plan, secret: plan["resource_changes"].append(
        resource("a.h", before={"p": secret}, before_sensitive={"p": True})
    ),
    "deep in after": lambda plan, secret: plan["resource_changes"].append(
        resource("a.h", after={"p": [{"q": secret}]}, after_sensitive={"p": [{"q": True}]})
    ),
    "an output": lambda plan, secret: plan["output_changes"].update(
        h=change(["create"], after={"x": [secret]}, after_sensitive=True)
    ),
    "drift": lambda plan, secret: plan["resource_drift"].append(
        resource("a.h", before={"p": secret}, before_sensitive={"p": True})
    ),
    "the prior state": lambda plan, secret: plan.update(
        prior_state={
            "values": {"root_module": {"resources": [{"values": {"p": secret}, "sensitive_values": {"p": True}}]}}
        }
    ),
    "a constant of the configuration": lambda plan, secret: plan.update(
        configuration={
            "root_module": {
                "module_calls": {
                    "m": {
                        "expressions": {"p": {"constant_value": secret}},
                        "module": {"variables": {"p": {"sensitive": True}}},
                    }
                }
            }
        }
    ),
    "a default": lambda plan, secret: plan.update(
        configuration={"root_module": {"variables": {"v": {"sensitive": True, "default": secret}}}}
    ),
    "a variable that only the workspace marks as sensitive": lambda plan, secret: plan.update(
        variables={"of_the_workspace": {"value": secret}}
    ),
}

PHASES = {
    "planned": "finished",
    "applying": "running",
    "errored": "errored",
    "pending": "pending",
    "canceled": "canceled",
}


def planted(secret: str, place: str) -> dict[str, Any]:
    """A plan that contains the secret many times, and marks it once."""
    copies = {"exact": secret, "within": f"begin {secret} end", "list": [secret], secret: "a key"}
    check = {
        "address": {"to_display": f"check.{secret}"},
        "status": "fail",
        "instances": [{"problems": [{"message": f"not {secret}"}]}],
    }
    source = plan(
        *(
            resource(f"a.b[{json.dumps(secret)}]", [action], before=copies, after=copies)
            for action in ("delete", "read")
        ),
        resource("a.c", ["delete", "create"], before=copies, after={**copies, "new": secret}),
        resource_drift=[resource("a.b", before=copies, after={"now": secret})],
        output_changes={"o": change(["update"], before=secret, after=f"now {secret}")},
        checks=[check],
    )
    HIDDEN_BY_THE_CONFIGURATION[place](source, secret)
    return source


def log_of(secret: str, *, is_json: bool) -> bytes:
    """A log that contains the secret in a line and in an error with its code."""
    if not is_json:
        return (
            f"a.b: printing {secret}\n╷\n│ Error: it is {secret}\n│ \n│   with a.b,\n│   on main.tf line 1, in x:\n"
            f"│    1: p = {json.dumps(secret, ensure_ascii=False)}\n│ \n│ The detail: {secret}.\n╵\n"
        ).encode()
    where = {"filename": "main.tf", "start": {"line": 1}}
    diagnostic = {
        "severity": "error",
        "summary": f"it is {secret}",
        "detail": f"the detail: {secret}",
        "address": "a.b",
        "range": where,
        "snippet": {"code": f"p = {json.dumps(secret)}", "context": f"x {secret}"},
    }
    lines = [
        {"@level": "info", "@message": f"printing {secret}", "type": "provision_progress"},
        {"@level": "error", "@message": f"Error: {secret}", "type": "diagnostic", "diagnostic": diagnostic},
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def talkative_api(secret: str, place: str, status: str, *, is_json_log: bool) -> FakeApi:
    """An API that repeats the secret in every text that does not come from the plan."""
    possible = ("confirmable", "discardable") if status == "planned" else ("cancelable",)
    stamps = {"planned-at": "2026-01-02T03:04:05Z"}
    if status in {"errored", "applying"}:
        stamps |= {"confirmed-at": "2026-01-02T03:05:05Z", "applying-at": "2026-01-02T03:05:06Z"}
    run = samples.run(
        status=status, message=f"because of {secret}", actions=samples.actions(*possible), status_timestamps=stamps
    )
    api = FakeApi()
    id_, plan_id, apply_id = run["id"], samples.PLAN_ID, run["relationships"]["apply"]["data"]["id"]
    api.on("GET", f"/plans/{plan_id}/json-output", httpx2.Response(200, json=planted(secret, place)))
    sensitive = {"key": "of_the_workspace", "sensitive": True, "category": "terraform"}
    variables = {"data": [{"id": "var-1", "type": "vars", "attributes": sensitive}]}
    api.on("GET", f"/workspaces/{samples.WORKSPACE_ID}/all-vars", answer(variables))
    for kind, phase in (("plans", plan_id), ("applies", apply_id)):
        state = "errored" if kind == "applies" and status == "canceled" else PHASES[status]
        document = {"id": phase, "type": kind, "attributes": {"status": state, "log-read-url": LOG_URL}}
        api.on("GET", f"/{kind}/{phase}", answer({"data": document}))

    def log(request: httpx2.Request) -> httpx2.Response:
        offset = int(request.url.params.get("offset", "0"))
        return httpx2.Response(200, content=log_of(secret, is_json=is_json_log)[offset:])

    api.on("GET", LOG_URL, log)
    comment = samples.comment(body=f"look: {secret}")
    event = {
        "id": "re-8sXcrdLZk8RGVrZo",
        "type": "run-events",
        "attributes": {
            "action": "canceled" if status == "canceled" else "commented",
            "created-at": "2026-01-02T03:04:05Z",
            "description": f"with {secret}",
        },
        "relationships": {
            "comment": {"data": {"type": "comments", "id": comment["id"]}},
            "actor": {"data": {"type": "users", "id": samples.user()["id"]}},
        },
    }
    other = {**comment, "id": "wsc-2"}
    api.on("GET", f"/runs/{id_}/run-events", answer(samples.page(event) | {"included": [comment, samples.user()]}))
    api.on("GET", f"/runs/{id_}/comments", answer(samples.page(comment, other)))
    check = samples.policy_check()
    api.on("GET", f"/runs/{id_}/policy-checks", answer(samples.page(check)))
    api.on("GET", f"/policy-checks/{check['id']}/output", httpx2.Response(200, content=f"print {secret}\n".encode()))
    api.on("POST", f"/policy-checks/{check['id']}/actions/override", answer({"data": check}))
    api.on("GET", f"/runs/{id_}", answer({"data": run, "included": [samples.workspace(), samples.user()]}))
    rows = answer(samples.page(run, total=1) | {"included": [samples.workspace()]})
    api.on("GET", f"/workspaces/{samples.WORKSPACE_ID}/runs", rows)
    api.on("GET", "/organizations/acme/runs", rows)
    for action in ("apply", "discard", "cancel", "force-cancel", "force-execute"):
        refused = error(409, "transition not allowed") if status == "errored" else accepted()
        api.on("POST", f"/runs/{id_}/actions/{action}", refused)
    api.on("POST", f"/runs/{id_}/comments", answer({"data": comment}, 201))
    _borrow(api, willing_api())
    return api


def _borrow(api: FakeApi, other: FakeApi) -> None:
    """Respond like another API to requests that are not in the script."""
    for route, answers in other.routes.items():
        api.routes.setdefault(route, answers)


class Listener:
    """Everything that a caller can see."""

    can_be_asked = True
    name = ""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    async def ask(self, question: Question) -> Answer:
        self.seen.append(question.text)
        return Answer.YES

    async def report(self, message: str, *, done: float, total: float | None = None) -> None:
        self.seen.append(message)


def arguments_of(name: str, secret: str) -> list[dict[str, Any]]:
    """Calls of a tool, some of which contain the secret."""
    least = REQUIRED[name]
    more: dict[str, list[dict[str, Any]]] = {
        "review_run": [{"filter": text} for text in (secret, "drift", "output", "a.b")],
        "get_run_logs": [{"search": secret}, {"offset": 0}, {"phase": "apply"}, {"phase": "plan", "search": "print"}],
        "wait_for_run": [{"timeout_s": 1}, {"timeout_s": 0, "until": "final"}],
    }
    if "comment" in TOOLS[name].input_schema["properties"]:
        more[name] = [{"comment": f"It is {secret}"}]
    if name == "comment_on_run":
        more[name] = [{"body": f"It is {secret}"}]
    return [least, *({**least, **other} for other in more.get(name, []))]


async def everything_shown(api: FakeApi, secret: str, audit: Path) -> list[Any]:
    """The outputs of all tools, called in turn by one client that has reviewed the run."""
    listener = Listener()
    seen = listener.seen
    async with client_for(api) as client:
        for confirm in (Confirm.NEVER, Confirm.ALWAYS):
            gate = Gate(
                client,
                Policy(confirm=confirm),
                progress=listener,
                person=listener,
                audit=AuditLog(audit),
                allowed_directories=(CONFIGURATION,),
            )
            for name in ["review_run", *TOOLS]:
                for arguments in arguments_of(name, secret):
                    try:
                        seen.append(as_json(await gate.call(TOOLS[name], arguments)))
                    except TfrunsError as failure:
                        seen.append([failure.as_dict(), str(failure)])
    return seen


def texts_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.items() for part in item for text in texts_in(part)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in texts_in(item)]
    return [str(value)]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.sampled_from(list(HIDDEN_BY_THE_CONFIGURATION)), secret_texts, st.sampled_from(sorted(PHASES)), st.booleans())
def test_no_tool_shows_a_sensitive_value(tmp_path: Path, place: str, secret: str, status: str, is_json: bool) -> None:
    check_all(tmp_path, place, secret, status, is_json)


@pytest.mark.parametrize("place", HIDDEN_BY_THE_CONFIGURATION)
def test_no_tool_shows_a_value_that_is_marked_anywhere_in_the_plan(tmp_path: Path, place: str) -> None:
    check_all(tmp_path, place, 'ZQ9J<é>&"Z', "planned", is_json=False)


def check_all(tmp_path: Path, place: str, secret: str, status: str, is_json: bool) -> None:
    audit = tmp_path / "audit.jsonl"
    audit.unlink(missing_ok=True)
    api = talkative_api(secret, place, status, is_json_log=is_json)
    shown = anyio.run(everything_shown, api, secret, audit)
    shown += [json.loads(line) for line in audit.read_text().splitlines()]
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    for view in shown:
        for text in texts_in(view):
            assert not [form for form in forms if form in text], view
    assert "(sensitive value)" in str(shown)


@rows("name", ["review_run", "get_run_logs", "diagnose_run", "get_run_history", "wait_for_run"])
@rows("status", PHASES)
async def test_tools_that_read_texts_mask_them_from_the_first_call(name: str, status: str) -> None:
    secret = "ZQ9-first-of-all"
    async with client_for(talkative_api(secret, "before", status, is_json_log=False)) as client:
        view = as_json(await Gate(client, ASSISTANT).call(TOOLS[name], {"run_id": samples.RUN_ID}))
    assert secret not in json.dumps(view)

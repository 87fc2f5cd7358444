"""A gate before a scripted API with one run that waits for confirmation."""

from typing import Any

import pytest

from tests.support import samples
from tests.support.api import FakeApi, accepted, answer, client_for
from tests.tools.calls import PATHS, RUN_ID, TOOLS, WORKSPACE_ID
from tfruns.errors import ConfirmationNeeded
from tfruns.gate.audit import AuditLog
from tfruns.gate.codes import ConfirmationCodes
from tfruns.gate.person import Answer, Question
from tfruns.gate.pipeline import Gate
from tfruns.policy import Confirm, Policy
from tfruns.runs.plans import plan_summary
from tfruns.views.base import as_json

DESTROYS = samples.plan_json(db=["delete"], web=["create"])
REPLACES = samples.plan_json(db=["delete", "create"])
ADDS = samples.plan_json(web=["create"])
APPLY: dict[str, Any] = {"run_id": RUN_ID}
DESTROY_PLAN = {"workspace_id": WORKSPACE_ID, "params": {"is_destroy": True}}
DESTROY_RUN = {"workspace_id": WORKSPACE_ID, "params": {"is_destroy": True, "auto_apply": True}}
AUTO_RUN = {"workspace_id": WORKSPACE_ID, "params": {"auto_apply": True}}

# A tool, its arguments, and a part of the question about the call.
ASKED = [
    ("apply_run", APPLY, "Apply run-CZcmD7eagjhyX0vN of acme/network"),
    ("force_cancel_run", APPLY, "which is planned"),
    ("force_execute_run", APPLY, "run next"),
    ("create_run", DESTROY_PLAN, "destroys all resources (it then waits for its apply)"),
    ("create_run", DESTROY_RUN, "destroys all resources, without another confirmation"),
    ("create_run", AUTO_RUN, "applies its plan"),
]


class FixedPerson:
    """A person who always gives the same answer."""

    can_be_asked = True
    name = ""

    def __init__(self, says: Answer = Answer.YES) -> None:
        self.says = says
        self.questions: list[Question] = []

    @property
    def asked(self) -> list[str]:
        return [question.text for question in self.questions]

    async def ask(self, question: Question) -> Answer:
        self.questions.append(question)
        return self.says


class Log(AuditLog):
    """An audit log in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[Any] = []

    def write(self, fields: Any) -> None:
        self.lines.append(fields)


class GateHarness:
    """An API with one run that waits for confirmation, and a gate for it."""

    def __init__(self, plan: Any = ADDS, confirm: Confirm = Confirm.AUTO, person: Any = None, **run: Any) -> None:
        self.api = FakeApi()
        possible = samples.actions("confirmable", "discardable", "force-cancelable")
        self.run = samples.planned(**{"actions": possible, **run})
        document = {"data": self.run, "included": [samples.workspace()]}
        self.api.on("GET", f"/runs/{RUN_ID}", answer(document)).on("POST", "/runs", answer({"data": self.run}, 201))
        self.api.on("GET", f"/workspaces/{WORKSPACE_ID}", answer({"data": samples.workspace(resource_count=42)}))
        self.api.on("GET", f"/workspaces/{WORKSPACE_ID}/runs", answer(samples.page(self.run)))
        if plan is not None:
            self.api.on("GET", f"/plans/{samples.PLAN_ID}/json-output", answer(plan))
        for path in PATHS.values():
            self.api.on("POST", f"/runs/{RUN_ID}/actions/{path}", accepted())
        self.policy = Policy(confirm=confirm)
        self.caller = ""
        self.person = person
        self.pages: Any = None
        self.codes = ConfirmationCodes(lambda: self.now)
        self.now = 0.0
        self.log = Log()

    async def call(self, name: str, arguments: dict[str, Any] = APPLY) -> Any:
        async with client_for(self.api) as client:
            more = {"pages": self.pages} | ({} if self.person is None else {"person": self.person})
            gate = Gate(client, self.policy, codes=self.codes, audit=self.log, caller=self.caller, **more)
            return as_json(await gate.call(TOOLS[name], arguments))

    async def refusal(self, name: str, arguments: dict[str, Any] = APPLY) -> ConfirmationNeeded:
        with pytest.raises(ConfirmationNeeded) as refused:
            await self.call(name, arguments)
        assert self.posts == 0
        assert self.log.lines == []
        return refused.value

    async def code(self) -> str:
        """The confirmation code of a refused apply."""
        return str((await self.refusal("apply_run")).facts["confirmation"])

    def change(self, method: str, path: str, to: Any) -> None:
        """Change the responses of the API."""
        self.api.off(method, path).on(method, path, to)

    async def fingerprint(self) -> str:
        async with client_for(self.api) as client:
            found = await plan_summary(client, await client.runs.read(RUN_ID))
        assert found is not None
        return found.fingerprint

    @property
    def posts(self) -> int:
        return len(self.api.sent("POST"))

    @property
    def consent(self) -> str:
        consent: str = self.log.lines[0]["confirmed"]
        return consent

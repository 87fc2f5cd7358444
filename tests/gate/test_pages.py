"""Consent by a page: a refusal with a link, a call that waits, and a repeated call that finds the decision."""

from typing import Any

import anyio
import pytest

from tests.gate.harness import ADDS, APPLY, AUTO_RUN, DESTROYS, FixedPerson, GateHarness
from tests.support import samples
from tests.support.api import answer
from tests.tools.calls import RUN_ID
from tfruns.errors import ConfirmationNeeded, ConnectionFailed, Declined, RefusedByMode
from tfruns.gate.person import Answer
from tfruns.gate.requests import REQUESTS_PATH, Decision, DecisionRequest, DecisionRequests
from tfruns.policy import Confirm

pytestmark = pytest.mark.anyio

YES, NO = Decision(is_confirmed=True, by="operator"), Decision(is_confirmed=False, by="operator")


class FakePages:
    """The pages of a process, which may be unable to serve them."""

    def __init__(self, *, is_broken: bool = False) -> None:
        self.requests = DecisionRequests()
        self.is_broken = is_broken

    async def url(self, path: str) -> str:
        if self.is_broken:
            raise ConnectionFailed("no port")
        return f"http://127.0.0.1:1{path}"

    def request(self, link: Any) -> DecisionRequest:
        found = self.requests.find(str(link).rpartition("/")[2])
        assert found is not None
        assert link == f"http://127.0.0.1:1{REQUESTS_PATH}{found.id}"
        return found

    def decide(self, link: Any, decision: Decision) -> None:
        request = self.request(link)
        assert self.requests.decide(request, request.impact, decision)


def harness_with_pages(plan: Any = DESTROYS, confirm: Confirm = Confirm.PAGE, person: Any = None) -> GateHarness:
    harness = GateHarness(plan, confirm, person)
    harness.pages = FakePages()
    return harness


async def test_page_is_named_by_every_refusal_that_a_person_can_resolve() -> None:
    for confirm in (Confirm.AUTO, Confirm.REVIEW, Confirm.ALWAYS, Confirm.PAGE):
        harness = harness_with_pages(confirm=confirm)
        for name, arguments in (("apply_run", APPLY), ("force_cancel_run", APPLY), ("create_run", AUTO_RUN)):
            if (confirm, name) == (Confirm.AUTO, "force_cancel_run"):
                continue  # the client's own approval suffices
            refused = await harness.refusal(name, arguments)
            link = refused.facts["link"]
            assert str(link) in refused.solution
            assert harness.pages.request(link).call.tool.name == name


async def test_repeated_call_uses_the_decision_once() -> None:
    for confirm in (Confirm.AUTO, Confirm.REVIEW, Confirm.ALWAYS, Confirm.PAGE):
        harness = harness_with_pages(confirm=confirm)
        harness.pages.decide((await harness.refusal("apply_run")).facts["link"], YES)
        await harness.call("apply_run")
        begun = harness.log.lines[0]
        assert (begun["confirmed"], begun["confirmed_by"]) == ("page", "operator")
        assert begun["confirmed_plan"] == await harness.fingerprint()
        harness.log.lines.clear()
        with pytest.raises(ConfirmationNeeded) as again:
            await harness.call("apply_run")
        assert harness.pages.request(again.value.facts["link"]).decision is None
        assert harness.posts == 1


async def test_refused_call_is_declined_once_and_then_asked_again() -> None:
    harness = harness_with_pages()
    link = (await harness.refusal("apply_run")).facts["link"]
    harness.pages.decide(link, NO)
    with pytest.raises(Declined):
        await harness.call("apply_run")
    assert (await harness.refusal("apply_run")).facts["link"] != link
    assert harness.posts == 0


async def test_code_that_was_issued_before_a_refusal_is_revoked() -> None:
    for declines_on_page in (True, False):
        harness = harness_with_pages(confirm=Confirm.AUTO)
        nobody = harness.person
        refused = await harness.refusal("apply_run")
        if declines_on_page:
            harness.pages.decide(refused.facts["link"], NO)
        else:
            harness.person = FixedPerson(Answer.NO)
        with pytest.raises(Declined):
            await harness.call("apply_run")
        harness.person = nobody
        with pytest.raises(ConfirmationNeeded, match="wrong, used or expired"):
            await harness.call("apply_run", APPLY | {"confirmation": refused.facts["confirmation"]})
        assert harness.posts == 0


async def test_repeated_call_waits_for_the_decision() -> None:
    for decision, posts in ((YES, 1), (NO, 0)):
        harness = harness_with_pages()
        link = (await harness.refusal("apply_run")).facts["link"]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_decide_when_blocked, harness, link, decision)
            if decision is YES:
                await harness.call("apply_run")
            else:
                with pytest.raises(Declined):
                    await harness.call("apply_run")
        assert harness.posts == posts


async def _decide_when_blocked(harness: GateHarness, link: Any, decision: Decision) -> None:
    await anyio.wait_all_tasks_blocked()
    harness.pages.decide(link, decision)


async def test_second_of_two_waiting_calls_is_not_sent() -> None:
    harness, refusals = harness_with_pages(), []
    link = (await harness.refusal("apply_run")).facts["link"]

    async def call() -> None:
        try:
            await harness.call("apply_run")
        except ConfirmationNeeded as refused:
            refusals.append(refused.message)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        tasks.start_soon(call)
        tasks.start_soon(_decide_when_blocked, harness, link, YES)
    assert refusals == ["Another call has already used the person's decision. This call sent nothing."]
    assert harness.posts == 1


async def test_decision_about_another_plan_is_not_used() -> None:
    harness = harness_with_pages()
    link = (await harness.refusal("apply_run")).facts["link"]
    harness.pages.decide(link, YES)
    harness.change("GET", f"/plans/{samples.PLAN_ID}/json-output", answer(ADDS))
    assert (await harness.refusal("apply_run")).facts["link"] != link


async def test_decision_about_one_call_is_not_used_for_another() -> None:
    harness = harness_with_pages()
    link = (await harness.refusal("apply_run")).facts["link"]
    harness.pages.decide(link, YES)
    for name, arguments in (
        ("force_cancel_run", APPLY),
        ("apply_run", APPLY | {"comment": "changed"}),
        ("discard_run", APPLY),
    ):
        refused = await harness.refusal(name, arguments)
        assert refused.facts["link"] != link


async def test_page_mode_accepts_neither_code_nor_fingerprint_nor_form() -> None:
    code = await GateHarness(DESTROYS).code()
    for proof in ({"fingerprint": await GateHarness(DESTROYS).fingerprint()}, {"confirmation": code}, {}):
        for person in (None, FixedPerson(Answer.YES)):
            refused = await harness_with_pages(person=person).refusal("apply_run", APPLY | proof)
            assert "link" in refused.facts
            assert "confirmation" not in refused.facts


async def test_page_mode_asks_for_everything_that_changes_something() -> None:
    harness = harness_with_pages(ADDS)
    for name in ("apply_run", "discard_run", "force_execute_run"):
        assert "link" in (await harness.refusal(name)).facts


async def test_code_in_a_repeated_call_does_not_wait_for_the_page() -> None:
    harness = harness_with_pages(confirm=Confirm.AUTO)
    refused = await harness.refusal("apply_run")
    assert str(refused.facts["link"]) in refused.solution
    with anyio.fail_after(5):
        await harness.call("apply_run", APPLY | {"confirmation": refused.facts["confirmation"]})
        assert harness.consent == "code"


async def test_page_that_nobody_has_decided_on_is_named_again() -> None:
    harness = harness_with_pages(person=FixedPerson(Answer.UNDECIDED))
    refused = await harness.refusal("apply_run")
    assert refused.message == "No decision has been made on the page yet. Nothing was sent."
    assert harness.pages.request(refused.facts["link"]).decision is None


async def test_declined_question_withdraws_the_request() -> None:
    harness = harness_with_pages(person=FixedPerson(Answer.NO))
    with pytest.raises(Declined):
        await harness.call("apply_run")
    asked = harness.person.questions[0]
    assert harness.pages.requests.find(asked.request.id) is None


async def test_process_that_cannot_serve_pages_refuses_or_falls_back() -> None:
    for pages in (None, FakePages(is_broken=True)):
        harness = GateHarness(DESTROYS, Confirm.PAGE)
        harness.pages = pages
        with pytest.raises(RefusedByMode) as refused:
            await harness.call("apply_run")
        assert "serves no pages" in refused.value.message
        harness = GateHarness(DESTROYS)
        harness.pages = pages
        found = await harness.refusal("apply_run")
        assert ("link" in found.facts, bool(found.facts["confirmation"])) == (False, True)


async def test_client_that_declines_every_question_leaves_the_request_open() -> None:
    harness = harness_with_pages(person=FixedPerson(Answer.DECLINED_UNREAD))
    with pytest.raises(Declined) as declined:
        await harness.call("apply_run")
    link = declined.value.facts["link"]
    assert str(link) in declined.value.solution
    harness.pages.decide(link, YES)
    await harness.call("apply_run")
    assert (harness.posts, harness.consent, len(harness.person.asked)) == (1, "page", 1)


async def test_override_of_several_policies_is_one_request() -> None:
    harness = harness_with_pages()
    failed = [samples.policy_check(f"polchk-Failed{number:010}") for number in range(3)]
    harness.api.on("GET", f"/runs/{RUN_ID}/policy-checks", answer(samples.page(*failed)))
    for check in failed:
        harness.api.on("POST", f"/policy-checks/{check['id']}/actions/override", answer({"data": check}))
    call = ("override_policy_check", APPLY | {"comment": "agreed"})
    request = harness.pages.request((await harness.refusal(*call)).facts["link"])
    assert [check["id"] in " ".join(request.impact.at_stake) for check in failed] == [True] * 3
    assert harness.pages.requests.decide(request, request.impact, YES)
    await harness.call(*call)
    overrides = [request for request in harness.api.sent("POST") if request.url.path.endswith("/actions/override")]
    assert (len(overrides), harness.consent) == (3, "page")

"""The decision Override: offered only where a person may override everything that blocks the run."""

from typing import Any

from tests.support import samples
from tests.support.api import FakeApi, answer, body
from tests.support.samples import RUN_ID
from tests.web.support import forms_of
from tests.web.test_remote import RUN_PAGE, Opened, opened, remote_api
from tfruns.policy import Mode, Policy

__all__ = ["opened"]

CHECK_ID = "polchk-9VYRc9bpfJEsnwum"


def _api(check: dict[str, Any], status: str = "policy_override") -> FakeApi:
    run = samples.run(status=status, message="Open the shop", actions=samples.actions("discardable"), auto_apply=False)
    api = remote_api(run)
    api.on("GET", f"/runs/{RUN_ID}/policy-checks", answer(samples.page(check)))
    api.on("POST", f"/policy-checks/{CHECK_ID}/actions/override", answer({"data": check}))
    return api.on("POST", f"/runs/{RUN_ID}/comments", answer({"data": samples.comment()}, 201))


async def test_an_override_is_sent_once_with_its_reason(opened: Opened) -> None:
    api = _api(samples.policy_check(CHECK_ID))
    browser = await opened(api)
    page = await browser.get(RUN_PAGE)
    assert "Policy check: Soft failed" in page.text
    form = forms_of(page.text)["Override"]
    empty = await browser.post(form.action, data={**form.fields, "comment": " "})
    assert (empty.status_code >= 400, api.sent("POST")) == (True, [])
    response = await browser.post(form.action, data={**form.fields, "comment": "agreed"})
    assert response.status_code == 303, response.text
    sent = [(request.url.path.removeprefix("/api/v2"), body(request)) for request in api.sent("POST")]
    assert sent == [
        (f"/policy-checks/{CHECK_ID}/actions/override", {}),
        (f"/runs/{RUN_ID}/comments", {"data": {"type": "comments", "attributes": {"body": "agreed"}}}),
    ]


async def test_an_override_that_is_not_possible_is_not_offered(opened: Opened) -> None:
    allowed = samples.policy_check(CHECK_ID)
    cases: list[tuple[dict[str, Any], str, Policy]] = [
        (samples.policy_check(CHECK_ID, permissions={"can-override": False}), "policy_override", Policy()),
        (samples.policy_check(CHECK_ID, status="hard_failed"), "policy_override", Policy()),
        (samples.policy_check(CHECK_ID, actions={"is-overridable": False}), "policy_override", Policy()),
        (samples.policy_check(CHECK_ID, status="passed"), "policy_override", Policy()),
        (allowed, "policy_soft_failed", Policy()),
        (allowed, "applied", Policy()),
        (allowed, "policy_override", Policy(mode=Mode.PLAN)),
    ]
    for check, status, policy in cases:
        browser = await opened(_api(check, status), policy)
        page = await browser.get(RUN_PAGE)
        assert page.status_code == 200
        assert "Override" not in forms_of(page.text), (check, status, policy.mode)

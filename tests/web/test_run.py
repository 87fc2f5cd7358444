"""The page of a run: what a person needs to decide, the changes of its plan, and its history."""

import html
import re
from typing import Any

from tests.local.support import STATE, Json
from tests.unit.review.plans import change, plan, resource
from tests.web.support import Browser, Pages, forms_of, section
from tfruns.local.service.states import store_state
from tfruns.web.page_rows import _ALL_AT_ONCE
from tfruns.web.plan_changes import PAGE_SIZE

RUNS = "/app/default/workspaces/network/runs"
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\u202e\x1b[31m{{7*7}}"
SECRET = "correct-horse-battery"

PLAN = plan(
    resource("aws_instance.new", ["create"], after={"ami": "ami-1"}, after_unknown={"id": True}),
    resource(
        "module.net.aws_instance.web",
        ["update"],
        module_address="module.net",
        before={"script": "a\nb\nc\n", "policy": '{"Action": "read"}', "same": 1},
        after={"script": "a\nB\nc\n", "policy": '{"Action": "*"}', "same": 1},
    ),
    resource("aws_instance.moved", ["no-op"], previous_address="aws_instance.before", before={"a": 1}, after={"a": 1}),
    resource(
        "aws_db_instance.data",
        ["delete", "create"],
        action_reason="replace_because_cannot_update",
        before={"engine": "16", "password": SECRET},
        after={"engine": "17"},
        after_unknown={"password": True},
        before_sensitive={"password": True},
        after_sensitive={"password": True},
        replace_paths=[["engine"]],
    ),
    *(
        resource(f'aws_instance.old["{key}"]', ["delete"], index=key, before={"a": 1}, type="aws_instance")
        for key in ("x", "y")
    ),
    resource("aws_s3_bucket.found", ["no-op"], before={"b": 1}, after={"b": 1}, importing={"id": "bucket-1"}),
    resource_drift=[resource("module.net.aws_instance.web", before={"tag": "ours"}, after={"tag": "theirs"})],
    output_changes={"address": change(["update"], "old", "new")},
    checks=[
        {
            "address": {"to_display": "check.health", "kind": "check"},
            "status": "fail",
            "instances": [{"problems": [{"message": "It is down."}]}],
        }
    ],
    complete=False,
)


async def _page(browser: Browser, run: Json, query: str = "") -> str:
    response = await browser.get(f"{RUNS}/{run['id']}{query}")
    assert response.status_code == 200, response.text
    return response.text


async def _planned(pages: Pages, found: dict[str, Any] = PLAN, **attributes: Json) -> Json:
    run = await pages.api.planned(**attributes)
    pages.write_plan(run, found)
    return run


def _rows(html: str) -> list[str]:
    """The action and address of each row, in order."""
    heads = re.findall(r'<h4><span class="action">.*?</span> (.*?)</span> <a [^>]*><code>(.*?)</code>', html)
    return [f"{action} {address}" for action, address in heads]


async def test_the_first_part_says_what_is_destroyed_and_what_is_unknown(browser: Browser, pages: Pages) -> None:
    text = section(await _page(browser, await _planned(pages)), "impact")
    expected = (
        "What it would do Plan: 1 to import, 2 to add, 1 to change, 3 to destroy, 1 to move. "
        "2 destroy 1 replace 1 update 1 create 1 import 1 move 1 output Dangerous changes"
    )
    assert text.startswith(expected), text
    assert "aws_db_instance.data will be destroyed and recreated; it stores data" in text
    assert "aws_instance.old[*] will be destroyed (2 instances: x y )" in text
    assert "1 update or replacement has values that are known only after the apply." in text
    assert "another plan is needed after the apply" in text
    assert 'The check check.health failed: "It is down."' in text
    assert "No other runs are open in this workspace." in text


async def test_the_page_says_who_asks_and_with_which_options(browser: Browser, pages: Pages) -> None:
    run = await _planned(
        pages,
        message="Widen the network",
        target_addrs=["module.net"],
        replace_addrs=["aws_instance.new"],
        variables=[{"key": "size", "value": '"never shown"'}],
    )
    text = await _page(browser, run)
    facts = " ".join(re.sub("<[^>]+>", " ", text.split('<dl class="facts">')[1].split("</dl>")[0]).split())
    assert "by admin (API)" in facts
    assert "Operation Plan and apply" in facts
    assert "Target module.net" in facts
    assert "Replace aws_instance.new" in facts
    assert "Run variables size" in facts
    assert "never shown" not in text
    assert "<h1>Widen the network</h1>" in text


async def test_dangerous_changes_come_first_then_each_module(browser: Browser, pages: Pages) -> None:
    text = await _page(browser, await _planned(pages))
    assert _rows(text) == [
        "destroy aws_instance.old[*]",
        "replace aws_db_instance.data",
        "create aws_instance.new",
        "move aws_instance.moved",
        "import aws_s3_bucket.found",
        "update output.address",
        "update module.net.aws_instance.web",
    ]
    changes = section(text, "plan")
    for part in (
        "Root module",
        "Moved from aws_instance.before",
        "Imported: bucket-1",
        "It cannot be updated in place",
        '"16" "17"',
        "(known after apply)",
        "Changed outside of Terraform:",
        '"ours" "theirs"',
        '"old" "new"',
    ):
        assert part in changes, part
    assert SECRET not in text
    assert "same" not in changes


async def test_texts_and_json_differ_line_by_line(browser: Browser, pages: Pages) -> None:
    text = await _page(browser, await _planned(pages))
    diff = text.split('<pre class="diff">')[1].split("</pre>")[0]
    lines = re.findall(r'<span class="(\w+)">(.*?)</span>', diff)
    assert lines == [("same", "  a"), ("removed", "- b"), ("added", "+ B"), ("same", "  c")]
    assert "policy.Action" in section(text, "plan")


async def test_element_of_a_list_that_takes_the_place_of_another_is_one_value(browser: Browser, pages: Pages) -> None:
    found = plan(
        resource(
            "a.b", ["update"], before={"ports": [80, 443], "x": ["k"]}, after={"ports": [80, 8443, 9000], "x": []}
        ),
        output_changes={"hosts": change(["update"], ["a", "b", "c"], ["d", "e"])},
    )
    text = section(await _page(browser, await _planned(pages, found)), "plan")
    text = text.replace("\N{EN DASH}", "none")
    assert 'ports[1] 443 8443 ports[2] none 9000 x[0] "k" none' in text, text
    assert '[0] "a" "d" [1] "b" "e" [2] "c" none' in text, text


async def test_json_text_without_a_counterpart_is_shown_with_one_member_per_line(
    browser: Browser, pages: Pages
) -> None:
    text = '{"Version":"2012-10-17","a, b":[],"Statement":[{"Action":"*","n":1.50},{"Action":["x:y","z"]}]}'
    secret = f'{{"token": "{SECRET}", "of": "a longer text than fits on one line of the page"}}'
    found = plan(
        resource("p.new", ["create"], after={"policy": text, "other": secret}),
        resource("p.s", ["update"], before={"s": SECRET}, after={"s": "x"}, before_sensitive={"s": True}),
    )
    page = await _page(browser, await _planned(pages, found))
    values = [html.unescape(value) for value in re.findall(r'<code class="after">(.*?)</code>', page, re.DOTALL)]
    expected = """{
  "Version": "2012-10-17",
  "a, b": [],
  "Statement": [
    {
      "Action": "*",
      "n": 1.50
    },
    {
      "Action": [
        "x:y",
        "z"
      ]
    }
  ]
}"""
    assert expected in values, values
    assert SECRET not in page


async def test_long_address_is_shown_in_full_and_leads_to_its_values(browser: Browser, pages: Pages) -> None:
    module = ".".join(f'module.network_{n}["{"x" * 50}"]' for n in range(5))
    address = f"{module}.aws_db_instance.main"
    run = await _planned(pages, plan(resource(address, ["delete"], module_address=module, before={"engine": "16"})))
    page = await _page(browser, run)
    assert _rows(page) == [f"destroy {html.escape(address).replace('&quot;', '&#34;')}"]
    impact = section(page, "impact")
    assert f"{address[:53]}…{address[-106:]} will be destroyed" in impact, impact
    link = re.search(r'href="([^"]*/values[?][^"]*)"', page)
    assert link
    values = await browser.get(html.unescape(link[1]))
    assert "engine" in values.text


async def test_pending_run_is_in_the_stage_pending(browser: Browser, pages: Pages) -> None:
    blocking = await pages.api.planned()
    run = await pages.api.create_run()
    page = await _page(browser, run)
    assert re.search(r'aria-current="step"><span class="stage">Pending</span>', page), page
    assert f"Locked by {blocking['id']}" not in page
    assert "What it waits for" in page


async def test_changes_are_filtered(browser: Browser, pages: Pages) -> None:
    run = await _planned(pages)
    cases = {
        "action=destroy": ["destroy aws_instance.old[*]"],
        "module=module.net": ["update module.net.aws_instance.web"],
        "resource_type=aws_db_instance": ["replace aws_db_instance.data"],
        "text=OLD%5B%22x": ["destroy aws_instance.old[&#34;x&#34;]"],
        "text=instance.before": ["move aws_instance.moved"],
        "action=create&text=web": [],
        "action=output": ["update output.address"],
        "action=drift": ["changed outside of Terraform module.net.aws_instance.web"],
    }
    for query, rows in cases.items():
        assert _rows(await _page(browser, run, f"?{query}")) == rows, query


async def test_every_value_is_shown_in_full_on_its_own_page(browser: Browser, pages: Pages) -> None:
    long = "x" * 5_000
    run = await _planned(pages, plan(resource(before={"a": "1"}, after={"a": long})))
    assert long not in await _page(browser, run)
    pages_of_values = [
        re.sub(r"<[^>]+>|\s", "", await _page(browser, run, f"/values?address=aws_instance.web&page={number}"))
        for number in (1, 2)
    ]
    assert "".join(pages_of_values).count("x") >= len(long)


async def test_a_large_plan_has_pages(browser: Browser, pages: Pages) -> None:
    for total in (_ALL_AT_ONCE, _ALL_AT_ONCE + 1):
        changes = [resource(f"aws_instance.r{number:04}", after={"a": number}) for number in range(total)]
        run = await _planned(pages, plan(*changes))
        await pages.api.act(run, "discard")
        last = -(-total // PAGE_SIZE)
        text = await _page(browser, run)
        assert _rows(text) == [f"update aws_instance.r{number:04}" for number in range(PAGE_SIZE)]
        is_known = total == _ALL_AT_ONCE
        assert f"{total} changes, page 1{f' of {last}' if is_known else ''}" in section(text, "plan")
        text = await _page(browser, run, f"?page={last}")
        assert _rows(text)[-1] == f"update aws_instance.r{total - 1:04}"
        assert f"page {last} of {last}" in section(text, "plan")
        assert 'rel="next"' not in text


async def test_no_changes_and_no_plan_are_told_apart(browser: Browser, pages: Pages) -> None:
    run = await pages.api.create_run()
    pages.api.plan(run, has_changes=False)
    pages.write_plan(run, plan())
    assert section(await _page(browser, run), "impact") == "Plan summary No changes."
    run = await pages.api.create_run()
    pages.api.begin(run)
    text = section(await _page(browser, run), "impact")
    assert "The run has no plan yet." in text
    assert "No changes" not in text


async def test_what_else_waits_and_a_plan_that_is_out_of_date(browser: Browser, pages: Pages) -> None:
    api = pages.api
    run = await _planned(pages)
    await api.create_run(message="Waits behind it")
    text = section(await _page(browser, run), "impact")
    assert "Other open runs in this workspace Pending Waits behind it" in text
    assert "stale" not in text
    await api.configured()
    assert "has a newer configuration than this run" in section(await _page(browser, run), "impact")
    await _put_state(pages)
    assert "The plan is stale:" in section(await _page(browser, run), "impact")


async def _put_state(pages: Pages) -> None:
    """Change the state of the workspace, as another program does that works around the run."""
    pages.api.clock.advance(60)
    with pages.api.backend.database.write() as write:
        store_state(pages.api.backend, write, pages.api.workspace_id, STATE, run_id=None, user_id=None)


async def test_a_discarded_run_says_who_discarded_it_and_why(browser: Browser, pages: Pages) -> None:
    run = await _planned(pages)
    await pages.api.act(run, "discard", comment="Not on a Friday.")
    text = section(await _page(browser, run), "diagnosis")
    assert text.startswith("Discarded Discarded by admin"), text
    assert "Not on a Friday." in text


async def test_a_pending_run_says_what_it_waits_for(browser: Browser, pages: Pages) -> None:
    await _planned(pages, message="The first")
    second = await pages.api.create_run()
    text = section(await _page(browser, second), "diagnosis")
    assert "What it waits for" in text
    assert "Blocked by The first (Planned" in text


async def test_a_comment_is_added_and_shown(browser: Browser, pages: Pages) -> None:
    run = await _planned(pages)
    form = forms_of(await _page(browser, run))["Comment"]
    response = await browser.post(form.action, data={**form.fields, "comment": HOSTILE})
    assert (response.status_code, response.headers["location"]) == (303, f"{form.action}#history")
    text = await _page(browser, run)
    assert "alert(1)" in section(text, "history")
    assert "<script>alert" not in text
    empty = await browser.post(form.action, data={**form.fields, "comment": " "})
    assert empty.status_code >= 400
    assert 'role="alert"' in empty.text


async def test_a_failed_decision_keeps_the_comment(browser: Browser, pages: Pages) -> None:
    run = await _planned(pages)
    form = forms_of(await _page(browser, run))["Apply"]
    response = await browser.post(form.action, data={**form.fields, "comment": "As agreed", "workspace_name": "x"})
    assert response.status_code == 409
    assert forms_of(response.text)["Apply"].fields["comment"] == "As agreed"


async def test_hostile_texts_of_a_plan_are_data_in_every_field(browser: Browser, pages: Pages) -> None:
    found = plan(
        resource(
            f"aws_instance.{HOSTILE}",
            ["delete", "create"],
            before={HOSTILE: HOSTILE, "text": f"a\n{HOSTILE}"},
            after={HOSTILE: f"{HOSTILE}2", "text": f"b\n{HOSTILE}"},
            previous_address=f"aws_instance.before{HOSTILE}",
            module_address=f"module.{HOSTILE}",
            type=HOSTILE,
            action_reason=HOSTILE,
            importing={"id": HOSTILE},
            generated_config=f'resource "a" "b" {{\n  c = "{HOSTILE}"\n}}',
        ),
        output_changes={HOSTILE: change(["create"], None, HOSTILE)},
        resource_drift=[resource(f"aws_instance.{HOSTILE}", before={"a": HOSTILE}, after={"a": f"{HOSTILE}3"})],
        checks=[{"address": {"to_display": HOSTILE}, "status": HOSTILE, "instances": []}],
        deferred_changes=[{"reason": HOSTILE, "resource_change": resource(f"b.{HOSTILE}", ["create"], after={"a": 1})}],
    )
    run = await _planned(pages, found, message=HOSTILE)
    pages.write_log(run, "plan", HOSTILE.encode())
    for query in ("", "?action=deferred", "/values?address=aws_instance", "/logs/plan", "/logs/plan?search=alert"):
        response = await browser.get(f"{RUNS}/{run['id']}{query}")
        text = response.text
        assert response.status_code == 200, query
        assert "alert(1)" in text, query
        for part in ("<script>alert", "<img src=x", "\u202e", "\x1b"):
            assert part not in text, (query, part)
        assert "49" not in re.findall(r"alert\(1\)&gt;(.{6})", text), query

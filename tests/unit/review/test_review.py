"""Properties of every review: no secrets, pages within the limit, no lost rows, robust against malformed plans."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.tables import rows
from tests.unit.review.plans import PLAN_ID, RUN_ID, change, document, plan, resource
from tfruns.hcl.literals import literal
from tfruns.masking.secrets import Secrets
from tfruns.review.pages import PAGE_BYTES
from tfruns.review.plan_document import read_plan_document
from tfruns.review.review import review
from tfruns.review.summary import fingerprint, summarize

HEAD = {"run_id": RUN_ID, "status": "planned", "follows": "n" * 200}
ACTIONS = [["create"], ["update"], ["delete"], ["delete", "create"], ["forget"], ["no-op"], ["read"], ["other"]]

slow = settings(suppress_health_check=[HealthCheck.too_slow])


def reviewer(source: dict[str, Any]) -> Callable[..., dict[str, Any]]:
    """The reviews of a plan with any options."""
    read = read_plan_document(source, run_id=RUN_ID, plan_id=PLAN_ID, is_redacted=False)
    secrets = Secrets.of_plan(read.source)
    summary = summarize(read, secrets)
    return lambda **options: review(read, secrets, summary, dict(HEAD), **options)


def view_of(source: dict[str, Any], **options: Any) -> dict[str, Any]:
    return reviewer(source)(**options)


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)
    else:
        yield str(value)


# -- no secret is shown -----------------------------------------------------------------------------------------------

# The texts of the review itself contain none of these characters, except quotes and backslashes of quoted strings.
secret_texts = st.text(alphabet='ZQ9Jé<&$%"\\\n\t \u202e', min_size=6, max_size=90).filter(
    lambda text: text.strip() != ""
)
numbers = st.integers(10**9, 10**12).map(lambda number: number * 10 + 7)


def planted(secret: Any, section: int, mark: int) -> dict[str, Any]:
    """A plan that marks a secret in one location, and contains unmarked copies everywhere else."""
    text = str(secret)
    copies = {
        "exact": secret,
        "within": f"begin {text} end",
        "list": ["x", {"deep": [secret]}],
        f"key {text}": 1,
        text: {text: 2},
        "json": json.dumps({"a": [text], text: "b"}),
        "long": "x" * 70 + text + "y" * 70,
        "huge": text + "x" * 60_000,
        "lines": f"a\n{text}\nb",
    }
    marked = [
        {"value": secret},
        {"value": {"deep": {"list": [1, secret]}}},
        {"value": f"{text}"},
    ][mark]
    marks = [{"value": True}, {"value": {"deep": {"list": [False, True]}}}, {"value": True}][mark]
    address = f"module.m[{literal(text)}].a.b[{literal(text + '!')}]"
    resources = [
        resource(
            f"{address}", actions, before=copies, after={**copies, "new": [secret, text]}, previous_address=address
        )
        for actions in ACTIONS
    ]
    resources += [
        *(resource(f"a.siblings[{literal(text + end)}]", ["delete"]) for end in ("1", "2")),
        resource("a.taken", ["no-op"], importing={"id": f"id-{text}"}),
        resource("a.odd", [text], deposed=text, type=text, module_address=address),
        resource("a.new", ["create"], after=copies, after_unknown={text: True}, replace_paths=[[text]]),
        resource("a.text", before={"t": "x" * 100 + text}, after={"t": "x" * 100 + "other" + text}),
    ]
    check = {
        "address": {"to_display": text},
        "status": "fail",
        "instances": [{"problems": [{"message": f"not {text}"}]}],
    }
    source = plan(
        *resources,
        resource_drift=[resource(address, before=copies, after={"now": text})],
        deferred_changes=[{"reason": text, "resource_change": resource(address, ["create"], after=copies)}],
        output_changes={"o": change(["update"], before=text, after=[secret])},
        action_invocations=[{"address": f"action.x.{text}"}],
        relevant_attributes=[{"resource": address}],
        checks=[check],
    )
    hiding = resource("a.hiding", ["update"], before=marked, after=marked, before_sensitive=marks)
    state = {"root_module": {"child_modules": [{"resources": [{"values": marked, "sensitive_values": marks}]}]}}
    match section:
        case 0:
            source["resource_changes"].append(hiding)
        case 1:
            source["resource_drift"].append(hiding)
        case 2:
            source["output_changes"]["p"] = change(["create"], after=marked, after_sensitive=True)
        case 3:
            source["variables"] = {"v": {"value": marked}}
            source["configuration"] = {"root_module": {"variables": {"v": {"sensitive": True}}}}
        case 4:
            source["prior_state"] = {"values": state}
        case _:
            source["planned_values"] = {"outputs": {"o": {"sensitive": True, "value": marked}}}
    return source


FILTERS = ("", "create", "update", "drift", "output", "read", "move", "import", "deferred", "a", "module.m", "no-such")


@slow
@given(secret_texts | numbers, st.integers(0, 5), st.integers(0, 2), st.sampled_from(FILTERS), st.integers(1, 3))
def test_no_secret_is_shown_anywhere(secret: str | int, section: int, mark: int, text: str, page: int) -> None:
    source = planted(secret, section, mark)
    view_with = reviewer(source)
    for chosen in {text, str(secret)}:
        view = view_with(filter_text=chosen, page_number=page, page_size=7, is_refresh_only=page == 1)
        forms = {str(secret), json.dumps(str(secret), ensure_ascii=False)[1:-1]}
        forms |= {line.strip() for line in str(secret).splitlines() if len(line.strip()) >= 6}
        for shown in texts_in(view):
            assert not [form for form in forms if form in shown]
    for address in (addresses_of(source)[page], "a.hiding", "output.o", f"action.x.{secret}", str(secret)):
        for shown in texts_in(view_with(address=address, page_number=page)):
            assert not [form for form in forms if form in shown]
    for danger in summarize(document(*source["resource_changes"], **sections_of(source))).dangers:
        assert str(secret) not in danger.address + danger.why


def addresses_of(source: dict[str, Any]) -> list[str]:
    return [entry["address"] for entry in source["resource_changes"]]


def sections_of(source: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in source.items() if name != "resource_changes"}


# -- pages ------------------------------------------------------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=300),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=60), inner, max_size=4),
    max_leaves=12,
)
marks = st.recursive(
    st.booleans(), lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)
objects = st.none() | st.dictionaries(st.text(max_size=30), values, max_size=8)
addresses = st.builds(
    lambda name, key: f"a.{name}[{json.dumps(key, ensure_ascii=False)}]", st.sampled_from("bcd"), st.text(max_size=300)
)


@st.composite
def resources(draw: st.DrawFn) -> dict[str, Any]:
    return resource(
        draw(addresses),
        draw(st.sampled_from(ACTIONS)),
        before=draw(objects),
        after=draw(objects),
        before_sensitive=draw(marks),
        after_sensitive=draw(marks),
        after_unknown=draw(marks),
        replace_paths=draw(st.lists(st.lists(st.text(max_size=3), max_size=2), max_size=2)),
        previous_address=draw(st.none() | addresses),
        importing=draw(st.none() | st.fixed_dictionaries({"id": st.text(max_size=200)})),
        action_reason=draw(st.sampled_from(["", "replace_because_tainted", "of_tomorrow"])),
    )


CHECKS = [
    {
        "address": {"to_display": "\U0001f600" * 300},
        "status": "error",
        "instances": [{"problems": [{"message": "\U0001f600" * 900}] * 3}],
    }
] * 9


@slow
@given(st.lists(resources(), max_size=12), st.integers(1, 15), st.booleans(), st.sampled_from(["", "a", "none"]))
def test_pages_are_within_the_limit_and_contain_every_row(
    found: list[dict[str, Any]], size: int, has_checks: bool, text: str
) -> None:
    source = plan(*found, checks=CHECKS if has_checks else [], action_invocations=CHECKS)
    view_with = reviewer(source)
    whole = view_with(filter_text=text, page_size=100)
    rows: list[Any] = []
    number: int | None = 1
    while number is not None:
        view = view_with(filter_text=text, page_number=number, page_size=size)
        assert len(json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode()) <= PAGE_BYTES
        assert all(shown.isprintable() for shown in texts_in(view))
        assert view["rows"] or whole["total_rows"] == 0
        assert len(view["rows"]) <= size
        rows += view["rows"]
        number = view["next_page"]
    assert len(rows) == whole["total_rows"]
    if text != "none":
        heads = [(row["address"], row["action"], row.get("count", 1)) for row in rows]
        again = [(row["address"], row["action"], row.get("count", 1)) for row in whole["rows"]]
        assert heads[: len(again)] == again
    assert sum(row.get("count", 1) for row in rows) == len(found) - _without_row(found, text)


def _without_row(found: list[dict[str, Any]], text: str) -> int:
    """The number of entries without a row: unchanged resources, and data source reads unless a filter matches them."""
    if text == "none":
        return len(found)
    changes = [(one["change"]["actions"], one.get("previous_address"), one["change"]["importing"]) for one in found]
    same: int = sum(
        actions == ["no-op"] and not previous and importing is None for actions, previous, importing in changes
    )
    return same + (0 if text else sum(actions == ["read"] for actions, _, _ in changes))


@rows("character", ["\U0001f600", '"', "\\", "x"])
def test_largest_rows_and_notes_fit_on_a_page(character: str) -> None:
    long = character * 3000
    many = [
        resource(
            f"a.b{n}[{json.dumps(long)}]",
            ["create", "delete"],
            previous_address=long,
            importing={"id": long},
            before={},
            after={long + str(k): long for k in range(60)},
        )
        for n in range(60)
    ]
    source = plan(*many, checks=CHECKS, action_invocations=[{"address": long}] * 9)
    view = view_of(source)
    assert len(json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode()) <= PAGE_BYTES
    assert 1 <= len(view["rows"]) < 60
    assert view["notes"][-1].startswith("Omitted: ") or character == "x"
    assert all(row["more_changes"] for row in view["rows"])


def test_rows_share_the_attribute_budget_and_count_omitted_ones() -> None:
    many = [resource(f"a.b{n}", before={}, after={f"attribute_{k}": "v" * 30 for k in range(50)}) for n in range(20)]
    view = view_of(plan(*many))
    assert len(view["rows"]) == 20
    assert {len(row["changes"]) for row in view["rows"]} <= {3, 4, 5}
    assert all(len(row["changes"]) + row["more_changes"] == 50 for row in view["rows"])
    (alone,) = view_of(plan(many[0]))["rows"]
    assert len(alone["changes"]) == 40
    assert alone["more_changes"] == 10


# -- the fingerprint --------------------------------------------------------------------------------------------------


@slow
@given(st.lists(resources(), max_size=3), st.lists(resources(), max_size=3))
def test_different_plans_have_different_fingerprints(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> None:
    first, second = (json.dumps(found, sort_keys=True) for found in (one, other))
    assert (fingerprint(document(*one)) == fingerprint(document(*other))) is (first == second)


# -- malformed plans --------------------------------------------------------------------------------------------------

SECTIONS = (
    "resource_changes",
    "resource_drift",
    "deferred_changes",
    "output_changes",
    "action_invocations",
    "relevant_attributes",
    "checks",
)
PARTS = ("address", "actions", "change", "before", "after", "importing", "index", "replace_paths", "type", "status")
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["create", "delete", "fail", "a.b[0]", "\n"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(PARTS), inner, max_size=4),
    max_leaves=20,
)
entries = st.fixed_dictionaries(
    {"address": anything, "change": st.fixed_dictionaries({"actions": st.lists(anything, max_size=2)})}
)


@slow
@given(st.dictionaries(st.sampled_from(SECTIONS), anything | st.lists(entries | anything, max_size=4)))
def test_malformed_plan_is_still_reviewed(source: dict[str, Any]) -> None:
    view_with = reviewer(source)
    for text in ("", "drift", "a", "no-such"):
        view = view_with(filter_text=text)
        assert len(json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode()) <= PAGE_BYTES

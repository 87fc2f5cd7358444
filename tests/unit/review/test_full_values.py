"""The values of one address are complete over pages of limited size, and masked."""

import json
import re
from typing import Any

from tests.unit.review.plans import change, document, resource
from tfruns.masking.secrets import Secrets
from tfruns.review.pages import PAGE_BYTES
from tfruns.review.review import review
from tfruns.review.summary import summarize

SECRET = "s3cret-Zx81"


def pages_of(address: str, *resources: Any, **sections: Any) -> list[dict[str, Any]]:
    read = document(*resources, **sections)
    secrets = Secrets.of_plan(read.source)
    summary = summarize(read, secrets)
    pages: list[dict[str, Any]] = []
    number: int | None = 1
    while number is not None:
        view = review(read, secrets, summary, {"run_id": read.run_id}, address=address, page_number=number)
        assert len(json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode()) <= PAGE_BYTES
        pages.append(view)
        number = view["next_page"]
    return pages


def values_of(address: str, *resources: Any, **sections: Any) -> list[str]:
    return [
        line
        for page in pages_of(address, *resources, **sections)
        for row in page["rows"]
        for line in row.get("values", [])
    ]


def test_long_string_is_complete_over_all_pages() -> None:
    text = 'line one\n\t"quoted" \\ é \u202e\x1b[31m\U000e0041 end\n' * 700
    lines = values_of("a.b", resource("a.b", ["create"], after={"script": text}))
    parts = [re.fullmatch(r'script \(characters [\d,]+ to [\d,]+ of [\d,]+\): (".*")', line) for line in lines]
    assert "".join(json.loads(part[1]) for part in parts if part) == text
    assert all(line.isprintable() and "\U000e0041" not in line for line in lines)


def test_all_attributes_are_shown_changed_ones_first() -> None:
    policy = {"Version": 1, "Statement": [{"Action": "*"}]}
    before = {"name": "n", "size": 1, "policy": json.dumps(policy), "tags": {"a": "b"}, "empty": [], "none": None}
    lines = values_of("a.b", resource("a.b", before=before, after={**before, "size": 2}))
    assert lines == [
        "size: 1 -> 2",
        'name: "n"',
        "policy.Version: 1",
        'policy.Statement[0].Action: "*"',
        'tags.a: "b"',
        "empty: []",
        "none: null",
    ]


def test_changed_long_string_is_shown_before_and_after() -> None:
    before, after = "a" * 700, "b" * 600
    assert values_of("a.b", resource("a.b", before={"t": before}, after={"t": after})) == [
        f't (before) (characters 1 to 500 of 700): "{"a" * 500}"',
        f't (before) (characters 501 to 700 of 700): "{"a" * 200}"',
        f't (after) (characters 1 to 500 of 600): "{"b" * 500}"',
        f't (after) (characters 501 to 600 of 600): "{"b" * 100}"',
    ]


def test_values_are_shown_for_every_action() -> None:
    plan = [
        resource("a.gone", ["delete"], before={"x": 1}),
        resource("a.forgotten", ["forget"], before={"x": 2}),
        resource("a.same", ["no-op"], before={"x": 3}, after={"x": 3}),
        resource("data.a.read", ["read"], mode="data", after={"x": 4}),
    ]
    drift = [resource("a.drifted", before={"x": 5}, after={"x": 6}), resource("a.lost", ["delete"], before={"x": 7})]
    sections: dict[str, Any] = {"resource_drift": drift, "output_changes": {"o": change(["create"], after={"k": 8})}}
    expected = {
        "a.gone": ("destroy", ["x: 1"]),
        "a.forgotten": ("forget", ["x: 2"]),
        "a.same": ("no change", ["x: 3"]),
        "data.a.read": ("read", ["x: 4"]),
        "a.drifted": ("changed outside of Terraform", ["x: 5 -> 6"]),
        "a.lost": ("deleted outside of Terraform", ["x: 7"]),
        "output.o": ("create", ["k: 8"]),
    }
    found = {}
    for address in expected:
        (page,) = pages_of(address, *plan, **sections)
        (row,) = page["rows"]
        found[address] = (row["action"], row["values"])
    assert found == expected


def test_address_without_key_selects_all_instances() -> None:
    many = [resource(f'module.m["{key}"].a.b[0]', ["delete"], before={"x": key}) for key in ("eu", "us")]
    for address in ("module.m[*].a.b[*]", "module.m.a.b"):
        (page,) = pages_of(address, *many)
        assert [(row["address"], row["values"]) for row in page["rows"]] == [
            ('module.m["eu"].a.b[0]', ['x: "eu"']),
            ('module.m["us"].a.b[0]', ['x: "us"']),
        ]
    (page,) = pages_of('module.m["us"].a.b[0]', *many)
    assert page["total_rows"] == 1


def test_action_shows_configuration_and_import_its_generated_config() -> None:
    invocation = {"address": "action.a.b", "config_values": {"payload": "p" * 300}, "invoke_action_trigger": {}}
    assert values_of("action.a.b", action_invocations=[invocation]) == [f'payload: "{"p" * 300}"']
    taken = resource("a.b", ["no-op"], after={"x": 1}, importing={"id": "i"}, generated_config="resource {\n  x = 1\n}")
    assert values_of("a.b", taken) == [
        "x: 1",
        'generated config line 1: "resource {"',
        'generated config line 2: "  x = 1"',
        'generated config line 3: "}"',
    ]


def test_sensitive_values_and_their_copies_stay_masked() -> None:
    after = {
        "pw": SECRET,
        "number": 1234567,
        "script": "x" * 498 + SECRET + "y" * 500,
        "json": json.dumps({"a": SECRET}),
    }
    entry = resource("a.b", ["create"], after={**after, SECRET: 1}, after_sensitive={"pw": True, "number": True})
    lines = values_of("a.b", entry)
    assert [line for line in lines if SECRET in line or SECRET[:6] in line or "1234567" in line] == []
    assert lines[0] == "pw: (sensitive value)"
    assert lines[-2:] == ["json.a: (sensitive value)", '["(sensitive value)"]: 1']


def test_unknown_address_lists_similar_addresses() -> None:
    many = [resource(f"a.bucket_{n}", ["delete"]) for n in range(10)]
    (page,) = pages_of("a.bucket", *many)
    listed = ", ".join(f"a.bucket_{n}" for n in range(8))
    assert page["notes"] == [f'The plan does not contain "a.bucket". Similar addresses: {listed} and 2 more.']
    (page,) = pages_of("b.c", *many)
    assert page["notes"] == ['The plan does not contain "b.c". Review it without an address to list its changes.']


def test_page_beyond_the_last_is_reported() -> None:
    read = document(resource("a.b", ["create"], after={"x": 1}))
    view = review(read, Secrets(), summarize(read), {}, address="a.b", page_number=9)
    assert view["notes"] == ["Page 9 does not exist: the last page is 1."]


def test_pages_are_within_the_limit_for_any_value() -> None:
    for character in ("\U000e0041", "\U0001f600", '"', "\\", "\x1b"):
        long = character * 3_000
        after = {f"{n}{long}": long for n in range(3)}
        address = f"a.b[{json.dumps(long)}]"
        taken = resource(address, ["create"], after=after, previous_address=long, importing={"id": long})
        assert len(pages_of(address, taken)) > 1

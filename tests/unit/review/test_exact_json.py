"""Numbers in a plan are compared, fingerprinted and shown with all their digits."""

import json
from typing import Any

from tests.unit.review.plans import plan, resource
from tfruns.masking.secrets import Secrets
from tfruns.review.plan_document import parse_plan
from tfruns.review.review import review
from tfruns.review.summary import summarize

LONG = "1" + "0" * 4_299
LONGER = "1" + "0" * 5_000

DIFFERENT = [
    ("1.0000000000000000001", "1.0000000000000000002"),
    ("0.1", "0.1000000000000000055511151231257827021181583404541015625"),
    ("1e400", "1e401"),
    ("1e400", "-1e400"),
    ("1e-400", "0"),
    ("9007199254740993.0", "9007199254740992.0"),
    ("9007199254740993", "9007199254740992"),
    ("1e99999999999999999999", "1e99999999999999999998"),
    ("1", "1.00000000000000000000000001"),
]
SAME = [("1.50", "1.5"), ("1e2", "100"), ("1.000000000000000000000", "1"), ("1e-3", "0.001")]


def read(before: str, after: str, **more: Any) -> dict[str, Any]:
    """The review of a plan with a number that changes. `B` and `A` are placeholders for the numbers in any string."""
    text = json.dumps(plan(resource(before={"n": "B"} | more, after={"n": "A"} | more)))
    data = text.replace('"B"', before).replace('"A"', after).encode()
    found = parse_plan(data, run_id="run-1", plan_id="plan-1", is_redacted=False)
    secrets = Secrets.of_plan(found.source)
    return review(found, secrets, summarize(found, secrets), {})


def changes(before: str, after: str) -> list[str]:
    found: list[str] = read(before, after)["rows"][0].get("changes", [])
    return found


def test_different_numbers_are_shown_with_all_digits() -> None:
    for before, after in DIFFERENT:
        if "99999" in before:
            assert changes(before, after) == [f"n: {before} -> {after}"]
        else:
            assert len(changes(before, after)) == 1, before
    assert changes("1.0000000000000000001", "1.0000000000000000002") == [
        "n: 1.0000000000000000001 -> 1.0000000000000000002"
    ]
    assert changes("0.00001", "0.00002") == ["n: 0.00001 -> 0.00002"]
    assert changes("12345678901234567890123.0", "2.5e3") == ["n: 12345678901234567890123 -> 2500"]


def test_equal_numbers_in_different_notation_are_no_change() -> None:
    for before, after in SAME:
        assert changes(before, after) == [], (before, after)


def test_different_numbers_have_different_fingerprints() -> None:
    numbers = {number for pair in [*DIFFERENT, (LONG, LONGER), (LONG[:-1] + "1", LONGER[:-1] + "1")] for number in pair}
    assert len({read("0", number)["fingerprint"] for number in numbers}) == len(numbers)


def test_number_differs_from_a_string_of_its_digits() -> None:
    for digits in (LONG, LONGER, "1.0000000000000000001"):
        assert read("0", digits)["fingerprint"] != read("0", f'"{digits}"')["fingerprint"]
        assert len(changes(digits, f'"{digits}"')) == 1


def test_huge_number_is_truncated_in_a_row_and_full_by_address() -> None:
    for digits in (LONG, LONGER):
        assert changes("1", digits) == [f"n: 1 -> {digits[:119]}…"]
    text = json.dumps(plan(resource(before={"n": 1}, after={"n": "A"}))).replace('"A"', LONGER)
    found = parse_plan(text.encode(), run_id="run-1", plan_id="plan-1", is_redacted=False)
    secrets = Secrets.of_plan(found.source)
    view = review(found, secrets, summarize(found, secrets), {}, address=found.changes[0].address)
    assert view["rows"][0]["values"][:2] == ["n (before): 1", f"n (after) (digits 1 to 500 of 5,001): {LONGER[:500]}"]


def test_numbers_in_lists_and_json_strings_are_compared_exactly() -> None:
    one, other = "1.0000000000000000001", "1.0000000000000000002"
    for before, after in (
        (f'[{{"w": {one}}}]', f'[{{"w": {other}}}]'),
        (f"[{one}]", f"[{other}]"),
        (json.dumps(f'{{"w": {one}}}'), json.dumps(f'{{"w": {other}}}')),
        (json.dumps('{"w": 0.1, "n": 1}'), json.dumps(f'{{"w": 0.1, "n": {other}}}')),
    ):
        found = changes(before, after)
        assert len(found) == 1, found
        assert other in found[0]


def test_instances_with_different_numbers_have_separate_rows() -> None:
    text = json.dumps(
        plan(*(resource(f"a.b[{key}]", before={"n": 1}, after={"n": f"N{key}"}) | {"index": key} for key in range(2)))
    )
    data = text.replace('"N0"', "1.0000000000000000001").replace('"N1"', "1.0000000000000000002").encode()
    found = parse_plan(data, run_id="run-1", plan_id="plan-1", is_redacted=False)
    secrets = Secrets.of_plan(found.source)
    assert [row["address"] for row in review(found, secrets, summarize(found, secrets), {})["rows"]] == [
        "a.b[0]",
        "a.b[1]",
    ]


def test_sensitive_number_is_masked_in_any_notation() -> None:
    for written, shown in (
        ("1.0000000000000000001", "1.0000000000000000001"),
        ("0.00000123", "0.00000123"),
        ("1.23e-6", "0.00000123"),
        (LONGER, LONGER),
    ):
        text = json.dumps(plan(resource(after={"secret": "S"}, after_sensitive={"secret": True})))
        found = parse_plan(text.replace('"S"', written).encode(), run_id="run-1", plan_id="p", is_redacted=False)
        assert shown not in Secrets.of_plan(found.source).mask(f"it is {shown}.")

"""The headline claims no more than the plan and the API say."""

from typing import Any

from tests.unit.review.plans import change, document, resource
from tfruns.review.headline import headline
from tfruns.review.summary import summarize

ZEROS = "Plan: 0 to add, 0 to change, 0 to destroy"
OUTPUT = {"o": change(["create"], after=1)}
DRIFT = resource("a.drifted", before={"x": 1}, after={"x": 2})
MOVED = resource("a.moved", ["no-op"], previous_address="a.old")
INVOCATION = {"address": "action.a.b"}


def line(*resources: Any, has_changes: bool | None = None, is_refresh_only: bool = False, **sections: Any) -> str:
    read = document(*resources, **sections)
    return headline(summarize(read), has_changes=has_changes, is_refresh_only=is_refresh_only)


def test_headline_describes_each_kind_of_plan() -> None:
    lines = {
        "outputs alone": line(output_changes=OUTPUT),
        "forgets alone": line(resource("a.b", ["forget"])),
        "moves alone": line(MOVED),
        "imports alone": line(resource("a.b", ["no-op"], importing={"id": "i"})),
        "actions alone": line(action_invocations=[INVOCATION, INVOCATION]),
        "deferred alone": line(deferred_changes=[{"reason": "x", "resource_change": resource(actions=["create"])}]),
        "an unknown action": line(resource("a.b", ["destroy", "forget"])),
        "drift alone": line(resource_drift=[DRIFT]),
        "a refresh": line(resource_drift=[DRIFT], is_refresh_only=True),
        "a refresh that moves": line(resource_drift=[MOVED], is_refresh_only=True, has_changes=False),
        "reads alone": line(resource("data.a.b", ["read"], mode="data")),
        "nothing": line(resource("a.b", ["no-op"])),
    }
    assert lines == {
        "outputs alone": "No resources change. 1 output changes.",
        "forgets alone": f"{ZEROS}, 1 to forget.",
        "moves alone": f"{ZEROS}, 1 to move.",
        "imports alone": "Plan: 1 to import, 0 to add, 0 to change, 0 to destroy.",
        "actions alone": f"{ZEROS}. Actions: 2 to invoke.",
        "deferred alone": f"{ZEROS}. Deferred to a later run: 1.",
        "an unknown action": f"{ZEROS}, 1 with an unrecognized action.",
        "drift alone": "No changes.",
        "a refresh": (
            "No resources change. 1 resource was changed outside of Terraform. The apply records this in the state."
        ),
        "a refresh that moves": (
            "No resources change. 1 resource moves to another address. The run has nothing to apply."
        ),
        "reads alone": "No changes.",
        "nothing": "No changes.",
    }


def test_headline_states_doubts_instead_of_no_changes() -> None:
    same = resource("a.b", ["no-op"])
    doubtful: list[tuple[dict[str, Any], bool | None, str]] = [
        ({"errored": True}, None, "planning failed"),
        ({"complete": False}, None, "the plan is incomplete"),
        ({"complete": False}, False, "the plan is incomplete"),
        ({"resource_changes": [same, 1]}, False, "tfruns does not recognize a part of the plan"),
        ({"resource_changes": None}, None, "the plan has no list of resource changes"),
        ({"resource_changes": None, "applyable": True}, None, "the plan has no list of resource changes"),
        (
            {"resource_changes": None, "errored": True},
            False,
            "planning failed; the plan has no list of resource changes",
        ),
    ]
    for sections, has_changes, doubt in doubtful:
        found = line(**({"resource_changes": [same]} | sections), has_changes=has_changes)
        assert found == f"No changes were found in this plan, but there may be some: {doubt}.", sections


def test_headline_with_outputs_states_doubts_about_resources() -> None:
    assert line(output_changes=OUTPUT, errored=True) == (
        "It is unknown whether resources change: planning failed. 1 output changes."
    )
    assert line(output_changes={"o": change(["of_tomorrow"])}) == (
        "It is unknown whether resources change: tfruns does not recognize a part of the plan. 1 output changes."
    )
    assert line(output_changes=OUTPUT, resource_changes=None) == "No resources change. 1 output changes."


def test_has_changes_of_the_run_decides_for_an_empty_plan() -> None:
    assert line(resource("a.b", ["no-op"]), has_changes=True) == (
        "No changes were found in this plan, but the API reports that the run has changes."
    )
    for sections in ({"resource_changes": None}, {"resource_changes": None, "applyable": False}):
        assert line(**sections, has_changes=False) == "No changes."

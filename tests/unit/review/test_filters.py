"""The filters of a review."""

from typing import Any

from tests.support.tables import rows
from tests.unit.review.plans import change, resource
from tests.unit.review.views import rows_of, view_of

PLAN = (
    resource("module.x.a.gone", ["delete"], module_address="module.x"),
    resource("module.x[0].a.replaced", ["delete", "create"], module_address="module.x[0]"),
    resource("module.xy.a.new", ["create"], module_address="module.xy"),
    resource("b.web", ["update"], before={"x": 1}, after={"x": 2}),
    resource("b.web2", ["forget"]),
    resource("b.moved", ["no-op"], previous_address="c.before"),
    resource("b.taken", ["update"], importing={"id": "1"}),
    resource("data.d.read", ["read"], mode="data"),
)
OUTPUTS = {"o": change(["create"], after=1)}
DRIFT = [resource("b.drifted", before={"x": 1}, after={"x": 2})]


def filtered(text: str) -> list[str]:
    rows = rows_of(*PLAN, output_changes=OUTPUTS, resource_drift=DRIFT, options={"filter_text": text})
    return [row["address"] for row in rows]


@rows(
    ("text", "addresses"),
    [
        ("destroy", ["module.x.a.gone"]),
        ("delete", ["module.x.a.gone"]),
        ("replace", ["module.x[0].a.replaced"]),
        ("create", ["module.xy.a.new"]),
        ("add", ["module.xy.a.new"]),
        (" Update ", ["b.web", "b.taken"]),
        ("change", ["b.web", "b.taken"]),
        ("forget", ["b.web2"]),
        ("move", ["b.moved"]),
        ("import", ["b.taken"]),
        ("read", ["data.d.read"]),
        ("output", ["output.o"]),
        ("drift", ["b.drifted"]),
        ("module.x", ["module.x.a.gone", "module.x[0].a.replaced"]),
        ("module.x[0]", ["module.x[0].a.replaced"]),
        ("b.web", ["b.web"]),
        ("b.we", ["b.web2", "b.web"]),
        ("c.before", ["b.moved"]),
        ("b", ["b.web2", "b.web", "b.moved", "b.taken", "b.drifted"]),
        ("output.o", ["output.o"]),
    ],
)
def test_filter_matches_an_action_an_address_or_a_type(text: str, addresses: list[str]) -> None:
    assert filtered(text) == addresses


@rows(
    ("actions", "counts", "filters"),
    [
        (["create", "forget"], {"add": 1, "forget": 1}, ["create", "add", "replace", "forget"]),
        (["create", "delete"], {"replace": 1}, ["replace"]),
        (["teleport"], {"unknown": 1}, ["unknown"]),
        (["forget"], {"forget": 1}, ["forget"]),
    ],
)
def test_every_counted_change_matches_the_filter_of_its_name(
    actions: list[str], counts: dict[str, int], filters: list[str]
) -> None:
    entry = resource("a.b", actions, before={"n": 1}, after={"n": 2})
    assert view_of(entry)["counts"] == counts
    tried = ("create", "add", "update", "replace", "destroy", "forget", "unknown")
    assert [text for text in tried if rows_of(entry, options={"filter_text": text})] == filters


def test_filter_without_a_match_lists_the_available_filters() -> None:
    options = {"filter_text": "nothing\n" + "x" * 500}
    view = view_of(*PLAN, output_changes=OUTPUTS, options=options)
    (note,) = view["notes"]
    assert note.startswith('No change matches the filter "nothing xxx')
    assert "actions: update (2), create (1), replace (1)" in note
    assert "types: b (4), a (3)" in note
    assert "modules: module.x (1)" in note
    assert len(note) < 800
    assert view["rows"] == []
    assert view_of(options=options)["notes"][0].endswith("The plan contains no changes.")


def test_fingerprint_is_the_same_for_every_page_and_filter() -> None:
    options: list[dict[str, Any]] = [
        {},
        {"filter_text": "destroy"},
        {"page_number": 2, "page_size": 1},
        {"filter_text": "nothing"},
    ]
    assert len({view_of(*PLAN, options=chosen)["fingerprint"] for chosen in options}) == 1

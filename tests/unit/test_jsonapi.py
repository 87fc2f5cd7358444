"""JSON:API documents: primary data, included resources, pagination, errors; and malformed documents."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support import samples
from tests.support.tables import rows
from tfruns.jsonapi import (
    MalformedDocument,
    Pagination,
    as_object,
    create_document,
    error_document,
    error_texts,
    included,
    pagination,
    primary,
)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)

# -- primary data -----------------------------------------------------------------------------------------------------


@rows("data", [{"id": "run-a", "type": "runs"}, [], [{"id": "run-a"}], None])
def test_primary_data_is_the_data_member(data: Any) -> None:
    assert primary({"data": data, "meta": {}}) == data


@rows("document", [None, [], "data", 5, True, [{"data": 1}]])
def test_document_that_is_not_an_object_is_malformed(document: Any) -> None:
    with pytest.raises(MalformedDocument, match="the document is not an object"):
        primary(document)


@rows("document", [{}, {"errors": []}, {"Data": {}}])
def test_document_without_data_is_malformed(document: dict[str, Any]) -> None:
    with pytest.raises(MalformedDocument, match="has no data"):
        primary(document)


def test_non_object_is_named_and_not_repeated() -> None:
    with pytest.raises(MalformedDocument) as caught:
        as_object(["fakeSecretValue"], "the resource")
    assert str(caught.value) == "the resource is not an object"


# -- included ---------------------------------------------------------------------------------------------------------


def test_included_resources_are_found_by_type_and_id() -> None:
    user, workspace = samples.user(), samples.workspace()
    document = {"data": samples.run(), "included": [user, workspace]}
    assert included(document) == {("users", user["id"]): user, ("workspaces", workspace["id"]): workspace}


@rows("document", [{}, {"included": None}, {"included": []}])
def test_document_without_included_has_none(document: dict[str, Any]) -> None:
    assert included(document) == {}


@rows("resource", [None, "users", 5, [], {}, {"type": "users"}, {"id": "user-a"}])
def test_malformed_included_resources_are_ignored(resource: Any) -> None:
    user = samples.user()
    assert included({"included": [resource, user]}) == {("users", user["id"]): user}


def tolerant_included(document: dict[str, Any]) -> dict[Any, Any]:
    """The included resources; empty for a malformed document. Any other exception is a defect."""
    try:
        return included(document)
    except MalformedDocument:
        return {}


@rows("value", [5, True, 1.5, [{"type": [], "id": "x"}], [{"type": "users", "id": {}}], [{"type": {}, "id": []}]])
def test_malformed_included_raises_nothing(value: Any) -> None:
    assert tolerant_included({"included": value}) == {}


# -- pagination -------------------------------------------------------------------------------------------------------


def test_list_with_totals_has_the_page_position() -> None:
    document = samples.page(samples.run(), number=2, next_page=3, total=45)
    assert pagination(document) == Pagination(current_page=2, page_size=20, next_page=3, total_pages=3, total_count=45)


# HCP Terraform API, "List Runs in an Organization".
def test_list_without_totals_has_only_a_next_page() -> None:
    assert pagination(samples.page(samples.run(), next_page=2)) == Pagination(current_page=1, page_size=20, next_page=2)


def test_last_page_has_no_next_page() -> None:
    assert pagination(samples.page(number=3, total=45)).next_page is None


@rows(
    "document",
    [{}, {"meta": None}, {"meta": []}, {"meta": {}}, {"meta": {"pagination": None}}, {"meta": {"pagination": "2"}}],
)
def test_list_without_pagination_has_one_page(document: dict[str, Any]) -> None:
    assert pagination(document) == Pagination(current_page=1)


def test_invalid_number_counts_as_omitted() -> None:
    page = {"current-page": "2", "page-size": 20.5, "next-page": True, "total-pages": [], "total-count": None}
    assert pagination({"meta": {"pagination": page}}) == Pagination(current_page=1)


# -- errors -----------------------------------------------------------------------------------------------------------


@rows(
    ("document", "words"),
    [
        ({"errors": [{"status": "404", "title": "not found"}]}, ["not found"]),
        ({"errors": [{"title": "invalid", "detail": "Name is taken"}]}, ["invalid: Name is taken"]),
        ({"errors": [{"detail": "Only this"}]}, ["Only this"]),
        ({"errors": [{"title": "same", "detail": "same"}]}, ["same"]),
        (
            {"errors": [{"title": "invalid", "detail": "too long", "source": {"pointer": "/data/attributes/message"}}]},
            ["invalid: too long: at /data/attributes/message"],
        ),
        ({"errors": [{"title": "a"}, {"title": "b"}]}, ["a", "b"]),
        (
            {"errors": ["Run was not paused for confirmation; apply not allowed."]},
            ["Run was not paused for confirmation; apply not allowed."],
        ),
        ({"errors": "plain words"}, ["plain words"]),
        ({"errors": [{}, None, 5, {"title": None, "detail": 7}, {"title": ""}, {"title": "x"}]}, ["x"]),
        ({"errors": [{"title": "x", "source": "attributes"}]}, ["x"]),
        ({"errors": []}, []),
        ({"errors": None}, []),
        ({"errors": {"title": "no list"}}, []),
        ({"data": {}}, []),
        (None, []),
        ([], []),
        ("not found", []),
    ],
)
def test_error_texts_has_one_text_per_error(document: Any, words: list[str]) -> None:
    assert error_texts(document) == words


# JSON:API 1.0, "Error Objects": the status is a string.
def test_error_document_round_trips() -> None:
    assert error_document(404, "not found") == {"errors": [{"status": "404", "title": "not found"}]}
    assert error_texts(error_document(422, "unprocessable entity", "invalid run parameters")) == [
        "unprocessable entity: invalid run parameters"
    ]


# -- documents that create a resource ---------------------------------------------------------------------------------


def test_create_document_has_type_attributes_and_relationships() -> None:
    attributes = {"message": "m", "plan-only": True}
    document = create_document("runs", attributes, [("workspace", "workspaces", "ws-a"), ("x", "y", "z-1")])
    assert document == {
        "data": {
            "type": "runs",
            "attributes": attributes,
            "relationships": {
                "workspace": {"data": {"type": "workspaces", "id": "ws-a"}},
                "x": {"data": {"type": "y", "id": "z-1"}},
            },
        }
    }
    assert document["data"]["attributes"] is not attributes


def test_create_document_without_relationships_has_none() -> None:
    assert create_document("comments", {"body": "b"}) == {"data": {"type": "comments", "attributes": {"body": "b"}}}


# -- any document at all ----------------------------------------------------------------------------------------------


@given(
    _JSON | st.builds(lambda data, meta, extra: {"data": data, "meta": meta, "included": extra}, _JSON, _JSON, _JSON)
)
@example({"included": 5})
@example({"included": [{"type": [], "id": []}]})
@settings(deadline=None)
def test_any_document_is_parsed_or_malformed(document: Any) -> None:
    error_texts(document)
    try:
        top = as_object(document, "the document")
        primary(top)
        included(top)
        assert pagination(top).current_page != 0
    except MalformedDocument:
        return

"""Checks that a response belongs to its request, by comparing the document with what was requested.

A proxy that mixes up responses, or delivers one twice, answers a request with the response to another. Only values
that the document contains are compared.
"""

from collections.abc import Callable, Mapping
from functools import partial

from tfruns.jsonapi import JSON

Matcher = Callable[[JSON], bool]


def is_resource(type_: str, id_: str) -> Matcher:
    """Match the document of one resource, by type and id."""
    return partial(_is_resource, type_=type_, id_=id_)


def is_kind(type_: str) -> Matcher:
    """Match the document of any resource of this type."""
    return partial(_has_attributes, type_=type_, wanted={})


def has_attributes(type_: str, wanted: Mapping[str, JSON]) -> Matcher:
    """Match the document of a resource with these attributes; an attribute that is absent matches.

    Strings are compared without case and white space, which a server may change.
    """
    return partial(_has_attributes, type_=type_, wanted=wanted)


def is_list_of(type_: str, relationship: str, id_: str) -> Matcher:
    """Match a list of resources that are all related to this one; an absent relationship matches."""
    return partial(_is_list_of, type_=type_, relationship=relationship, id_=id_)


def related_id(resource: JSON, relationship: str) -> str | None:
    """The id of the related resource; None if the resource does not contain it."""
    id_ = _object(_object(_object(_object(resource).get("relationships")).get(relationship)).get("data")).get("id")
    return id_ if isinstance(id_, str) else None


def _is_resource(document: JSON, type_: str, id_: str) -> bool:
    resource = _object(_object(document).get("data"))
    return (resource.get("type"), resource.get("id")) == (type_, id_)


def _has_attributes(document: JSON, type_: str, wanted: Mapping[str, JSON]) -> bool:
    resource = _object(_object(document).get("data"))
    shown = _object(resource.get("attributes"))
    is_kind = resource.get("type") == type_ and isinstance(resource.get("id"), str)
    return is_kind and all(_is_same(value, shown.get(name)) for name, value in wanted.items())


def _is_list_of(document: JSON, type_: str, relationship: str, id_: str) -> bool:
    items = _object(document).get("data")
    if not isinstance(items, list):
        return True  # parsing reports what is wrong with it
    kinds = {item.get("type") for item in items if isinstance(item, Mapping)}
    return kinds <= {type_} and {related_id(item, relationship) for item in items} <= {id_, None}


def _is_same(sent: JSON, shown: JSON) -> bool:
    if shown is None:  # absent
        return True
    if isinstance(sent, str) and isinstance(shown, str):
        return not sent.strip() or " ".join(sent.split()).casefold() == " ".join(shown.split()).casefold()
    if isinstance(sent, list) and isinstance(shown, list):
        return len(sent) == len(shown) and all(item in shown for item in sent)
    return sent == shown or (not sent and not shown)


def _object(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, Mapping) else {}

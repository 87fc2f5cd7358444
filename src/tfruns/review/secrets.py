"""The sensitive values of a plan, and taking them out of whatever text or document they turn up in.

Sensitive is what Terraform marks so in the plan or the state, what the configuration declares so, and each string,
number and key within. Terraform loses the mark where a provider copies a value, or a program prints it; therefore it is
looked for everywhere. What is derived from a sensitive value (a hash, an encoding) is Terraform's to mark.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Self

from tfruns.foreign_text import one_line
from tfruns.hcl import NotALiteral, literal
from tfruns.redaction import redact
from tfruns.review.plan_document import Object, PlanDocument, objects_in
from tfruns.review.text import common_beginning

HIDDEN = "(sensitive value)"

_SHORTEST = 6  # characters; a shorter one would hit innocent text
_NAME = re.compile(r"[a-z_]+")  # an attribute's name; to hide all words that are one would hide most of a plan
_SIDES = ("before", "after")


class Secrets:
    """Texts that must not be shown.

    They are found by their first characters, of which there is an index: the time that a text takes does not depend on
    how many secrets there are, nor on how many begin alike.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms = frozenset(form for value in set(values) for form in _forms(value))
        starts: dict[str, list[str]] = {}
        for form in sorted(self._forms):
            starts.setdefault(form[:_SHORTEST], []).append(form)
        self._starts = {start: (forms, max(map(len, forms))) for start, forms in starts.items()}

    @classmethod
    def of_plan(cls, document: PlanDocument, sensitive_variables: Collection[str] = ()) -> Self:
        """All that is sensitive in a plan. Of the redacted form these are only the texts that stand for it.

        Args:
            document: the plan.
            sensitive_variables: the names of those that are sensitive whatever the configuration says.
        """
        return cls(sensitive_values(document.source, sensitive_variables))

    def hide(self, text: str) -> str:
        """The text with every secret in it replaced, also where they overlap."""
        if not self._starts:
            return text
        parts: list[str] = []
        end = 0
        for start, stop in self._places(text):
            if start > end or not parts:
                parts += [text[end:start], HIDDEN]
            end = max(end, stop)
        return "".join([*parts, text[end:]])

    def shown(self, text: str, length: int) -> str:
        """The text as it may be shown: without secrets and tokens, on one line of so many characters at most."""
        hidden = self.hide(text)
        flat = one_line(hidden, len(text) + length)
        if flat != hidden:
            flat = self.hide(flat)  # once more: to join lines may make a secret
        return one_line(redact(flat), length)

    def hide_in(self, document: Any) -> Any:
        """The document with every secret in it replaced: in strings, in keys, and numbers that are one."""
        if isinstance(document, str):
            return self.hide(document)
        if isinstance(document, dict):
            return {self.hide(key): self.hide_in(item) for key, item in document.items()}
        if isinstance(document, list | tuple):
            return [self.hide_in(item) for item in document]
        is_secret = _is_number(document) and not self._forms.isdisjoint(_number_texts(document))
        return HIDDEN if is_secret else document

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets are: at each place the longest."""
        starts = self._starts
        size = _SHORTEST
        for place in [place for place in range(len(text) - size + 1) if text[place : place + size] in starts]:
            forms, longest = starts[text[place : place + size]]
            if length := _longest_beginning(text[place : place + longest], forms):
                yield place, place + length


def _longest_beginning(text: str, forms: Sequence[str]) -> int:
    """How long the longest of these is that the text begins with; 0 where it begins with none.

    In their order, which is that of a dictionary, it stands before the text, and what stands between begins like it.
    """
    while True:
        place = bisect_right(forms, text) - 1
        if place < 0:
            return 0
        if text.startswith(forms[place]):
            return len(forms[place])
        text = text[: common_beginning(text, forms[place])]


def _forms(value: str) -> Iterator[str]:
    """How a secret may stand in a text: whole or line by line, as it is, in JSON, in HCL, and HCL in JSON."""
    for part in {value, *(line.strip() for line in value.splitlines())}:
        if len(part) >= _SHORTEST:
            yield part
            for text in (part, _in_hcl(part)):
                yield text
                quoted = json.dumps(text, ensure_ascii=False)[1:-1]
                yield quoted
                # Go writes these so in JSON, unless it is told not to.
                for_html = quoted.replace("<", "\\u003c").replace(">", "\\u003e")
                yield for_html
                yield for_html.replace("&", "\\u0026")
                yield json.dumps(text)[1:-1]  # other programs write only ASCII


def _in_hcl(text: str) -> str:
    try:
        return literal(text)[1:-1]
    except NotALiteral:
        return text


# -- what is sensitive in a plan --------------------------------------------------------------------------------------


def sensitive_values(plan: Object, sensitive_variables: Collection[str] = ()) -> Iterator[str]:
    """Every sensitive text in a plan, and numbers as text, of whatever length; some more than once."""
    return chain(
        _of_changes(plan),
        _of_state(_at(plan, "prior_state", "values")),
        _of_state(_at(plan, "planned_values")),
        _of_variables(plan, sensitive_variables),
        _of_module(_at(plan, "configuration", "root_module")),
    )


def _of_changes(plan: Object) -> Iterator[str]:
    deferred = objects_in(plan.get("deferred_changes"))
    entries = chain(
        objects_in(plan.get("resource_changes")),
        objects_in(plan.get("resource_drift")),
        (_at(entry, "resource_change") for entry in deferred),
    )
    outputs = (change for _, change in _members(plan.get("output_changes")))
    for change in chain((_at(entry, "change") for entry in entries), outputs):
        for side in _SIDES:
            yield from _marked(change.get(side), change.get(f"{side}_sensitive"))
    for action in objects_in(plan.get("action_invocations")):
        yield from _marked(action.get("config_values"), action.get("config_sensitive"))


def _of_state(values: Object) -> Iterator[str]:
    for _, output in _members(values.get("outputs")):
        yield from _marked(output.get("value"), output.get("sensitive"))
    yield from _of_state_module(_at(values, "root_module"))


def _of_state_module(module: Object) -> Iterator[str]:
    for resource in objects_in(module.get("resources")):
        yield from _marked(resource.get("values"), resource.get("sensitive_values"))
    for child in objects_in(module.get("child_modules")):
        yield from _of_state_module(child)


def _of_variables(plan: Object, sensitive: Collection[str]) -> Iterator[str]:
    values = _at(plan, "variables")
    for name in sensitive:
        yield from _texts(_at(values, name).get("value"))
    for name, variable in _members(_at(plan, "configuration", "root_module").get("variables")):
        yield from _marked(_at(values, name).get("value"), variable.get("sensitive"))


def _of_module(module: Object) -> Iterator[str]:
    """What the configuration itself says: defaults of sensitive variables, constants given to them, and as outputs."""
    for _, variable in _members(module.get("variables")):
        yield from _marked(variable.get("default"), variable.get("sensitive"))
    for _, output in _members(module.get("outputs")):
        yield from _marked(_constants(output.get("expression")), output.get("sensitive"))
    for _, call in _members(module.get("module_calls")):
        child, given = _at(call, "module"), _at(call, "expressions")
        for name, variable in _members(child.get("variables")):
            yield from _marked(_constants(given.get(name)), variable.get("sensitive"))
        yield from _of_module(child)


def _constants(expression: Any) -> Any:
    return expression.get("constant_value") if isinstance(expression, dict) else None


def _marked(value: Any, marks: Any) -> Iterator[str]:
    """What the marks, which have the value's shape, call sensitive; all of it, should they have another shape."""
    if marks is True:
        yield from _texts(value)
    elif isinstance(value, dict) and isinstance(marks, dict):
        for key, mark in marks.items():
            yield from _marked(value.get(key), mark)
    elif isinstance(value, list) and isinstance(marks, list):
        for item, mark in zip(value, marks, strict=False):
            yield from _marked(item, mark)
    elif marks:  # of another shape
        yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value: strings, numbers, and keys that are more than a name."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            if not _NAME.fullmatch(key):
                yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif _is_number(value):
        yield from _number_texts(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number_texts(number: Any) -> Iterator[str]:
    """How a number may be written."""
    yield json.dumps(number)
    if isinstance(number, float) and number.is_integer():
        yield f"{number:.0f}"


def _at(value: Object, *path: str) -> Object:
    """The object at the end of a path of keys; an empty one if there is none."""
    found: Any = value
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _members(value: Any) -> Iterator[tuple[str, Object]]:
    """The members of an object that are objects."""
    if isinstance(value, dict):
        yield from ((key, item) for key, item in value.items() if isinstance(item, dict))

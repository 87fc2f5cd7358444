"""Values that are known to be sensitive, and their removal from any text or document.

Terraform loses the mark of a sensitive value where a provider copies it or a program prints it, so a value is searched
for everywhere. What is derived from it (a hash, an encoding) is for Terraform to mark.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

from tfruns.masking.plan_values import is_number, number_texts, sensitive_values
from tfruns.masking.redaction import redact
from tfruns.masking.text import one_line
from tfruns.masking.written_forms import SHORTEST, written_forms

HIDDEN = "(sensitive value)"

Mask = Callable[[str], str]
"""Returns a text without the values that must not be shown."""


class Secrets:
    """Texts that must not be shown.

    They are found by their first characters, of which there is an index: the time that a text takes does not depend on
    how many secrets there are, nor on how many begin alike.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._forms = frozenset(form for value in set(values) for form in written_forms(value))
        starts: dict[str, list[str]] = {}
        for form in sorted(self._forms):
            starts.setdefault(form[:SHORTEST], []).append(form)
        self._starts = {start: (forms, max(map(len, forms))) for start, forms in starts.items()}

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], sensitive_variables: Collection[str] = ()) -> Self:
        """All that is sensitive in a plan. Of the redacted form these are only the texts that stand for it.

        Args:
            plan: its JSON, as `terraform show -json` writes it or in the redacted form.
            sensitive_variables: the names of those that are sensitive whatever the configuration says.
        """
        return cls(sensitive_values(plan, sensitive_variables))

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
        is_secret = is_number(document) and not self._forms.isdisjoint(number_texts(document))
        return HIDDEN if is_secret else document

    def _places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where secrets are: at each place the longest."""
        starts = self._starts
        size = SHORTEST
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
        text = text[: _common_beginning(text, forms[place])]


def _common_beginning(first: str, second: str) -> int:
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(first), len(second)))

"""Values that are known to be sensitive, and their removal from any text or document.

Terraform loses the mark of a sensitive value where a provider copies it or a program prints it, so a value is searched
for everywhere. What is derived from it (a hash, an encoding) is for Terraform to mark. Of a form that takes more than
64 bytes, pieces of that size are searched for: they are hidden, too, where the rest does not follow.

A value of six characters or more is removed wherever it occurs. A shorter one would hit innocent text, so it counts
only if it is the value of a variable that is sensitive: with three to five characters as a whole word, with one or two
as a whole value (in quotes, after `=` or `:`). The index of an instance (`web[1]`) and the exit code of a program
(`exit code: 1`, `exit status 127`) stay readable. `true`, `false` and `null` are no secrets.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self

from tfruns.masking.matcher import Matcher, Span
from tfruns.masking.plan_values import is_number, number_texts, sensitive_values, variable_values
from tfruns.masking.redaction import redact
from tfruns.masking.text import one_line
from tfruns.masking.written_forms import SHORTEST, written_forms

MASKED = "(sensitive value)"

Mask = Callable[[str], str]
"""Returns a text without the values that must not be shown."""

_SHORTEST_WORD = 3
_CONSTANTS = {"", "true", "false", "null"}


class Secrets:
    """Texts that must not be shown.

    Args:
        values: sensitive values; those of less than six characters are not searched for.
        of_variables: the values of sensitive variables, which are searched for however short they are.
        replacement: what stands in the place of each.
    """

    def __init__(
        self, values: Iterable[str] = (), *, of_variables: Iterable[str] = (), replacement: str = MASKED
    ) -> None:
        given = set(of_variables)
        short = {form for value in given for form in written_forms(value, 1) if len(form) < SHORTEST} - _CONSTANTS
        forms = {form for value in given | set(values) for form in written_forms(value)}
        self._whole = frozenset(forms | short)
        self._replacement = replacement
        self._matcher = Matcher(
            map(_encoded, forms),
            words=[_encoded(form) for form in short if len(form) >= _SHORTEST_WORD],
            quoted=[_encoded(form) for form in short if len(form) < _SHORTEST_WORD],
        )

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], sensitive_variables: Collection[str] = ()) -> Self:
        """All that is sensitive in a plan. Of the redacted form these are only the texts that stand for it.

        Args:
            plan: its JSON, as `terraform show -json` writes it or in the redacted form.
            sensitive_variables: the names of those that are sensitive whatever the configuration says.
        """
        return cls(sensitive_values(plan, sensitive_variables), of_variables=variable_values(plan, sensitive_variables))

    def __bool__(self) -> bool:
        return bool(self._matcher)

    def mask(self, text: str) -> str:
        """The text with every secret in it replaced, also where they overlap."""
        if not self._matcher:
            return text
        data = _encoded(text)
        hidden = self.mask_bytes(data)
        return text if hidden is data else hidden.decode(errors="surrogatepass")

    def mask_bytes(self, data: bytes) -> bytes:
        """The same for the bytes of a text."""
        return self._without(data, self._matcher.spans(data))

    def mask_start(self, data: bytes) -> tuple[bytes, bytes]:
        """The start of a text that will continue, without secrets; and its rest, which goes before what follows."""
        cut = self._matcher.cut(data)
        spans = [(start, min(end, cut)) for start, end in self._matcher.spans(data) if start < cut]
        return self._without(data[:cut], spans), data[cut:]

    def _without(self, data: bytes, spans: Sequence[Span]) -> bytes:
        if not spans:
            return data
        starts, ends = zip(*spans, strict=True)
        kept = zip((0, *ends), (*starts, len(data)), strict=True)
        return self._replacement.encode().join(data[start:end] for start, end in kept)

    def safe_line(self, text: str, length: int) -> str:
        """The text as it may be shown: without secrets and tokens, on one line of so many characters at most."""
        hidden = self.mask(text)
        flat = one_line(hidden, len(text) + length)
        if flat != hidden:
            flat = self.mask(flat)  # once more: to join lines may make a secret
        return one_line(redact(flat), length)

    def mask_document(self, document: Any) -> Any:
        """The document with every secret in it replaced: in strings, in keys, and numbers that are one."""
        if isinstance(document, str):
            return self.mask(document)
        if isinstance(document, dict):
            return {self.mask(key): self.mask_document(item) for key, item in document.items()}
        if isinstance(document, list | tuple):
            return [self.mask_document(item) for item in document]
        is_secret = is_number(document) and not self._whole.isdisjoint(number_texts(document))
        return self._replacement if is_secret else document


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


NO_SECRETS = Secrets()


def masked_line(text: str, length: int, mask: Mask) -> str:
    """A text on one line of limited length, masked.

    The mask is applied again after the lines are joined, because joining may complete a sensitive value.
    """
    return one_line(mask(" ".join(mask(text).split())), length)

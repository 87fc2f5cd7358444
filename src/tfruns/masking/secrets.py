"""Masking of known sensitive values in texts and documents.

Terraform loses the mark of a sensitive value when a provider copies it or a program prints it, so values are masked
wherever they occur. Terraform itself must mark derived values, such as hashes. A form of more than 64 bytes is masked
in pieces of that size, so a piece is masked even if the rest does not follow.

A value of six characters or more is masked at any position. A shorter value would match harmless text, so it is masked
only if it is the value of a sensitive variable: with three to five characters as a whole word, with one or two as a
whole value (in quotes, or after `=` or `:`). The index of an instance (`web[1]`) and the exit code of a program (`exit
code: 1`, `exit status 127`) stay readable. `true`, `false` and `null` are never masked.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Self

from tfruns.masking.matcher import Matcher, Span
from tfruns.masking.plan_values import is_number, number_texts, sensitive_values, variable_values
from tfruns.masking.redaction import redact
from tfruns.masking.text import one_line
from tfruns.masking.written_forms import MIN_LENGTH, written_forms

MASKED = "(sensitive value)"

Mask = Callable[[str], str]
"""A function that masks the sensitive values in a text."""

_MIN_WORD = 3  # characters; a shorter value is masked only as a whole value
_CONSTANTS = {"", "true", "false", "null"}


class Secrets:
    """Sensitive values to mask.

    Args:
        values: sensitive values; values of fewer than six characters are ignored.
        of_variables: the values of sensitive variables, of any length.
        replacement: the text that replaces each value.
    """

    def __init__(
        self, values: Iterable[str] = (), *, of_variables: Iterable[str] = (), replacement: str = MASKED
    ) -> None:
        given = set(of_variables)
        short = {form for value in given for form in written_forms(value, 1) if len(form) < MIN_LENGTH} - _CONSTANTS
        forms = {form for value in given | set(values) for form in written_forms(value)}
        self._whole = frozenset(forms | short)
        self._replacement = replacement
        self._matcher = Matcher(
            map(_encoded, forms),
            words=[_encoded(form) for form in short if len(form) >= _MIN_WORD],
            quoted=[_encoded(form) for form in short if len(form) < _MIN_WORD],
        )

    @classmethod
    def of_plan(cls, plan: Mapping[str, Any], sensitive_variables: Collection[str] = ()) -> Self:
        """Collect the sensitive values of a plan. In the redacted form, these are only their substitutes.

        Args:
            plan: the JSON of the plan, in the full or the redacted form.
            sensitive_variables: the names of variables that are sensitive even if the configuration does not say so.
        """
        return cls(sensitive_values(plan, sensitive_variables), of_variables=variable_values(plan, sensitive_variables))

    def __bool__(self) -> bool:
        return bool(self._matcher)

    def mask(self, text: str) -> str:
        """Mask every secret in a text. Overlapping secrets are replaced once."""
        if not self._matcher:
            return text
        data = _encoded(text)
        masked = self.mask_bytes(data)
        return text if masked is data else masked.decode(errors="surrogatepass")

    def mask_bytes(self, data: bytes) -> bytes:
        """Mask every secret in an encoded text."""
        return self._without(data, self._matcher.spans(data))

    def mask_start(self, data: bytes) -> tuple[bytes, bytes]:
        """Mask the start of a text that continues.

        Returns:
            The masked start, and the unmasked rest, to be prepended to the continuation.
        """
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
        """Mask and redact a text and put it on one line of at most `length` characters."""
        masked = self.mask(text)
        flat = one_line(masked, len(text) + length)
        if flat != masked:
            flat = self.mask(flat)  # again, because joining lines may complete a secret
        return one_line(redact(flat), length)

    def mask_document(self, document: Any) -> Any:
        """Mask every secret in a document: in strings and keys, and as a number."""
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
    """Mask a text and put it on one line of at most `length` characters.

    The mask is applied again after the lines are joined, because joining may complete a sensitive value.
    """
    return one_line(mask(" ".join(mask(text).split())), length)

"""The rules of `.terraformignore`.

They follow hashicorp/go-slug, which the Terraform CLI uses, and differ from Git's: only the file at the root of the
configuration applies; a pattern without a trailing slash matches a directory but not its content; and a later `!`
includes files again, even below an excluded directory.

Terraform's own files beside a configuration are always excluded.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from tfruns.errors import InvalidInput

IGNORE_FILE = ".terraformignore"

_DEFAULT = ".git/"
_MAX_RULES = 1_000
_MAX_DEEP_WILDCARDS = 4  # `**` in one rule: each multiplies the number of possible matches


def is_terraform_internal(name: str) -> bool:
    """Whether a name is one of Terraform's own files: its working directory, or a state."""
    name = name.casefold()
    is_state = name.startswith("terraform.tfstate") or name.endswith(".tfstate") or ".tfstate." in name
    return is_state or name == ".terraform"


@dataclass(frozen=True, slots=True)
class _Rule:
    pattern: re.Pattern[str]
    is_negated: bool
    source: str  # where it is defined, for people


class IgnoreRules:
    """The rules of a `.terraformignore` file. Paths are relative to its directory, with forward slashes.

    Raises:
        InvalidInput: a rule is malformed. go-slug ignores such a rule and uploads the files that it should exclude.
    """

    def __init__(self, text: str = "") -> None:
        lines = enumerate(text.splitlines(), start=1)
        self._rules = [_rule(0, _DEFAULT), *(_rule(number, line) for number, line in lines if _is_rule(line))]
        if len(self._rules) > _MAX_RULES:
            raise InvalidInput(f"{IGNORE_FILE} has more than {_MAX_RULES} rules.")
        self._last_negation = max((n for n, rule in enumerate(self._rules) if rule.is_negated), default=-1)

    def excludes(self, path: str) -> bool:
        """Whether the file at this path is excluded. The path of a directory ends with a slash."""
        last = self._last_match(path)
        return last is not None and not self._rules[last].is_negated

    def excludes_all_below(self, path: str) -> bool:
        """Whether a directory is excluded, and no later rule can include anything in it."""
        last = self._last_match(path)
        return last is not None and last > self._last_negation

    def rule_for(self, path: str) -> str:
        """The rule that decides about this path, and where it is defined; empty if no rule matches."""
        last = self._last_match(path)
        return "" if last is None else self._rules[last].source

    def _last_match(self, path: str) -> int | None:
        path = unicodedata.normalize("NFC", path)
        for number in range(len(self._rules) - 1, -1, -1):
            if self._rules[number].pattern.fullmatch(path):
                return number
        return None


def _is_rule(line: str) -> bool:
    text = line.strip()
    return bool(text.removeprefix("!")) and not text.startswith("#")


def _rule(number: int, line: str) -> _Rule:
    text = unicodedata.normalize("NFC", line.strip())
    source = f"{IGNORE_FILE}:{number}: {text}" if number else f"default rule: {text}"
    is_negated = text.startswith("!")
    text = text.removeprefix("!")
    if text.endswith("/"):
        text += "**"
    text = text[1:] if text.startswith("/") else f"**/{text}"
    try:
        return _Rule(re.compile(_expression(text), re.DOTALL), is_negated, source)
    except (ValueError, re.error):
        raise InvalidInput(
            f"Line {number} of {IGNORE_FILE} is malformed.",
            cause=f"Its brackets do not match, or it contains ** more than {_MAX_DEEP_WILDCARDS} times.",
            solution="Correct the pattern.",
        ) from None


# -- from a pattern to a regular expression ---------------------------------------------------------------------------

_ANY_DEPTH, _TO_THE_END, _STAR = "(?:.*/)?", ".*", "[^/]*"
_WILDCARDS = {_ANY_DEPTH, _TO_THE_END, _STAR}


def _expression(pattern: str) -> str:
    parts = list(_parts(pattern))
    if parts.count(_ANY_DEPTH) > _MAX_DEEP_WILDCARDS + 1:
        raise ValueError("too many **")
    expression = ""
    while parts:
        part = parts.pop(0)
        following = next((n for n, other in enumerate(parts) if other in _WILDCARDS), None)
        if part == _STAR and following is not None and parts[following] == _STAR:
            # Between two stars the first match suffices: no backtracking is needed.
            expression += f"(?>[^/]*?{''.join(parts[:following])})"
            parts = parts[following:]
        else:
            expression += part
    return expression


def _parts(pattern: str) -> Iterator[str]:
    """The parts of a pattern: one for each character or wildcard."""
    position = 0
    while position < len(pattern):
        character, rest = pattern[position], pattern[position + 1 :]
        position += 1
        if character == "*" and rest.startswith("*"):
            position += 2 if rest.startswith("*/") else 1
            yield _ANY_DEPTH if position < len(pattern) else _TO_THE_END
        elif character == "*":
            yield _STAR
        elif character == "?":
            yield "[^/]"
        elif character == "\\" and rest:
            position += 1
            yield re.escape(rest[0])
        elif character == "[":
            end = pattern.index("]", position + (2 if rest.startswith("^") else 1))
            yield _class(pattern[position:end])
            position = end + 1
        else:
            yield re.escape(character)


def _class(members: str) -> str:
    negation = "^" if members.startswith("^") else ""
    members = members.removeprefix("^")
    inside = "".join(
        "-" if character == "-" and 0 < at < len(members) - 1 and members[at - 1] != "-" else re.escape(character)
        for at, character in enumerate(members)
    )
    return f"[{negation}{inside}]"

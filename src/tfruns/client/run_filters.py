"""The filters and searches of run lists, with the API's own spelling.

Source: HCP Terraform API, "List Runs in a Workspace", "List Runs in an Organization".
"""

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from tfruns.errors import InvalidInput
from tfruns.lifecycle import rule_of, statuses_in
from tfruns.vocabulary import RunOperation, RunSource, StatusGroup

E = TypeVar("E", bound=StrEnum)

Words = str | Sequence[str] | None
"""Several words: a comma-separated text, or a list. None, or nothing but commas, means that nothing was said."""

_OPERATION_ALIASES = {"plan": RunOperation.PLAN_ONLY, "apply": RunOperation.PLAN_AND_APPLY}
_GROUP_ALIASES = {"running": StatusGroup.NON_FINAL, "pending": StatusGroup.NON_FINAL}


@dataclass(frozen=True, slots=True)
class RunFilters:
    """What a list of runs is narrowed to. Values of one filter are alternatives; filters apply together.

    Attributes:
        operation: `plan_only`, `plan_and_apply`, ...; `plan` and `apply` mean these two. Without it the API leaves
            plan-only runs out.
        status: run statuses; one that tfruns does not know is sent as it is.
        source: `tfe-ui`, `tfe-api`, ...
        status_group: `non_final` (or `running`), `final`, `discardable`.
        timeframe: a year, or `year` for the last twelve months.
        agent_pool_names: names of agent pools.
        workspace_names: names of workspaces; in an organization's list only.
        user: a VCS user name.
        commit: a commit's SHA.
        basic: VCS user, commit, run id or message; the API ignores it beside `user` or `commit`.
    """

    operation: Words = None
    status: Words = None
    source: Words = None
    status_group: Words = None
    timeframe: str | int | None = None
    agent_pool_names: Words = None
    workspace_names: Words = None
    user: str | None = None
    commit: str | None = None
    basic: str | None = None

    def as_params(self) -> dict[str, str]:
        """The query; what was not said is not in it.

        Raises:
            InvalidInput: an operation, source, group or timeframe that the API does not know. Nothing was sent.
        """
        params = {
            "filter[operation]": _join(_known(RunOperation, self.operation, "operation", _OPERATION_ALIASES)),
            "filter[status]": _join(_words(self.status)),
            "filter[source]": _join(_known(RunSource, self.source, "source")),
            "filter[status_group]": _one_group(_known(StatusGroup, self.status_group, "status group", _GROUP_ALIASES)),
            "filter[timeframe]": _timeframe(self.timeframe),
            "filter[agent_pool_names]": _join(_words(self.agent_pool_names)),
            "filter[workspace_names]": _join(_words(self.workspace_names)),
            "search[user]": (self.user or "").strip(),
            "search[commit]": (self.commit or "").strip(),
            "search[basic]": (self.basic or "").strip(),
        }
        return {name: value for name, value in params.items() if value}

    @property
    def unknown_statuses(self) -> list[str]:
        """The statuses asked for that tfruns does not know: new ones of the API, or misspelled."""
        return [status for status in _words(self.status) if rule_of(status) is None]


def _words(value: Words) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value or ()
    return list(dict.fromkeys(word for part in parts if (word := part.strip())))


def _join(words: Iterable[str]) -> str:
    return ",".join(words)


def _known(kind: type[E], value: Words, what: str, aliases: Mapping[str, E] | None = None) -> list[E]:
    """The words as members of their enumeration, an alias as what it means."""
    return list(dict.fromkeys(_member(kind, word, what, aliases or {}) for word in _words(value)))


def _member(kind: type[E], word: str, what: str, aliases: Mapping[str, E]) -> E:
    word = word.lower()
    if word in aliases:
        return aliases[word]
    try:
        return kind(word)
    except ValueError:
        allowed = [member.value for member in kind]
        near = difflib.get_close_matches(word, [*allowed, *aliases], n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        also = (
            f" ({', '.join(f'{alias} means {member.value}' for alias, member in aliases.items())})" if aliases else ""
        )
        raise InvalidInput(
            f'"{word[:40]}" is no {what} of the run API.{hint}', solution=f"Use one of: {', '.join(allowed)}{also}."
        ) from None


def _one_group(groups: Sequence[StatusGroup]) -> str:
    """The API takes a single group. Several are one where they make one up together; all runs need none."""
    asked = set(groups)
    if {StatusGroup.FINAL, StatusGroup.NON_FINAL} <= asked:
        return ""
    if StatusGroup.NON_FINAL in asked:
        return StatusGroup.NON_FINAL.value  # what is discardable is not final
    if len(asked) <= 1:
        return _join(asked)
    together = [status.value for group in groups for status in statuses_in(group)]
    raise InvalidInput(
        f"The API takes one status group, and {' and '.join(groups)} do not make up one.",
        solution=f"Ask by status instead: filter_status={_join(together)}.",
    )


def _timeframe(value: str | int | None) -> str:
    text = str(value).strip() if value is not None else ""
    if text and text != "year" and not re.fullmatch(r"[0-9]{4}", text):
        raise InvalidInput('The timeframe has to be a year, such as 2026, or "year" for the last twelve months.')
    return text

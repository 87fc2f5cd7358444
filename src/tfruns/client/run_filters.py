"""The filters and searches of run lists, with the API's parameter names.

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
from tfruns.vocabulary import RunOperation, RunSource, RunStatus, StatusGroup

E = TypeVar("E", bound=StrEnum)

Words = str | Sequence[str] | None
"""Several values: a comma-separated string or a list. None, or only commas, means omitted."""

_OPERATION_ALIASES = {"plan": RunOperation.PLAN_ONLY, "apply": RunOperation.PLAN_AND_APPLY}
_GROUP_ALIASES = {"running": StatusGroup.NON_FINAL, "pending": StatusGroup.NON_FINAL}


@dataclass(frozen=True, slots=True)
class RunFilters:
    """Filters of a run list. A run matches if it matches one value of each filter.

    Attributes:
        operation: `plan_only`, `plan_and_apply`, ...; `plan` and `apply` are short for these two. If omitted, the API
            excludes plan-only runs.
        status: run statuses; unknown ones are sent unchanged.
        source: `tfe-ui`, `tfe-api`, ...
        status_group: `non_final` (or `running`), `final`, `discardable`.
        timeframe: a year, or `year` for the last twelve months.
        agent_pool_names: names of agent pools.
        workspace_names: names of workspaces; only for an organization's list.
        user: a VCS user name.
        commit: a commit's SHA.
        search: VCS user, commit, run id or message; the API ignores it beside `user` or `commit`.
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
    search: str | None = None

    def as_params(self) -> dict[str, str]:
        """The query parameters, without omitted filters.

        Raises:
            InvalidInput: the API does not support an operation, source, group or timeframe. Nothing was sent.
        """
        params = {
            "filter[operation]": _join(_known(RunOperation, self.operation, "operation", _OPERATION_ALIASES)),
            "filter[status]": _join(words(self.status)),
            "filter[source]": _join(_known(RunSource, self.source, "source")),
            "filter[status_group]": _one_group(_known(StatusGroup, self.status_group, "status group", _GROUP_ALIASES)),
            "filter[timeframe]": _timeframe(self.timeframe),
            "filter[agent_pool_names]": _join(words(self.agent_pool_names)),
            "filter[workspace_names]": _join(words(self.workspace_names)),
            "search[user]": (self.user or "").strip(),
            "search[commit]": (self.commit or "").strip(),
            "search[basic]": (self.search or "").strip(),
        }
        return {name: value for name, value in params.items() if value}

    @property
    def unknown_statuses(self) -> list[str]:
        """The given statuses that tfruns does not know: new in the API, or misspelled."""
        return [status for status in words(self.status) if rule_of(status) is None]


def check_statuses(value: Words) -> None:
    """Check that every status is known, to find misspelled ones.

    Raises:
        InvalidInput: a status is unknown.
    """
    _known(RunStatus, value, "status")


def words(value: Words) -> list[str]:
    """The values of a filter, without repetitions."""
    parts = value.split(",") if isinstance(value, str) else value or ()
    return list(dict.fromkeys(word for part in parts if (word := part.strip())))


def _join(words: Iterable[str]) -> str:
    return ",".join(words)


def _known(kind: type[E], value: Words, what: str, aliases: Mapping[str, E] | None = None) -> list[E]:
    """The values as enum members, with aliases resolved."""
    return list(dict.fromkeys(_member(kind, word, what, aliases or {}) for word in words(value)))


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
            f'The {what} "{word[:40]}" does not exist.{hint}', solution=f"Use one of: {', '.join(allowed)}{also}."
        ) from None


def _one_group(groups: Sequence[StatusGroup]) -> str:
    """Combine status groups into the single one that the API accepts; empty for all runs.

    Raises:
        InvalidInput: no single group equals the combination.
    """
    asked = set(groups)
    if {StatusGroup.FINAL, StatusGroup.NON_FINAL} <= asked:
        return ""
    if StatusGroup.NON_FINAL in asked:
        return StatusGroup.NON_FINAL.value  # discardable runs are not final
    if len(asked) <= 1:
        return _join(asked)
    together = [status.value for group in groups for status in statuses_in(group)]
    raise InvalidInput(
        f"The API accepts one status group, and {' and '.join(groups)} cannot be combined into one.",
        solution=f"Filter by status instead: filter_status={_join(together)}.",
    )


def _timeframe(value: str | int | None) -> str:
    text = str(value).strip() if value is not None else ""
    if text and text != "year" and not re.fullmatch(r"[0-9]{4}", text):
        raise InvalidInput('The timeframe must be a year, such as 2026, or "year" for the last twelve months.')
    return text

"""The filters of a review: a keyword such as an action, an address with everything below it, or a resource type."""

from collections import Counter
from collections.abc import Callable, Sequence

from tfruns.masking.secrets import Secrets
from tfruns.review.plan_document import Action
from tfruns.review.rows import PlanSection, ReviewEntry

_MAX_SUGGESTIONS = 8  # names of each kind that are listed if a filter matches nothing
_NAME = 80

_PLANNED = {PlanSection.RESOURCE, PlanSection.DEFERRED}


def _does(action: Action) -> Callable[[ReviewEntry], bool]:
    return lambda entry: entry.section in _PLANNED and entry.change.action is action


def _does_or_replaces_by_forgetting(action: Action) -> Callable[[ReviewEntry], bool]:
    """Also match a replacement that forgets the old object, which counts as one to add and one to forget."""
    does = _does(action)
    return lambda entry: does(entry) or (entry.section in _PLANNED and entry.change.is_forgetting_replacement)


_BY_KEYWORD: dict[str, Callable[[ReviewEntry], bool]] = {
    "create": _does_or_replaces_by_forgetting(Action.CREATE),
    "update": _does(Action.UPDATE),
    "replace": _does(Action.REPLACE),
    "destroy": _does(Action.DESTROY),
    "forget": _does_or_replaces_by_forgetting(Action.FORGET),
    "unknown": _does(Action.UNKNOWN),
    "invoke": lambda entry: entry.change.is_invocation,
    "import": lambda entry: entry.section in _PLANNED and entry.change.importing is not None,
    "move": lambda entry: entry.section in _PLANNED and bool(entry.change.previous_address),
    "read": lambda entry: entry.section is PlanSection.READ,
    "output": lambda entry: entry.section is PlanSection.OUTPUT,
    "drift": lambda entry: entry.section is PlanSection.DRIFT,
    "deferred": lambda entry: entry.section is PlanSection.DEFERRED,
}
_SYNONYMS = {
    "add": "create",
    "change": "update",
    "delete": "destroy",
    "outputs": "output",
    "moved": "move",
    "action": "invoke",
}


def select(entries: Sequence[ReviewEntry], text: str) -> list[ReviewEntry]:
    """The entries that match a filter; without a filter, those that are shown by default."""
    text = text.strip()
    if not text:
        return [entry for entry in entries if entry.is_shown]
    keyword = text.lower()
    by_keyword = _BY_KEYWORD.get(_SYNONYMS.get(keyword, keyword))
    if by_keyword is not None:
        return [entry for entry in entries if by_keyword(entry)]
    below = (text, f"{text}.", f"{text}[")
    own = [entry for entry in entries if not entry.is_attached]
    found = [entry for entry in own if entry.change.type == text or _is_at(entry, below)]
    return found or [entry for entry in own if entry.change.address.startswith(text)]


def _is_at(entry: ReviewEntry, below: tuple[str, ...]) -> bool:
    """Whether the current or previous address of an entry is an address, or is below it."""
    addresses = (entry.change.address, entry.change.previous_address)
    return any(address == below[0] or address.startswith(below[1:]) for address in addresses)


def available_filters(entries: Sequence[ReviewEntry], secrets: Secrets) -> str:
    """The filters that match something, for the note of a filter that matched nothing."""
    keywords = {keyword: sum(map(matches, entries)) for keyword, matches in _BY_KEYWORD.items()}
    resources = [entry.change for entry in entries if entry.section is not PlanSection.OUTPUT]
    modules = (change.source.get("module_address") for change in resources)
    parts = [
        _list("actions", {keyword: number for keyword, number in keywords.items() if number}, secrets),
        _list("types", Counter(change.type for change in resources), secrets),
        _list("modules", Counter(module for module in modules if isinstance(module, str)), secrets),
    ]
    return "; ".join(part for part in parts if part) or "no changes"


def _list(kind: str, numbers: "dict[str, int] | Counter[str]", secrets: Secrets) -> str:
    most = Counter(numbers).most_common(_MAX_SUGGESTIONS)
    names = [f"{secrets.safe_line(name, _NAME)} ({number})" for name, number in most if name]
    more = f" and {len(numbers) - _MAX_SUGGESTIONS} more" if len(numbers) > _MAX_SUGGESTIONS else ""
    return f"{kind}: {', '.join(names)}{more}" if names else ""

"""The filters of a review: an action, an address with everything below it, or a type of resources."""

from collections import Counter
from collections.abc import Callable, Sequence

from tfruns.masking.secrets import Secrets
from tfruns.review.plan_document import Action
from tfruns.review.rows import Entry, Kind

_LISTED = 8  # names of a kind, where a filter matches nothing
_NAME = 80

_PLANNED = {Kind.RESOURCE, Kind.DEFERRED}


def _does(action: Action) -> Callable[[Entry], bool]:
    return lambda entry: entry.kind in _PLANNED and entry.change.action is action


def _does_or_replaces_by_forgetting(action: Action) -> Callable[[Entry], bool]:
    """A replacement that forgets the old object counts as one to add and one to forget."""
    does = _does(action)
    return lambda entry: does(entry) or (entry.kind in _PLANNED and entry.change.is_forgetting_replacement)


_BY_WORD: dict[str, Callable[[Entry], bool]] = {
    "create": _does_or_replaces_by_forgetting(Action.CREATE),
    "update": _does(Action.UPDATE),
    "replace": _does(Action.REPLACE),
    "destroy": _does(Action.DESTROY),
    "forget": _does_or_replaces_by_forgetting(Action.FORGET),
    "unknown": _does(Action.UNKNOWN),
    "invoke": lambda entry: entry.change.is_invocation,
    "import": lambda entry: entry.kind in _PLANNED and entry.change.importing is not None,
    "move": lambda entry: entry.kind in _PLANNED and bool(entry.change.previous_address),
    "read": lambda entry: entry.kind is Kind.READ,
    "output": lambda entry: entry.kind is Kind.OUTPUT,
    "drift": lambda entry: entry.kind is Kind.DRIFT,
    "deferred": lambda entry: entry.kind is Kind.DEFERRED,
}
_SAME_WORDS = {
    "add": "create",
    "change": "update",
    "delete": "destroy",
    "outputs": "output",
    "moved": "move",
    "action": "invoke",
}

WORDS = tuple(_BY_WORD)


def select(entries: Sequence[Entry], text: str) -> list[Entry]:
    """The entries that match a filter; without one, those that are shown by default."""
    text = text.strip()
    if not text:
        return [entry for entry in entries if entry.is_shown]
    word = text.lower()
    by_word = _BY_WORD.get(_SAME_WORDS.get(word, word))
    if by_word is not None:
        return [entry for entry in entries if by_word(entry)]
    below = (text, f"{text}.", f"{text}[")
    own = [entry for entry in entries if not entry.is_attached]
    found = [entry for entry in own if entry.change.type == text or _is_at(entry, below)]
    return found or [entry for entry in own if entry.change.address.startswith(text)]


def _is_at(entry: Entry, below: tuple[str, ...]) -> bool:
    """Whether an entry is about an address, or about something below it; also by the address that it had before."""
    addresses = (entry.change.address, entry.change.previous_address)
    return any(address == below[0] or address.startswith(below[1:]) for address in addresses)


def what_there_is(entries: Sequence[Entry], secrets: Secrets) -> str:
    """The possible filters, for a filter that matched nothing."""
    words = {word: sum(map(is_it, entries)) for word, is_it in _BY_WORD.items()}
    resources = [entry.change for entry in entries if entry.kind is not Kind.OUTPUT]
    modules = (change.source.get("module_address") for change in resources)
    parts = [
        _list("actions", {word: number for word, number in words.items() if number}, secrets),
        _list("types", Counter(change.type for change in resources), secrets),
        _list("modules", Counter(module for module in modules if isinstance(module, str)), secrets),
    ]
    return "; ".join(part for part in parts if part) or "no entries"


def _list(what: str, numbers: "dict[str, int] | Counter[str]", secrets: Secrets) -> str:
    most = Counter(numbers).most_common(_LISTED)
    names = [f"{secrets.shown(name, _NAME)} ({number})" for name, number in most if name]
    more = f" and {len(numbers) - _LISTED} more" if len(numbers) > _LISTED else ""
    return f"{what}: {', '.join(names)}{more}" if names else ""

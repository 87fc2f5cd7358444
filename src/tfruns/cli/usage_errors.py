"""The texts of errors in the command line itself."""

import difflib
import shlex
from collections.abc import Iterator

from cyclopts import CycloptsError, UnknownCommandError, UnknownOptionError, UnusedCliTokensError

_MOST = 3  # commands that are suggested
_SIMILARITY = 0.75  # of a misspelled option to the suggested one
# Options of other programs that have the same purpose.
_ELSEWHERE = {"--output": "--json", "--format": "--json", "--org": "--organization", "--token": "--token-stdin"}


def usage_text(error: CycloptsError) -> str:
    """The message of an error, and where to find the usage."""
    command = shlex.join(["tfruns", *(error.command_chain or ())])
    return f"Error: {_message(error)}\nFor the usage: {command} --help"


def _message(error: CycloptsError) -> str:
    if isinstance(error, UnknownOptionError):
        return _unknown_option(error)
    if isinstance(error, UnusedCliTokensError):
        return f"Unexpected arguments: {shlex.join(error.unused_tokens or ())}."
    if isinstance(error, UnknownCommandError) and (found := _in_groups(error)):
        return f'Unknown command "{error.unused_tokens[0]}". Did you mean {" or ".join(found[:_MOST])}?'  # type: ignore[index]
    return str(error)


def _in_groups(error: UnknownCommandError) -> list[str]:
    """The commands with this name in the groups of the program, if it was given without its group."""
    if error.app is None or error.command_chain or not error.unused_tokens:
        return []
    name = error.unused_tokens[0]
    groups = {group: error.app[group] for group in error.app if not group.startswith("-")}
    return [f"`tfruns {group} {name}`" for group, app in groups.items() if name in [*app]]


def _unknown_option(error: UnknownOptionError) -> str:
    given = error.token.keyword or error.token.value
    name = given.partition("=")[0]
    known = [name for argument in error.argument_collection if argument.parse for name in argument.names]
    suggestion = next(_suggestions(name, known), None)
    return f"Unknown option: {name}." + (f" Did you mean {suggestion}?" if suggestion else "")


def _suggestions(name: str, known: list[str]) -> Iterator[str]:
    if (other := _ELSEWHERE.get(name)) in known:
        yield other
    yield from difflib.get_close_matches(name, known, n=1, cutoff=_SIMILARITY)

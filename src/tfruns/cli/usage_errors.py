"""The texts of errors in the command line itself."""

import difflib
import shlex
from collections.abc import Iterator

from cyclopts import CycloptsError, UnknownOptionError, UnusedCliTokensError

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
    return str(error)


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

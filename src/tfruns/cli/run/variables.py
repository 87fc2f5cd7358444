"""The variables of a new run, from the command line. A value may be a secret: no error repeats it."""

import re
from collections.abc import Iterable

from tfruns.errors import InvalidInput
from tfruns.hcl.literals import is_literal, literal

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def variables_of(literals: Iterable[str], strings: Iterable[str]) -> list[dict[str, str]]:
    """The variables, as `create_run` takes them.

    Args:
        literals: key=value with an HCL literal each (--var).
        strings: key=text (--var-string).

    Raises:
        InvalidInput: no such form, no literal, or a key that is given twice.
    """
    found: dict[str, str] = {}
    for option, text in [*(("--var", text) for text in literals), *(("--var-string", text) for text in strings)]:
        key, value = _parted(option, text)
        if key in found:
            raise InvalidInput(f"The variable {key} is given twice.", solution="Give it once.")
        found[key] = literal(value) if option == "--var-string" else _checked(key, value)
    return [{"key": key, "value": value} for key, value in found.items()]


def _parted(option: str, text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise InvalidInput(f"{option} has to be KEY=VALUE, with an = sign.", solution=f"For instance {option} size=2")
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"The name of a variable in {option} has to be letters, digits, _ and -, and to begin with a letter or _.",
            solution="It stands before the = sign, without spaces.",
        )
    return key, value


def _checked(key: str, value: str) -> str:
    if is_literal(value):
        return value
    raise InvalidInput(
        f"The value of --var {key} is no HCL literal.",
        cause="A text without quotes of its own is a reference in HCL, and the shell takes quotes away.",
        solution=f"For a text: --var-string {key}=text, or --var '{key}=\"text\"'. For a list: --var '{key}=[1, 2]'.",
    )

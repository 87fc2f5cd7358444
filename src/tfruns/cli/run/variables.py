"""The variables of a new run, from the command line. A value may be a secret, so that errors never repeat it."""

import re
from collections.abc import Iterable

from tfruns.errors import InvalidInput
from tfruns.hcl.literals import is_literal, literal

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def parse_variables(literals: Iterable[str], strings: Iterable[str]) -> list[dict[str, str]]:
    """Parse the variables for `create_run`.

    Args:
        literals: values of --var, `key=value` with an HCL literal.
        strings: values of --var-string, `key=text`.

    Raises:
        InvalidInput: one is malformed or is not a literal, or a key is given twice.
    """
    found: dict[str, str] = {}
    for option, text in [*(("--var", text) for text in literals), *(("--var-string", text) for text in strings)]:
        key, value = _split(option, text)
        if key in found:
            raise InvalidInput(f"The variable {key} is given twice.", solution="Give it only once.")
        found[key] = literal(value) if option == "--var-string" else _checked(key, value)
    return [{"key": key, "value": value} for key, value in found.items()]


def _split(option: str, text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    if not sign:
        raise InvalidInput(f"The value of {option} has no = sign.", solution=f"Use KEY=VALUE: {option} size=2")
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"The name of the variable in {option} is invalid.",
            cause="A name consists of letters, digits, _ and -, and begins with a letter or _.",
            solution="Write the name before the = sign, without spaces.",
        )
    return key, value


def _checked(key: str, value: str) -> str:
    if is_literal(value):
        return value
    raise InvalidInput(
        f"The value of --var {key} is not an HCL literal.",
        cause="In HCL, a text without quotes is a reference, and the shell removes the quotes.",
        solution=f"For a text: --var-string {key}=text, or --var '{key}=\"text\"'. For a list: --var '{key}=[1, 2]'.",
    )

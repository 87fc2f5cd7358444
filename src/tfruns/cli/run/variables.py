"""The variables of a new run, from the command line, files and the environment, as Terraform collects them.

The API takes each value as an HCL literal. As in Terraform, the text on the command line is a string if the variable is
declared as one, and otherwise HCL if it is a literal; a bare word is a string. A value may be a secret, so errors never
repeat it.

Source: Terraform, "Input Variables", "Variables on the Command Line", "Environment Variables"; the variables that
Terraform sends for a remote run: those of -var, -var-file and TF_VAR_ that the configuration declares, but not those
of files that are loaded automatically.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tfruns.errors import InvalidInput
from tfruns.hcl.assignments import read_assignments
from tfruns.hcl.blocks import read_blocks
from tfruns.hcl.literals import NotALiteral, Number, is_literal, literal, read_literal

_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STRUCTURE = ("[", "{", '"', "<<")  # a text that begins so is meant as HCL
_MAX_BYTES = 10 << 20  # of a file
_ENVIRONMENT = "TF_VAR_"


def collect_variables(
    literals: Iterable[str], strings: Iterable[str], files: Iterable[Path], directory: Path
) -> list[dict[str, str]]:
    """The variables for `create_run`. The command line takes precedence over files, and these over the environment.

    Args:
        literals: values of --var, `key=value`.
        strings: values of --var-string, `key=text`.
        files: values of --var-file.
        directory: the directory of the configuration, which may be without one.

    Raises:
        InvalidInput: one is malformed, a key is given twice, or a file is invalid.
    """
    types = declared_types(directory)
    found = _of_environment(directory, types) if types else {}
    for file in files:
        found |= read_variable_file(file)
    return [{"key": key, "value": value} for key, value in (found | _given(literals, strings, types)).items()]


def _given(literals: Iterable[str], strings: Iterable[str], types: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for option, text in [*(("--var", text) for text in literals), *(("--var-string", text) for text in strings)]:
        key, value = _split(option, text)
        if key in found:
            raise InvalidInput(f"The variable {key} is given twice.", solution="Give it only once.")
        found[key] = literal(value) if option == "--var-string" else _as_literal(f"--var {key}", value, types.get(key))
    return found


def _split(option: str, text: str) -> tuple[str, str]:
    key, sign, value = text.partition("=")
    key = key.strip()
    if not sign:
        raise InvalidInput(f"The value of {option} has no = sign.", solution=f"Use KEY=VALUE: {option} size=2")
    if not _KEY.fullmatch(key):
        raise InvalidInput(
            f"The name of the variable in {option} is invalid.",
            cause="A name consists of letters, digits, _ and -, and begins with a letter or _.",
            solution="Write the name before the = sign, without spaces.",
        )
    return key, value


def _as_literal(source: str, text: str, type_: str | None) -> str:
    """The HCL literal of a text that Terraform would read as the value of a variable of this type."""
    is_hcl = is_literal(text)
    if text.startswith('"') and is_hcl:
        return text
    if type_ == "string" or not text.strip():
        return literal(text)
    if is_hcl:
        return literal(text) if _changes_as_number(text) else text
    if text.lstrip().startswith(_STRUCTURE):
        raise InvalidInput(
            f"The value of {source} is not an HCL literal.",
            cause="It begins as a list, an object or a quoted string, but is incomplete or contains a reference.",
            solution='For a list of strings: --var \'KEY=["a", "b"]\'. For exactly this text: --var-string KEY=TEXT.',
        )
    return literal(text)


def _changes_as_number(text: str) -> bool:
    """Whether a number is not written as Terraform prints it: 007, 1.10. It may be an identifier."""
    value = read_literal(text)
    return isinstance(value, Number) and not re.fullmatch(r"-?(0|[1-9]\d*)(\.\d*[1-9])?", text.strip())


# -- files and environment --------------------------------------------------------------------------------------------


def read_variable_file(path: Path) -> dict[str, str]:
    """The literals in a file of variables (.tfvars or .tfvars.json), by key.

    Raises:
        InvalidInput: the file cannot be read, or is not a file of literals.
    """
    try:
        text = path.expanduser().read_text(encoding="utf-8-sig")
        return _in_json(text) if path.name.endswith(".json") else dict(read_assignments(text))
    except OSError as error:
        raise InvalidInput(
            f"The file {path} cannot be read: {error.strerror}.", solution="Correct --var-file."
        ) from None
    except (ValueError, RecursionError) as error:
        why = "it is not a JSON object" if isinstance(error, json.JSONDecodeError | RecursionError) else str(error)
        raise InvalidInput(
            f"The file {path} is not a file of variables: {why}.",
            solution='Write KEY = VALUE lines with literals, such as size = 2 or name = "a".',
        ) from None


def _in_json(text: str) -> dict[str, str]:
    document = json.loads(text)
    if not isinstance(document, dict):
        raise NotALiteral("it is not a JSON object")
    return {key: literal(value) for key, value in document.items()}


def _of_environment(directory: Path, types: Mapping[str, str]) -> dict[str, str]:
    """The variables of `TF_VAR_…` that the configuration declares and that no file of the directory sets."""
    names = {name.removeprefix(_ENVIRONMENT): name for name in os.environ if name.startswith(_ENVIRONMENT)}
    given = {key: os.environ[name] for key, name in names.items() if key in types}
    if not given:
        return {}
    automatic = _automatic_keys(directory)
    return {key: _as_literal(names[key], value, types[key]) for key, value in given.items() if key not in automatic}


def _automatic_keys(directory: Path) -> set[str]:
    """The variables that files set which Terraform loads automatically."""
    names = ("terraform.tfvars", "terraform.tfvars.json", "*.auto.tfvars", "*.auto.tfvars.json")
    keys: set[str] = set()
    for path in (path for name in names for path in directory.glob(name)):
        try:
            keys |= read_variable_file(path).keys()
        except InvalidInput:
            continue  # Terraform reports it
    return keys


def declared_types(directory: Path) -> dict[str, str]:
    """The variables that the configuration of a directory declares, with the source text of their type.

    Files that cannot be read or parsed are ignored: Terraform reports them.
    """
    types: dict[str, str] = {}
    for path in sorted(directory.glob("*.tf")) + sorted(directory.glob("*.tf.json")):
        try:
            if path.stat().st_size <= _MAX_BYTES:
                text = path.read_text(encoding="utf-8")
                types |= dict(_in_tf_json(json.loads(text)) if path.name.endswith(".json") else _in_tf(text))
        except (OSError, ValueError, RecursionError):
            continue
    return types


def _in_tf(text: str) -> Iterator[tuple[str, str]]:
    if "variable" not in text:
        return
    for block in read_blocks(text):
        if len(block.words) == 2 and block.words[0] == "variable":
            yield block.words[1], block.arguments.get("type", "any").strip('"')


def _in_tf_json(document: Any) -> Iterator[tuple[str, str]]:
    variables = document.get("variable") if isinstance(document, dict) else None
    for key, settings in variables.items() if isinstance(variables, dict) else ():
        yield key, str(settings.get("type", "any")) if isinstance(settings, dict) else "any"

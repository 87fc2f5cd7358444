"""`--json FIELDS`: the fields that each command's result has, and the option's value on the command line.

`--json` alone prints the whole result, so the word after it can also be an argument of the command. It is a list of
fields if it contains a comma, if the result has a field of this name, or if the command has no argument for it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields
from importlib import import_module
from typing import get_args, get_type_hints

from tfruns.cli.commands import ALIASES
from tfruns.errors import InvalidInput
from tfruns.views.base import View

OPTION = "--json-fields"
"""The option that cyclopts gets instead of the value of --json."""

# The views of each command's results, or the views of its rows, as `module:class`.
VIEWS: dict[str, tuple[str, ...]] = {
    "config list": ("views.workspaces:ConfigurationRow",),
    "config upload": ("views.configuration:UploadView",),
    "profile list": ("cli.profile.views:ProfileView",),
    "profile set": ("cli.profile.views:ProfileView",),
    "run apply": ("views.runs:ActionView", "views.wait:WaitView", "cli.run.bulk:BulkView"),
    "run cancel": ("views.runs:ActionView", "cli.run.bulk:BulkView"),
    "run comment": ("views.comments:CommentView",),
    "run create": ("views.runs:RunView", "views.wait:WaitView"),
    "run diagnose": ("views.diagnosis:DiagnosisView",),
    "run discard": ("views.runs:ActionView", "cli.run.bulk:BulkView"),
    "run force-cancel": ("views.runs:ActionView",),
    "run force-execute": ("views.runs:ActionView",),
    "run history": ("views.history:HistoryView",),
    "run open": ("views.runs:RunView",),
    "run list": ("views.runs:RunPage",),
    "run logs": ("views.logs:LogView",),
    "run outcome": ("views.review:ApplyStepsView",),
    "run rerun": ("views.runs:RunView", "views.wait:WaitView"),
    "run review": ("views.review:PlanReviewView",),
    "run show": ("views.runs:RunView",),
    "run status": ("views.explained:ExplainedRuns",),
    "run wait": ("views.wait:WaitView",),
    "state rollback": ("views.workspaces:RolledBackView",),
    "state list": ("views.workspaces:StateVersionRow",),
    "variable delete": ("views.workspaces:VariableView",),
    "variable set": ("views.workspaces:VariableView",),
    "variable list": ("views.workspaces:VariableRow",),
    "workspace actions": ("views.workspaces:ActionRow",),
    "workspace create": ("views.workspaces:WorkspaceView",),
    "workspace delete": ("views.workspaces:DeletedWorkspaceView",),
    "workspace health": ("views.workspaces:HealthRow",),
    "workspace list": ("views.workspaces:WorkspacePage",),
    "workspace lock": ("views.workspaces:LockView",),
    "workspace outputs": ("views.workspaces:OutputRow",),
    "workspace resources": ("views.workspaces:ResourceRow",),
    "workspace show": ("views.workspaces:WorkspaceView",),
    "workspace unlock": ("views.workspaces:LockView",),
    "workspace update": ("views.workspaces:WorkspaceView",),
}
# The fields of results that are not views.
_DOCUMENTS = {
    "doctor": ("healthy", "checks"),
    "login": ("address", "user", "kind", "file"),
    "logout": ("address", "removed", "file"),
    "server status": (
        "data_dir",
        "running",
        "url",
        "pid",
        "responding",
        "since",
        "idle_exit_s",
        "idle_exit_in_s",
        "active_runs",
    ),
    "server stop": ("stopped", "pid", "interrupted"),
}

_LIST = re.compile(r"[a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*,?")


def fields_of(command: str) -> list[str]:
    """The names of the fields of a command's result; of its rows if it is a list. Empty for an unknown command."""
    names = dict.fromkeys(_DOCUMENTS.get(command, ()))
    for view in VIEWS.get(command, ()):
        names |= dict.fromkeys(field.name for field in fields(_row_type(_load(view))))
    return list(names)


def with_json_fields(tokens: Sequence[str]) -> list[str]:
    """The command line with the value of `--json` as a separate option.

    Raises:
        InvalidInput: the result of the command has no such field.
    """
    command = " ".join(_command(tokens))
    found: list[str] = []
    rest = list(tokens)
    while rest and rest[0] != "--":
        word = rest.pop(0)
        name, sign, value = word.partition("=")
        if name != "--json" or value.lower() in {"true", "false"}:
            found.append(word)
        elif sign:
            found += ["--json", OPTION, _checked(command, value)]
        elif rest and _is_list(command, rest[0]):
            found += ["--json", OPTION, _checked(command, rest.pop(0))]
        else:
            found.append(word)
    return found + rest


def _command(tokens: Sequence[str]) -> Iterator[str]:
    """The words of the command, without aliases."""
    for token in tokens[:2]:
        if token.startswith("-"):
            return
        yield ALIASES.get(token, token)


def _is_list(command: str, text: str) -> bool:
    if not _LIST.fullmatch(text):
        return False
    return "," in text or text in fields_of(command) or not _takes_word(command)


def _takes_word(command: str) -> bool:
    """Whether an argument of the command can be a single lower-case word, as the name of a workspace can."""
    from tfruns.cli.app import app  # noqa: PLC0415  # not for known fields

    found = app
    for word in command.split():
        if word not in found:
            return True
        found = found[word]
    arguments = [item for item in found.assemble_argument_collection() if item.field_info.is_positional]
    return any(item.name != "RUN" for item in arguments)


def _checked(command: str, text: str) -> str:
    known = fields_of(command)
    given = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in given if name not in known]
    if known and (unknown or not given):
        named = ", ".join(f'"{name}"' for name in unknown)
        message = f"Unknown field {named}." if unknown else "--json= names no field."
        raise InvalidInput(message, solution=f"Fields: {', '.join(known)}.")
    return ",".join(given)


def _load(view: str) -> type[View]:
    module, _, name = view.partition(":")
    found: type[View] = getattr(import_module(f"tfruns.{module}"), name)
    return found


def _row_type(view: type[View]) -> type[View]:
    """The type of the rows of a list, or the view itself."""
    if not view.ROWS:
        return view
    row: type[View] = get_args(get_type_hints(view)[view.ROWS])[0]
    return row

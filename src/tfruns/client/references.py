"""Parsing of ids, names and browser addresses. Everything that becomes part of a path is validated here.

An id is a prefix, a hyphen, and letters and digits of any number. Names of organizations and workspaces consist of
letters, digits, hyphens and underscores. No accepted value can change the structure of a path.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from tfruns.client.address import Address, parse_address
from tfruns.errors import InvalidInput
from tfruns.next_actions import LIST_RUNS_IN_ORGANIZATION, Argument, NextAction, Text, parts_of

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
_PATTERN = re.compile(r"[A-Za-z0-9_*?-]{1,128}")
_LIST_RUNS = (NextAction(LIST_RUNS_IN_ORGANIZATION, {}, "lists the runs"),)
_WORKSPACE_ID = re.compile(r"ws-[A-Za-z0-9]{1,64}")
_RUN_PATH = re.compile(r"/runs/(?P<run>[^/]+)")
_WORKSPACE_PATH = re.compile(r"^/app/(?P<organization>[^/]+)/workspaces/(?P<workspace>[^/]+)")

_KINDS = {
    "run": "run",
    "ws": "workspace",
    "cv": "configuration version",
    "plan": "plan",
    "apply": "apply",
    "ce": "cost estimate",
    "polchk": "policy check",
    "ts": "task stage",
    "poleval": "policy evaluation",
    "sv": "state version",
    "var": "variable",
    "asmtres": "assessment result",
}


@dataclass(frozen=True, slots=True)
class WorkspaceId:
    """A workspace given by its id."""

    id: str


@dataclass(frozen=True, slots=True)
class WorkspaceName:
    """A workspace given by its organization and name."""

    organization: str
    name: str


def api_path(*segments: str) -> str:
    """A path below `/api/v2` with every segment percent-encoded.

    Raises:
        InvalidInput: a segment is empty, `.` or `..`.
    """
    for segment in segments:
        if segment in {"", ".", ".."}:
            raise InvalidInput("A name cannot be empty, `.` or `..`.")
    return "/api/v2/" + "/".join(quote(segment, safe="") for segment in segments)


def check_id(prefix: str, text: str, *, what: Text | None = None, following: Sequence[NextAction] = ()) -> str:
    """Validate an id.

    Args:
        prefix: `run`, `ws`, `cv`, ...
        text: the caller's value.
        what: the subject of the error: the argument, or its name.
        following: the calls that help with the error.

    Raises:
        InvalidInput: it is not an id with this prefix.
    """
    text = text.strip()
    if re.fullmatch(rf"{prefix}-[A-Za-z0-9]{{1,64}}", text):
        return text
    kind = _KINDS[prefix]
    raise InvalidInput(
        (*parts_of(what or f"The {kind} id"), f" is not a {kind} id."),
        solution=f'A {kind} id is "{prefix}-" followed by letters and digits, such as {prefix}-CZcmD7eagjhyX0vN.',
        next_actions=following,
    )


def check_any_id(text: str, kind: str) -> str:
    """Validate an id whose prefix the API does not document.

    Raises:
        InvalidInput: it is not a prefix, a hyphen, and letters and digits.
    """
    text = text.strip()
    if re.fullmatch(r"[a-z]{1,20}-[A-Za-z0-9]{1,64}", text):
        return text
    raise InvalidInput(f"The {kind} id is malformed.", solution="Use the id that the API returned.")


def check_organization(text: str) -> str:
    """Validate the name of an organization.

    Raises:
        InvalidInput: it is empty, or contains characters other than letters, digits, hyphens and underscores.
    """
    return _check_name(text, "organization")


def check_workspace_name(text: str) -> str:
    """Validate the name of a workspace.

    Raises:
        InvalidInput: it is empty, or contains characters other than letters, digits, hyphens and underscores.
    """
    return _check_name(text, "workspace")


def _check_name(text: str, kind: str) -> str:
    text = text.strip()
    if _NAME.fullmatch(text):
        return text
    if kind == "workspace" and _PATTERN.fullmatch(text):
        raise InvalidInput(
            "One workspace is needed, not a pattern.",
            solution="Use the name of one workspace. Only lists of an organization's runs take patterns.",
            next_actions=(NextAction(LIST_RUNS_IN_ORGANIZATION, {"filter_workspace_names": text}, "lists their runs"),),
        )
    raise InvalidInput(
        f"The {kind} name is invalid.",
        solution="A name has 1 to 128 letters, digits, hyphens and underscores.",
    )


def parse_run(text: str, address: Address) -> str:
    """The id of a run, from its id or browser address.

    Raises:
        InvalidInput: neither, or an address of another host.
    """
    if "://" not in text:
        return check_id("run", text, what=(Argument("run_id"),), following=_LIST_RUNS)
    found = _RUN_PATH.search(_path_at(text, address))
    if found is None:
        raise InvalidInput(
            "The address is not the address of a run.",
            solution="A run's address ends in /workspaces/NAME/runs/run-…. You can also use the run's id.",
        )
    return check_id("run", found["run"], what="The id in the address")


def is_bare_name(text: str) -> bool:
    """Whether a text is the name of a workspace without its organization."""
    text = text.strip()
    return _NAME.fullmatch(text) is not None and _WORKSPACE_ID.fullmatch(text) is None


def parse_workspace(text: str, address: Address, organization: str | None) -> WorkspaceId | WorkspaceName:
    """Parse a workspace: id, `organization/name`, bare name, or browser address.

    Args:
        text: the caller's value.
        address: the API's address; a browser address of another host is refused.
        organization: the organization of a bare name, if known.

    Raises:
        InvalidInput: none of these, an address of another host, or a bare name without an organization.
    """
    text = text.strip()
    if "://" in text:
        return _workspace_at(text, address)
    if _WORKSPACE_ID.fullmatch(text):
        return WorkspaceId(text)
    if "/" in text:
        owner, _, name = text.partition("/")
        return WorkspaceName(_check_name(owner, "organization"), _check_name(name, "workspace"))
    name = _check_name(text, "workspace")
    if organization is None:
        raise InvalidInput(
            "The organization of the workspace is missing.",
            solution="Use organization/name or the workspace's id (ws-…), or set TF_CLOUD_ORGANIZATION.",
        )
    return WorkspaceName(check_organization(organization), name)


def _workspace_at(text: str, address: Address) -> WorkspaceName:
    found = _WORKSPACE_PATH.match(_path_at(text, address))
    if found is None:
        raise InvalidInput(
            "The address is not the address of a workspace.",
            solution="A workspace's address is HOST/app/ORGANIZATION/workspaces/NAME. You can also use its id.",
        )
    return WorkspaceName(
        _check_name(found["organization"], "organization"), _check_name(found["workspace"], "workspace")
    )


def _path_at(text: str, address: Address) -> str:
    """The path of a browser address of the configured host."""
    given = parse_address(text, what="The address")
    if given != address:
        raise InvalidInput(
            f"The address belongs to {given}, but tfruns is connected to {address}.",
            solution="Set TFE_ADDRESS to that host, or use an address or id of this one.",
        )
    return unquote(urlsplit(text.strip()).path)

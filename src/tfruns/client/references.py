"""How callers name things: ids, names, and browser addresses. Whatever gets into a path was checked here.

An id is a prefix, a hyphen, and letters and digits; their number is not fixed. Names of organizations and workspaces
are letters, digits, hyphens and underscores. So nothing that is accepted can leave its place in a path.
"""

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from tfruns.client.address import Address, parse_address
from tfruns.errors import InvalidInput

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
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
}


@dataclass(frozen=True, slots=True)
class WorkspaceId:
    """A workspace by its id."""

    id: str


@dataclass(frozen=True, slots=True)
class WorkspaceName:
    """A workspace by its organization and name."""

    organization: str
    name: str


def api_path(*segments: str) -> str:
    """A path below `/api/v2`, every segment encoded.

    Raises:
        InvalidInput: a segment that would change the path's meaning.
    """
    for segment in segments:
        if segment in {"", ".", ".."}:
            raise InvalidInput("An empty or dotted name cannot be part of an address.")
    return "/api/v2/" + "/".join(quote(segment, safe="") for segment in segments)


def check_id(prefix: str, text: str, *, what: str | None = None) -> str:
    """The id, if it is one of this kind.

    Args:
        prefix: `run`, `ws`, `cv`, ...
        text: what the caller gave.
        what: the argument's name, for the error.

    Raises:
        InvalidInput: it is not such an id.
    """
    text = text.strip()
    if re.fullmatch(rf"{prefix}-[A-Za-z0-9]{{1,64}}", text):
        return text
    kind = _KINDS[prefix]
    raise InvalidInput(
        f"{what or f'The {kind} id'} is not a {kind} id.",
        solution=f'A {kind} id is "{prefix}-" and letters and digits, such as {prefix}-CZcmD7eagjhyX0vN.',
    )


def check_organization(text: str) -> str:
    """The name of an organization.

    Raises:
        InvalidInput: it is empty, or has other characters than letters, digits, hyphens and underscores.
    """
    return _check_name(text, "organization")


def check_workspace_name(text: str) -> str:
    """The name of a workspace.

    Raises:
        InvalidInput: it is empty, or has other characters than letters, digits, hyphens and underscores.
    """
    return _check_name(text, "workspace")


def _check_name(text: str, kind: str) -> str:
    text = text.strip()
    if _NAME.fullmatch(text):
        return text
    raise InvalidInput(
        f"That is not the name of a {kind}." if kind == "workspace" else f"That is not the name of an {kind}.",
        solution="Names are letters, digits, hyphens and underscores.",
    )


def parse_run(text: str, address: Address) -> str:
    """The id of a run that is given by its id or by its browser address.

    Raises:
        InvalidInput: neither, or an address of another host.
    """
    if "://" not in text:
        return check_id("run", text, what="run_id")
    found = _RUN_PATH.search(_path_at(text, address))
    if found is None:
        raise InvalidInput(
            "This address is not that of a run.",
            solution="A run's address ends in /workspaces/NAME/runs/run-…; or give the run's id.",
        )
    return check_id("run", found["run"], what="The id in the address")


def parse_workspace(text: str, address: Address, organization: str | None) -> WorkspaceId | WorkspaceName:
    """A workspace that is given by its id, as `organization/name`, by its bare name, or by its browser address.

    Args:
        text: what the caller gave.
        address: the API's address; a browser address of another host is refused.
        organization: the one that a bare name belongs to, if there is one.

    Raises:
        InvalidInput: none of these, an address of another host, or a bare name without an organization.
    """
    text = text.strip()
    if "://" in text:
        return _workspace_at(text, address)
    if re.fullmatch(r"ws-[A-Za-z0-9]{1,64}", text):
        return WorkspaceId(text)
    if "/" in text:
        owner, _, name = text.partition("/")
        return WorkspaceName(_check_name(owner, "organization"), _check_name(name, "workspace"))
    name = _check_name(text, "workspace")
    if organization is None:
        raise InvalidInput(
            "A workspace's bare name needs an organization.",
            solution="Give the workspace as organization/name or by its id (ws-…), or set TF_CLOUD_ORGANIZATION.",
        )
    return WorkspaceName(check_organization(organization), name)


def _workspace_at(text: str, address: Address) -> WorkspaceName:
    found = _WORKSPACE_PATH.match(_path_at(text, address))
    if found is None:
        raise InvalidInput(
            "This address is not that of a workspace.",
            solution="A workspace's address is HOST/app/ORGANIZATION/workspaces/NAME; or give its id.",
        )
    return WorkspaceName(
        _check_name(found["organization"], "organization"), _check_name(found["workspace"], "workspace")
    )


def _path_at(text: str, address: Address) -> str:
    """The path of a browser address, which has to be one of the configured host."""
    given = parse_address(text, what="The address")
    if given != address:
        raise InvalidInput(
            f"The address is one of {given}, and tfruns is connected to {address}.",
            solution="Use a server that is set up for that host (TFE_ADDRESS), or an id of this one.",
        )
    return unquote(urlsplit(text.strip()).path)

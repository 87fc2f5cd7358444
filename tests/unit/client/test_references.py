"""Ids, names and browser addresses: validation, and that no accepted value changes a path."""

import re
import string
from urllib.parse import unquote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.tables import rows
from tfruns.client.address import parse_address
from tfruns.client.references import (
    WorkspaceId,
    WorkspaceName,
    api_path,
    check_id,
    check_organization,
    parse_run,
    parse_workspace,
)
from tfruns.errors import InvalidInput

ADDRESS = parse_address("https://tfe.example.com")
RUN = "run-CZcmD7eagjhyX0vN"
RUN_URL = f"https://tfe.example.com/app/acme/workspaces/network/runs/{RUN}"
WORKSPACE_URL = "https://tfe.example.com/app/acme/workspaces/network"

ESCAPES = [
    "../account/details",
    "run-abc/../../account/details",
    "run-abc/actions/apply",
    "run-abc%2F..%2F..%2Faccount",
    "run-abc?include=plan",
    "run-abc#x",
    "run-abc;x",
    "run-abc\\..",
    "run-abc\n",
    "run-a b",
    "run-\x00",
    "run-abc\r\nHost: evil",
    "..",
    ".",
    "/",
]


# -- ids --------------------------------------------------------------------------------------------------------------


@rows("prefix", ["run", "ws", "cv", "plan", "apply", "ce", "polchk", "poleval", "ts"])
@rows("rest", ["CZcmD7eagjhyX0vN", "xxxxxxxx", "12345678", "a", "A" * 64])
def test_id_is_a_prefix_with_letters_and_digits(prefix: str, rest: str) -> None:
    assert check_id(prefix, f"{prefix}-{rest}") == f"{prefix}-{rest}"


def test_whitespace_around_an_id_is_stripped() -> None:
    assert check_id("run", f"  {RUN}\n") == RUN
    assert parse_run(f"\t{RUN} ", ADDRESS) == RUN
    assert parse_workspace(" ws-abc ", ADDRESS, None) == WorkspaceId("ws-abc")


@rows(
    "text",
    [
        "",
        " ",
        "run",
        "run-",
        "run_abc",
        "RUN-abc",
        "ws-abc",
        "runabc",
        "-abc",
        "run--abc",
        "run-ab-c",
        "run-é",
        "run-١٢٣",
    ]
    + [escape for escape in ESCAPES if escape != "run-abc\n"]
    + ["run-" + "a" * 65, "xrun-abc", RUN_URL],
)
def test_invalid_id_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_id("run", text)
    assert caught.value.message == "The run id is not a run id."
    assert '"run-" followed by letters and digits' in caught.value.solution


def test_error_names_the_argument_without_its_value() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_id("cv", "fakeTokenInTheWrongPlace", what="configuration_version_id")
    assert caught.value.message == "configuration_version_id is not a configuration version id."
    assert "fakeTokenInTheWrongPlace" not in str(caught.value.as_dict())


# -- runs -------------------------------------------------------------------------------------------------------------


@rows("text", [RUN, "run-xxxxxxxx", "run-12345678"])
def test_run_is_given_by_id(text: str) -> None:
    assert parse_run(text, ADDRESS) == text


@rows(
    "url",
    [
        RUN_URL,
        f"{RUN_URL}/",
        f"{RUN_URL}/plan",
        f"{RUN_URL}?tab=apply#log",
        f"  {RUN_URL}\n",
        RUN_URL.replace("tfe.example.com", "TFE.example.com:443"),
        f"https://tfe.example.com/app/acme/network/runs/{RUN}",
        f"https://tfe.example.com/api/v2/runs/{RUN}",
    ],
)
def test_run_is_given_by_browser_address(url: str) -> None:
    assert parse_run(url, ADDRESS) == RUN


@rows(
    "url",
    [
        RUN_URL.replace("tfe.example.com", "app.terraform.io"),
        RUN_URL.replace("https:", "http:"),
        RUN_URL.replace("tfe.example.com", "tfe.example.com:8443"),
        RUN_URL.replace("tfe.example.com", "tfe.example.com.evil.example"),
    ],
)
def test_browser_address_of_another_host_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_run(url, ADDRESS)
    assert "tfruns is connected to https://tfe.example.com." in caught.value.message
    with pytest.raises(InvalidInput):
        parse_workspace(url.partition("/runs/")[0], ADDRESS, "acme")


@pytest.mark.parametrize(
    "url", [RUN_URL.replace("://", "://tfe.example.com@evil.example/"), RUN_URL.replace("https", "ftp")]
)
def test_disguised_browser_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        parse_run(url, ADDRESS)


@rows(
    "url",
    [
        "https://tfe.example.com",
        WORKSPACE_URL,
        f"{WORKSPACE_URL}/runs",
        f"{WORKSPACE_URL}/runs/",
        f"{WORKSPACE_URL}/settings?run={RUN}",
        f"{WORKSPACE_URL}#/runs/{RUN}",
        f"{WORKSPACE_URL}/runs/latest",
        f"{WORKSPACE_URL}/runs/run-abc%2E%2E",
        f"{WORKSPACE_URL}/runs/..%2F..%2Faccount%2Fdetails",
    ],
)
def test_browser_address_that_is_not_a_run_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        parse_run(url, ADDRESS)


# -- workspaces and organizations -------------------------------------------------------------------------------------


@rows(
    ("text", "organization", "workspace"),
    [
        ("ws-LLGHCr4SWy28wyGN", None, WorkspaceId("ws-LLGHCr4SWy28wyGN")),
        ("ws-xxxxxxxx", "acme", WorkspaceId("ws-xxxxxxxx")),
        ("acme/network", None, WorkspaceName("acme", "network")),
        ("acme/network", "other", WorkspaceName("acme", "network")),
        ("acme/ws-xxxxxxxx", None, WorkspaceName("acme", "ws-xxxxxxxx")),
        (" acme / network ", None, WorkspaceName("acme", "network")),
        ("network", "acme", WorkspaceName("acme", "network")),
        ("my_net-work-2", "Acme_Corp-1", WorkspaceName("Acme_Corp-1", "my_net-work-2")),
        ("ws-with-hyphens", "acme", WorkspaceName("acme", "ws-with-hyphens")),
        (WORKSPACE_URL, None, WorkspaceName("acme", "network")),
        (f"{WORKSPACE_URL}/", "other", WorkspaceName("acme", "network")),
        (f"{WORKSPACE_URL}/runs?page=2", None, WorkspaceName("acme", "network")),
        (RUN_URL, None, WorkspaceName("acme", "network")),
    ],
)
def test_workspace_is_given_by_id_name_or_browser_address(
    text: str, organization: str | None, workspace: WorkspaceId | WorkspaceName
) -> None:
    assert parse_workspace(text, ADDRESS, organization) == workspace


def test_bare_name_without_organization_explains_the_remedy() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_workspace("network", ADDRESS, None)
    assert "organization" in caught.value.message
    assert "organization/name" in caught.value.solution
    assert "TF_CLOUD_ORGANIZATION" in caught.value.solution


@rows(
    "text",
    [
        "",
        " ",
        "acme/",
        "/network",
        "acme/network/more",
        "acme//network",
        "acme/../other",
        "../account/details",
        "acme/..",
        "acme/.",
        "..",
        "acme/net work",
        "acme/network?x=1",
        "acme/network%2F..",
        "net.work",
        "acme/nétwork",
        "acme/" + "a" * 129,
        "https://tfe.example.com/app/acme",
        "https://tfe.example.com/app/acme/workspaces",
        "https://tfe.example.com/app/acme/workspaces/",
        "https://tfe.example.com/app/acme/workspaces/..",
        "https://tfe.example.com/app/..%2f..%2fx/workspaces/network",
        "https://tfe.example.com/x/app/acme/workspaces/network",
    ],
)
def test_invalid_workspace_reference_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_workspace(text, ADDRESS, "acme")


def test_invalid_default_organization_is_refused() -> None:
    with pytest.raises(InvalidInput):
        parse_workspace("network", ADDRESS, "../admin")


@rows("name", ["acme", "Acme_Corp-1", "a", "1", "a" * 128])
def test_organization_is_given_by_name(name: str) -> None:
    assert check_organization(f" {name} ") == name


@rows("name", ["", " ", ".", "..", "a/b", "a b", "a.b", "a%2Fb", "é", "a\nb", "a" * 129, "https://x"])
def test_invalid_organization_is_refused_with_the_rules(name: str) -> None:
    with pytest.raises(InvalidInput, match="The organization name is invalid") as caught:
        check_organization(name)
    assert "letters, digits, hyphens and underscores" in caught.value.solution


# -- paths ------------------------------------------------------------------------------------------------------------


@rows(
    ("segments", "path"),
    [
        (("runs", RUN), f"/api/v2/runs/{RUN}"),
        (("organizations", "a b", "runs"), "/api/v2/organizations/a%20b/runs"),
        (("runs", "../account/details"), "/api/v2/runs/..%2Faccount%2Fdetails"),
        (("runs", "a?b#c%2F"), "/api/v2/runs/a%3Fb%23c%252F"),
        (("runs", "é\n"), "/api/v2/runs/%C3%A9%0A"),
    ],
)
def test_every_path_segment_is_encoded(segments: tuple[str, ...], path: str) -> None:
    assert api_path(*segments) == path


@rows("segment", ["", ".", ".."])
def test_segment_that_changes_the_path_is_refused(segment: str) -> None:
    with pytest.raises(InvalidInput):
        api_path("runs", segment, "actions")


# -- properties -------------------------------------------------------------------------------------------------------

_ID = st.text(string.ascii_letters + string.digits, min_size=1, max_size=64)
_NAME = st.text(string.ascii_letters + string.digits + "-_", min_size=1, max_size=90)
# Text that tries: pieces of paths, escapes and ids in any order, beside text at large.
_PIECES = st.sampled_from(
    ["run-", "ws-", "abc", "/", "..", ".", "%2F", "%2e", "\\", "?", "#", ";", "\n", " ", ":", "//", "@", "acme", "\x00"]
)
_HOSTILE = st.lists(_PIECES, max_size=8).map("".join) | st.text(max_size=60)
_SAFE_SEGMENT = re.compile(r"[A-Za-z0-9_-]{1,128}")


def stays_in(path: str, *place: str) -> bool:
    """Whether a path is exactly one segment below a prefix, even if it is decoded several times."""
    prefix = "/api/v2/" + "".join(f"{segment}/" for segment in place)
    last = path.removeprefix(prefix)
    return path.startswith(prefix) and unquote(last) == last and _SAFE_SEGMENT.fullmatch(last) is not None


@given(_ID)
@settings(deadline=None)
def test_every_valid_id_keeps_the_path_structure(rest: str) -> None:
    run = parse_run(f"run-{rest}", ADDRESS)
    assert run == f"run-{rest}"
    assert stays_in(api_path("runs", run), "runs")
    assert parse_run(f"{WORKSPACE_URL}/runs/{run}", ADDRESS) == run


@given(_NAME, _NAME)
@settings(deadline=None)
def test_every_valid_name_keeps_the_path_structure(organization: str, name: str) -> None:
    expected = WorkspaceName(organization, name)
    assert parse_workspace(f"{organization}/{name}", ADDRESS, None) == expected
    assert parse_workspace(f"https://tfe.example.com/app/{organization}/workspaces/{name}", ADDRESS, None) == expected
    assert stays_in(api_path("organizations", organization), "organizations")
    assert stays_in(
        api_path("organizations", organization, "workspaces", name), "organizations", organization, "workspaces"
    )


@given(_HOSTILE | _HOSTILE.map("run-abc".__add__))
@example("../account/details")
@example("run-abc\n/../x")
@settings(deadline=None)
def test_any_run_text_keeps_the_path_or_is_refused(text: str) -> None:
    try:
        run = parse_run(text, ADDRESS)
    except InvalidInput:
        return
    assert stays_in(api_path("runs", run), "runs")


@given(_HOSTILE.map((WORKSPACE_URL + "/runs/").__add__) | _HOSTILE.map("https://tfe.example.com".__add__))
@settings(deadline=None)
def test_any_browser_address_keeps_the_path_or_is_refused(url: str) -> None:
    try:
        run = parse_run(url, ADDRESS)
    except InvalidInput:
        return
    assert stays_in(api_path("runs", run), "runs")


@given(_HOSTILE | _HOSTILE.map("https://tfe.example.com/app/".__add__), st.none() | _HOSTILE)
@settings(deadline=None)
def test_any_workspace_text_keeps_the_path_or_is_refused(text: str, organization: str | None) -> None:
    try:
        workspace = parse_workspace(text, ADDRESS, organization)
    except InvalidInput:
        return
    if isinstance(workspace, WorkspaceId):
        assert stays_in(api_path("workspaces", workspace.id), "workspaces")
    else:
        place = ("organizations", workspace.organization, "workspaces")
        assert stays_in(api_path("organizations", workspace.organization), "organizations")
        assert stays_in(api_path(*place, workspace.name), *place)


@given(_HOSTILE)
@settings(deadline=None)
def test_any_organization_text_keeps_the_path_or_is_refused(text: str) -> None:
    try:
        organization = check_organization(text)
    except InvalidInput:
        return
    assert stays_in(api_path("organizations", organization), "organizations")


@given(st.lists(_HOSTILE.filter(lambda text: text not in {"", ".", ".."}), min_size=1, max_size=4))
@settings(deadline=None)
def test_path_segments_round_trip(segments: list[str]) -> None:
    path = api_path(*segments)
    assert re.fullmatch(r"/api/v2(/[A-Za-z0-9_.~%-]+)+", path)
    assert [unquote(segment) for segment in path.removeprefix("/api/v2/").split("/")] == segments

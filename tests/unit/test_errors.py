"""The tree of errors: matches its diagram, complete in each class, safe to show."""

import importlib
import json
import re
from pathlib import Path

import pytest

import tfruns
import tfruns.errors
from tests.support.tables import rows
from tfruns.errors import (
    ApiError,
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RateLimited,
    ServerError,
    TfrunsError,
    TransitionNotAllowed,
    Unauthorized,
    UnprocessableEntity,
    WorkspaceBusy,
    WorkspaceLocked,
    all_errors,
)
from tfruns.masking.redaction import remember_secret

OURS = [error for error in all_errors() if error.__module__ == "tfruns.errors"]
BELOW_THE_ROOT = OURS[1:]

SECRET = "fakeSecret1234567890"
API_TOKEN = f"aBcD1234efGH56.atlasv1.{SECRET}"
SIGNED_ADDRESS = f"https://archivist.terraform.io/v1/object/{SECRET}"

_SOURCE = Path(tfruns.__file__).parent
_MODULES = [
    ".".join(("tfruns", *path.relative_to(_SOURCE).with_suffix("").parts)).removesuffix(".__init__")
    for path in sorted(_SOURCE.rglob("*.py"))
    if path.name != "__main__.py" and path.relative_to(_SOURCE).parts[0] != "local"
]

_BOUND = 1000  # characters of a message; what exactly is cut is not a promise, that it is short is


# -- the tree ---------------------------------------------------------------------------------------------------------


def drawn_tree() -> dict[str, str]:
    """The classes of the diagram in the module's docstring, with their parents."""
    tree: dict[str, str] = {}
    ancestors = ["TfrunsError"]
    for line in (tfruns.errors.__doc__ or "").splitlines():
        found = re.match(r"^    ((?:[| ]   )*)(?:\|--|`--) (\w+)\s{2,}\S", line)
        if found is None:
            continue
        depth = len(found[1]) // 4
        ancestors = [*ancestors[: depth + 1], found[2]]
        assert found[2] not in tree, f"{found[2]} is drawn twice"
        tree[found[2]] = ancestors[depth]
    return tree


def test_diagram_shows_every_class_below_its_parent() -> None:
    assert drawn_tree() == {error.__name__: error.__bases__[0].__name__ for error in BELOW_THE_ROOT}


def test_diagram_has_the_order_of_the_file() -> None:
    assert list(drawn_tree()) == [error.__name__ for error in BELOW_THE_ROOT]


def test_tree_has_one_root_and_single_parents() -> None:
    assert TfrunsError.__bases__ == (Exception,)
    assert [error.__name__ for error in OURS if len(error.__bases__) != 1] == []


def test_statuses_in_the_diagram_match_the_classes() -> None:
    drawn = dict(re.findall(r"-- (\w+) +(\d{3})$", tfruns.errors.__doc__ or "", flags=re.MULTILINE))
    assert {name: str(getattr(tfruns.errors, name).default_status) for name in drawn} == drawn
    own = {error.__name__ for error in BELOW_THE_ROOT if "default_status" in vars(error)}
    assert own - {"ServerError"} == set(drawn)  # that one is drawn as 5xx


def test_all_errors_are_defined_in_one_module() -> None:
    for name in _MODULES:
        importlib.import_module(name)
    elsewhere = {error.__module__ for error in all_errors()} & set(_MODULES) - {"tfruns.errors"}
    assert elsewhere == set()


def test_all_errors_yields_each_class_once_parents_first() -> None:
    names = [error.__name__ for error in OURS]
    assert len(names) == len(set(names))
    for error in BELOW_THE_ROOT:
        assert names.index(error.__bases__[0].__name__) < names.index(error.__name__)


@rows("error", BELOW_THE_ROOT)
def test_every_class_has_a_code_a_cause_and_a_solution(error: type[TfrunsError]) -> None:
    for field in ("code", "default_cause", "default_solution"):
        assert vars(error).get(field), f"{error.__name__} has no {field}"
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
    assert error.default_cause.endswith(".")
    assert error.default_solution.endswith(".")


def test_codes_are_unique() -> None:
    codes = [error.code for error in OURS]
    assert sorted(codes) == sorted(set(codes))


@rows("error", BELOW_THE_ROOT)
def test_only_api_errors_have_a_default_status(error: type[TfrunsError]) -> None:
    if not issubclass(error, ApiError):
        assert error("it happened").status is None
    elif error is not ApiError:
        assert (error("it happened").status or 0) in range(400, 600)


# Repeating what the server refused for a reason cannot help; repeating what never came through can.
def test_exactly_the_transient_errors_are_retryable() -> None:
    assert {error.code for error in OURS if error.is_retryable} == {
        "connection_failed",
        "host_not_found",
        "timeout",
        "connection_lost",
        "wait_timed_out",
        "rate_limited",
        "server_error",
    }


# -- the promised scenarios -------------------------------------------------------------------------------------------


@rows(
    ("error", "status", "parent", "cause", "solution"),
    [
        (NotFound, 404, ApiError, "does not exist", "Verify the id"),
        (NotFound, 404, ApiError, "hidden from this token", "user or team token"),
        (NotFound, 404, ApiError, "Organization tokens cannot", "user or team token"),
        (Forbidden, 403, ApiError, "Insufficient permissions", "permission"),
        (TransitionNotAllowed, 409, Conflict, "status does not allow", "right state"),
        (WorkspaceLocked, 422, UnprocessableEntity, "locked by another run", "Wait for the current run to finish or"),
        (WorkspaceBusy, 409, Conflict, "one run can be active", "Wait for the active run to finish, or cancel"),
        (BadRequest, 400, ApiError, "parameter", "correct"),
        (Unauthorized, 401, ApiError, "expired", "new token"),
        (RateLimited, 429, ApiError, "rate limit", "Wait"),
        (ServerError, 500, ApiError, "failed", "Try again"),
    ],
)
def test_each_scenario_has_its_class_status_cause_and_solution(
    error: type[ApiError], status: int, parent: type[ApiError], cause: str, solution: str
) -> None:
    assert error.__bases__ == (parent,)
    fields = error("the API's words").as_dict()
    assert fields["status"] == status
    assert fields["message"] == "the API's words"
    assert cause in str(fields["cause"])
    assert solution in str(fields["solution"])


def test_error_keeps_the_actual_status() -> None:
    assert ServerError("down", status=503).status == 503
    assert TransitionNotAllowed("not pending", status=403).status == 403


# -- an error as an object --------------------------------------------------------------------------------------------


@rows("error", OURS)
def test_every_error_is_a_flat_json_object_without_empty_fields(error: type[TfrunsError]) -> None:
    failure = error(
        "it happened",
        request_id="",
        retry_after_s=None,
        facts={"run_status": "planned", "allowed_actions": ["apply", "discard"], "none": None, "nothing": [], "no": ""},
    )
    fields = failure.as_dict()
    assert json.loads(json.dumps(fields)) == fields
    assert not any(isinstance(value, dict) for value in fields.values())
    assert [name for name, value in fields.items() if value in (None, "", [], {})] == []
    assert fields["error"] == error.code
    assert fields["message"] == "it happened"
    assert fields["run_status"] == "planned"
    assert fields["allowed_actions"] == ["apply", "discard"]


def test_zero_and_false_are_not_empty() -> None:
    fields = TfrunsError("it happened", retry_after_s=0.0, facts={"displaced": 0, "is_locked": False}).as_dict()
    assert fields["retry_after_s"] == 0.0
    assert fields["displaced"] == 0
    assert fields["is_locked"] is False


def test_fields_of_an_instance_are_in_its_object() -> None:
    failure = RateLimited("slow down", cause="A loop.", solution="Stop it.", retry_after_s=2.5, request_id="req-1")
    assert failure.as_dict() == {
        "error": "rate_limited",
        "status": 429,
        "message": "slow down",
        "cause": "A loop.",
        "solution": "Stop it.",
        "retryable": True,
        "retry_after_s": 2.5,
        "request_id": "req-1",
    }


def test_only_retryable_errors_are_marked_retryable() -> None:
    assert "retryable" not in NotFound("not found").as_dict()


def test_facts_are_copied() -> None:
    facts: dict[str, tfruns.errors.Fact] = {"run_status": "planned"}
    failure = Conflict("no", facts=facts)
    failure.facts["run_status"] = "applying"
    assert facts == {"run_status": "planned"}
    assert Conflict("no").facts == {}


def test_text_of_an_error_has_message_and_solution() -> None:
    assert str(NotFound("not found", solution="Verify the id.")) == "not found (Verify the id.)"
    assert str(TfrunsError("it happened")) == "it happened"


# -- what an error never shows ----------------------------------------------------------------------------------------


@rows("secret", [API_TOKEN, SIGNED_ADDRESS, f"Bearer {SECRET}", f"https://user:{SECRET}@example.com"])
@rows("error", OURS)
def test_error_texts_contain_no_token_and_no_signed_url(error: type[TfrunsError], secret: str) -> None:
    failure = error(f"failed with {secret} here", cause=f"Because of {secret} it", solution=f"Drop {secret} now")
    shown = f"{failure} {failure!r} {failure.args} {failure.message} {json.dumps(failure.as_dict())}"
    assert SECRET not in shown
    assert "failed with" in failure.message
    assert "here" in failure.message


def test_token_in_use_is_removed_in_any_form() -> None:
    remember_secret("plain-looking-token")
    assert "plain-looking-token" not in json.dumps(TfrunsError("sent plain-looking-token, was refused").as_dict())


# A lock's reason, for one, is free text of whoever locked the workspace.
@pytest.mark.parametrize("secret", [API_TOKEN, SIGNED_ADDRESS])
def test_facts_contain_no_token_and_no_signed_url(secret: str) -> None:
    failure = WorkspaceLocked("locked", facts={"locked_reason": f"see {secret}", "notes": [f"see {secret}"]})
    assert SECRET not in json.dumps(failure.as_dict())


def test_fact_added_later_contains_no_secret() -> None:
    failure = WorkspaceLocked("locked")
    failure.facts["locked_reason"] = f"see {SIGNED_ADDRESS}"
    assert SECRET not in json.dumps(failure.as_dict())


@rows("length", [601, 20_000, 20_001, 1_000_000])
def test_long_message_is_truncated_with_a_mark(length: int) -> None:
    failure = TfrunsError("x" * length)
    assert len(failure.message) < _BOUND
    assert failure.message.endswith("…")
    assert str(failure) == failure.message


def test_short_message_is_kept_whole() -> None:
    assert TfrunsError("x" * 600).message == "x" * 600


@rows("before", [560, 580, 590, 599, 600, 19_950, 19_975, 19_980, 19_990, 19_999])
def test_truncation_leaves_no_part_of_a_secret(before: int) -> None:
    secret = "wholeSecretOfNoKnownForm"
    remember_secret(secret)
    for padding in ("x" * before, _shrinks_when_redacted(before)):
        assert secret[:8] not in TfrunsError(f"{padding} {secret} and more").message


def _shrinks_when_redacted(length: int) -> str:
    start = "https://archivist.terraform.io/v1/object/"
    return start + "y" * (length - len(start))

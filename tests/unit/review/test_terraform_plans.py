"""What is said of plans that Terraform itself made, in both forms.

Where a difference is meant, write the results anew, and let the review look at them:

    TFRUNS_UPDATE_SNAPSHOTS=1 .venv/bin/pytest tests/unit/review/test_terraform_plans.py
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.unit.review.plans import PLAN_ID, RUN_ID
from tests.unit.review.terraform import SCENARIOS, SECRET, made, redacted
from tfruns.masking.secrets import Secrets
from tfruns.review.plan_document import read_plan_document
from tfruns.review.review import review
from tfruns.review.summary import summarize

GOLDEN = Path(__file__).parent / "golden"
IS_UPDATE = os.environ.get("TFRUNS_UPDATE_SNAPSHOTS") == "1"  # read before the tests take away whatever is ours
FORMS = ("full", "redacted")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="there is no terraform"),
]


@pytest.fixture(scope="session")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A directory for each scenario, in which it is made once."""
    root = tmp_path_factory.mktemp("plans")
    found = {name: root / name for name in SCENARIOS}
    for path in found.values():
        path.mkdir()
    return found


def reviewed(name: str, form: str, places: dict[str, Path], **options: Any) -> dict[str, Any]:
    plan = made(name, places[name])
    source = redacted(plan) if form == "redacted" else plan
    document = read_plan_document(source, run_id=RUN_ID, plan_id=PLAN_ID, is_redacted=form == "redacted")
    secrets = Secrets.of_plan(document.source)
    options = {"is_refresh_only": SCENARIOS[name].is_refresh_only, **options}
    return review(document, secrets, summarize(document, secrets), {"run_id": RUN_ID}, **options)


def comparable(view: dict[str, Any]) -> str:
    """The view as text, without what differs from one plan to the next."""
    text = json.dumps(view, indent=2, ensure_ascii=False) + "\n"
    text = re.sub(r'("fingerprint": )"[0-9a-f]{32}"', r'\1"…"', text)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "(uuid)", text)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_review_of_a_plan_is_what_was_agreed_on(name: str, form: str, places: dict[str, Path]) -> None:
    path = GOLDEN / f"{name}.{form}.json"
    text = comparable(reviewed(name, form, places))
    if IS_UPDATE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path.name} differs; to write it anew: TFRUNS_UPDATE_SNAPSHOTS=1"


def test_every_result_is_one_of_a_scenario() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.{form}.json" for name in SCENARIOS for form in FORMS}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_secret_is_in_the_review_whatever_it_is_narrowed_to(name: str, form: str, places: dict[str, Path]) -> None:
    for text in ("", "create", "update", "output", "drift", "terraform_data", "nothing-like-this"):
        assert SECRET not in json.dumps(reviewed(name, form, places, filter_text=text))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_both_forms_say_the_same_of_a_plan(name: str, form: str, places: dict[str, Path]) -> None:
    full, other = (reviewed(name, form, places) for form in FORMS)
    assert full["plan"] == other["plan"]
    assert full.get("counts") == other.get("counts")
    assert [row["address"] for row in full["rows"]] == [row["address"] for row in other["rows"]]
    assert full["fingerprint"] != other["fingerprint"] or name == "no_changes"


def test_terraform_counts_as_the_review_does(places: dict[str, Path]) -> None:
    view = reviewed("replace", "full", places)
    assert view["plan"] == "Plan: 6 to add, 1 to change, 6 to destroy."
    assert view["counts"] == {"change": 1, "replace": 6}

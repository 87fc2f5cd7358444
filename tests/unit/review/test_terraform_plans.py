"""Reviews of plans that Terraform created, in the full and the redacted form.

After an intended change, update the golden files and review the difference:

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
from tests.unit.review.terraform import SCENARIOS, SECRET, redacted, terraform_plan
from tfruns.masking.secrets import Secrets
from tfruns.review.plan_document import read_plan_document
from tfruns.review.review import review
from tfruns.review.summary import summarize

GOLDEN = Path(__file__).parent / "golden"
IS_UPDATE = os.environ.get("TFRUNS_UPDATE_SNAPSHOTS") == "1"  # read before fixtures remove TFRUNS_ variables
FORMS = ("full", "redacted")

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not on the PATH"),
]


@pytest.fixture(scope="session")
def directories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A directory for each scenario, in which its plan is created once."""
    root = tmp_path_factory.mktemp("plans")
    found = {name: root / name for name in SCENARIOS}
    for path in found.values():
        path.mkdir()
    return found


def review_of(name: str, form: str, directories: dict[str, Path], **options: Any) -> dict[str, Any]:
    plan = terraform_plan(name, directories[name])
    source = redacted(plan) if form == "redacted" else plan
    document = read_plan_document(source, run_id=RUN_ID, plan_id=PLAN_ID, is_redacted=form == "redacted")
    secrets = Secrets.of_plan(document.source)
    options = {"is_refresh_only": SCENARIOS[name].is_refresh_only, **options}
    return review(document, secrets, summarize(document, secrets), {"run_id": RUN_ID}, **options)


def comparable(view: dict[str, Any]) -> str:
    """The review as text, without values that differ between two runs."""
    text = json.dumps(view, indent=2, ensure_ascii=False) + "\n"
    text = re.sub(r'("fingerprint": )"[0-9a-f]{32}"', r'\1"…"', text)
    return re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "(uuid)", text)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_review_matches_its_golden_file(name: str, form: str, directories: dict[str, Path]) -> None:
    path = GOLDEN / f"{name}.{form}.json"
    text = comparable(review_of(name, form, directories))
    if IS_UPDATE:
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{path.name} differs; to update it: TFRUNS_UPDATE_SNAPSHOTS=1"


def test_every_golden_file_belongs_to_a_scenario() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{name}.{form}.json" for name in SCENARIOS for form in FORMS}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_filter_shows_a_secret(name: str, form: str, directories: dict[str, Path]) -> None:
    for text in ("", "create", "update", "output", "drift", "terraform_data", "nothing-like-this"):
        assert SECRET not in json.dumps(review_of(name, form, directories, filter_text=text))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SCENARIOS)
def test_full_and_redacted_forms_agree(name: str, form: str, directories: dict[str, Path]) -> None:
    full, other = (review_of(name, form, directories) for form in FORMS)
    assert full["plan"] == other["plan"]
    assert full.get("counts") == other.get("counts")
    assert [row["address"] for row in full["rows"]] == [row["address"] for row in other["rows"]]
    assert full["fingerprint"] != other["fingerprint"] or name == "no_changes"


def test_counts_match_those_of_terraform(directories: dict[str, Path]) -> None:
    view = review_of("replace", "full", directories)
    assert view["plan"] == "Plan: 6 to add, 1 to change, 6 to destroy."
    assert view["counts"] == {"change": 1, "replace": 6}

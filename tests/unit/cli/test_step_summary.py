"""The step summary of GitHub Actions: its content, and the escaping of texts."""

import re
from dataclasses import replace

from tests.support.tables import rows
from tfruns.cli.step_summary import escaped, summary
from tfruns.views.diagnosis import DiagnosisView, ErrorView
from tfruns.views.review import PlanReviewView, ReviewRow
from tfruns.views.runs import RunView

RUN = RunView(
    id="run-CZcmD7eagjhyX0vN",
    status="errored",
    workspace_name="network",
    message="more",
    url="https://app.terraform.io/app/acme/workspaces/network/runs/run-CZcmD7eagjhyX0vN",
)
PLAN = PlanReviewView(
    RUN.id,
    RUN.status,
    "",
    (),
    "Plan: 1 to add, 0 to change, 2 to destroy.",
    rows=(
        ReviewRow(
            "aws_db_instance.main[*]",
            "replace",
            count=2,
            keys=("blue", "green"),
            danger="stores data",
            why="asked",
        ),
        ReviewRow("aws_s3_bucket.logs", "update", danger="stores data"),
        ReviewRow("aws_instance.web", "create"),
    ),
    next_page=2,
    total_rows=30,
)
FAILURE = DiagnosisView(
    RUN.id,
    RUN.status,
    errors=(ErrorView(summary="No quota", detail="Ask for more.", where="main.tf:5"), ErrorView(summary="Second")),
    omitted_errors=3,
)


def _text(markdown: str) -> str:
    """The Markdown with its character references decoded."""
    return re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), markdown)


def test_summary_has_link_counts_dangers_and_the_first_error() -> None:
    markdown = summary(RUN, PLAN, FAILURE)
    text = _text(markdown)
    assert f"]({RUN.url}) in network: errored" in markdown
    assert PLAN.plan in text
    assert "| aws_db_instance.main[*] (2: blue, green) | replace | stores data; asked |" in text
    assert "| aws_s3_bucket.logs | update | stores data |" in text
    assert "aws_instance.web" not in text
    assert "Only the first 3 of 30 rows were checked." in text
    assert "**Error:** No quota (main.tf:5)" in text
    assert "Ask for more." in text
    assert "Second" not in text
    assert "And 4 more." in text


def test_run_with_only_a_status_is_one_line() -> None:
    markdown = summary(RunView("run-1", "applied"), None, None)
    assert _text(markdown).strip() == "### Terraform run run-1: applied"


@rows(
    "text",
    [
        "<script>alert(1)</script>",
        "[click](https://example.com)",
        "![x](https://example.com/x.png)",
        "a | b | c",
        "`code` **bold** _it_ ~~no~~",
        "@somebody #1 https://example.com",
        "&lt;b&gt;",
        "# title\n\n- list\n> quote",
    ],
)
def test_texts_of_plans_and_logs_are_escaped(text: str) -> None:
    shown = escaped(text)
    assert re.fullmatch(r"(?:[\w ,/%;?]|&#\d+;)*", shown), shown
    assert _text(shown) == " ".join(text.split())


def test_address_that_would_end_its_link_is_none() -> None:
    markdown = summary(replace(RUN, url="https://example.com/a)<img src=x>"), None, None)
    assert "example.com" not in markdown
    assert "javascript" not in summary(replace(RUN, url="javascript:alert(1)"), None, None)


def test_long_text_is_truncated() -> None:
    assert len(_text(escaped("x" * 10_000))) == 400

"""Where a run was interrupted."""

from tests.support.tables import rows
from tfruns.apply_stage import interrupted_at

AFTER_PLAN = "after its plan, before it was confirmed"


@rows(
    ("passed", "expected"),
    [
        ([], "at a stage that is not recorded"),
        (["plan-queueable-at"], "while it waited in the queue"),
        (["plan-queued-at"], "before its plan started"),
        (["plan-queued-at", "planning-at"], "while it was planning"),
        (["planning-at", "planned-at"], AFTER_PLAN),
        (["planned-at", "cost-estimated-at"], AFTER_PLAN),
        (["planned-at", "policy-checked-at"], AFTER_PLAN),
        (["planned-and-saved-at", "planning-at"], "while its saved plan was kept"),
        (["planned-at", "confirmed-at"], "after it was confirmed, before the start of its apply was recorded"),
        (["confirmed-at", "apply-queued-at", "applying-at"], "while it was applying"),
    ],
)
def test_last_timestamp_shows_where_a_run_was_interrupted(passed: list[str], expected: str) -> None:
    assert interrupted_at(passed) == expected

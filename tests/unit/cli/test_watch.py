"""The plan line of a command with --wait claims only what the API reported."""

from tfruns.cli.watch import counts_line

ZEROS = {"add": 0, "change": 0, "destroy": 0}


def test_each_kind_of_change_has_its_own_wording() -> None:
    lines = {
        "2 to add, 1 to import": {"add": 2, "change": 0, "destroy": 0, "import": 1},
        "1 to forget": ZEROS | {"forget": 1},
        "2 actions to invoke": ZEROS | {"invoke": 2},
        "2 outputs change": ZEROS | {"outputs": 2},
        "1 resource changed outside of Terraform": ZEROS | {"drift": 1},
        "1 change that tfruns does not know": ZEROS | {"unknown": 1},
        "1 deferred to a later run": ZEROS | {"deferred": 1},
    }
    assert {counts_line(counts, has_changes=True): counts for counts in lines.values()} == lines


def test_without_counts_the_line_depends_on_has_changes() -> None:
    assert counts_line(ZEROS, has_changes=False) == "no changes"
    assert counts_line(ZEROS, has_changes=True) == "changes that the API does not count"
    assert counts_line(ZEROS, has_changes=None) == "no changes that the API counts"
    assert counts_line(ZEROS | {"move": 1}, has_changes=False) == "nothing to apply (1 to move)"

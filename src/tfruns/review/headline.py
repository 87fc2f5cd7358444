"""A plan in one sentence, which never claims more than the plan says."""

from tfruns.review.summary import NO_LIST, Summary

NO_CHANGES = "No changes."


def headline(summary: Summary, *, is_refresh_only: bool = False, has_changes: bool | None = None) -> str:
    """What a plan does, in one line.

    Args:
        summary: of the plan.
        is_refresh_only: an apply only records in the state what was changed outside of Terraform.
        has_changes: what the API says of the run, if it says anything.
    """
    drifted = summary.drifted if is_refresh_only else 0
    others = _others(summary.outputs, drifted)
    if summary.counts.as_dict():
        return summary.counts.line
    if others:
        return " ".join(["No resource is changed.", *others])
    if summary.doubts and not (summary.doubts == (NO_LIST,) and has_changes is False):
        return f"No change was found in this plan, but {'; '.join(summary.doubts)}: it may change more."
    if has_changes:
        return "No change was found in this plan, but the API says that the run has changes."
    return NO_CHANGES


def _others(outputs: int, drifted: int) -> list[str]:
    """The changes that are not of resources, a sentence each."""
    words = []
    if outputs:
        words.append(f"{outputs} output{' changes' if outputs == 1 else 's change'}.")
    if drifted:
        one = drifted == 1
        words.append(
            f"{drifted} resource{' was' if one else 's were'} changed outside of Terraform; "
            f"the apply records {'it' if one else 'them'} in the state."
        )
    return words

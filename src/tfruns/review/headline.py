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
    if summary.counts.as_dict():
        return summary.counts.line
    others = _others(summary, is_refresh_only=is_refresh_only, has_changes=has_changes)
    doubts = "; ".join(_doubts(summary, has_others=bool(others), has_changes=has_changes))
    if others:
        first = f"Whether resources change is not known: {doubts}." if doubts else "No resource is changed."
        return " ".join([first, *others])
    if doubts:
        return f"No change was found in this plan, but {doubts}: it may change more."
    if has_changes:
        return "No change was found in this plan, but the API says that the run has changes."
    return NO_CHANGES


def _doubts(summary: Summary, *, has_others: bool, has_changes: bool | None) -> list[str]:
    """Why it cannot be said that no resource changes.

    Terraform omits an empty list of resource changes. That is no doubt where other changes explain the plan, or where
    the API says that there are none.
    """
    is_explained = has_others or (has_changes is False and summary.doubts == (NO_LIST,))
    return [doubt for doubt in summary.doubts if doubt != NO_LIST or not is_explained]


def _others(summary: Summary, *, is_refresh_only: bool, has_changes: bool | None) -> list[str]:
    """The changes that are not of resources, a sentence each."""
    outputs, drifted, moved = summary.outputs, summary.drifted, summary.moved
    sentences = []
    if outputs:
        sentences.append(f"{outputs} {'output changes' if outputs == 1 else 'outputs change'}.")
    if is_refresh_only and drifted:
        sentences.append(
            f"{drifted} {'resource was' if drifted == 1 else 'resources were'} changed outside of Terraform."
        )
    if is_refresh_only and moved:
        sentences.append(f"{moved} {'resource moves' if moved == 1 else 'resources move'} to another address.")
    if sentences and is_refresh_only:
        applies = "The run has nothing to apply." if has_changes is False else "The apply records this in the state."
        sentences.append(applies)
    return sentences

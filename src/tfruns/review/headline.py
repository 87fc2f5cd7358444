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
    others = _others(summary, is_refresh_only=is_refresh_only, has_changes=has_changes)
    if summary.counts.as_dict():
        return summary.counts.line
    if others:
        return " ".join(["No resource is changed.", *others])
    if summary.doubts and not (summary.doubts == (NO_LIST,) and has_changes is False):
        return f"No change was found in this plan, but {'; '.join(summary.doubts)}: it may change more."
    if has_changes:
        return "No change was found in this plan, but the API says that the run has changes."
    return NO_CHANGES


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

"""The headline of a review: one line that claims nothing the plan does not say."""

from tfruns.review.summary import NO_LIST, PlanSummary

NO_CHANGES = "No changes."


def headline(summary: PlanSummary, *, is_refresh_only: bool = False, has_changes: bool | None = None) -> str:
    """Describe the effect of a plan in one line.

    Args:
        summary: the summary of the plan.
        is_refresh_only: whether the apply only records changes made outside of Terraform in the state.
        has_changes: the `has-changes` attribute of the run; None if the API omits it.
    """
    if summary.counts.as_dict():
        return summary.counts.line
    others = _others(summary, is_refresh_only=is_refresh_only, has_changes=has_changes)
    doubts = "; ".join(_doubts(summary, has_others=bool(others), has_changes=has_changes))
    if others:
        first = f"It is unknown whether resources change: {doubts}." if doubts else "No resources change."
        return " ".join([first, *others])
    if doubts:
        return f"No changes were found in this plan, but there may be some: {doubts}."
    if has_changes:
        return "No changes were found in this plan, but the API reports that the run has changes."
    return NO_CHANGES


def _doubts(summary: PlanSummary, *, has_others: bool, has_changes: bool | None) -> list[str]:
    """Why it is uncertain that no resources change.

    Terraform omits an empty list of resource changes. A missing list raises no doubt if the plan has other changes, or
    if the API reports that the run has none.
    """
    is_explained = has_others or (has_changes is False and summary.doubts == (NO_LIST,))
    return [doubt for doubt in summary.doubts if doubt != NO_LIST or not is_explained]


def _others(summary: PlanSummary, *, is_refresh_only: bool, has_changes: bool | None) -> list[str]:
    """One sentence for each kind of change that is not a resource change."""
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

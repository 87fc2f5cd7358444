"""What mode `plan` promises: nothing is applied, in whatever way.

To discard or cancel a run that holds its workspace releases the next one, which may apply by itself; to cancel an apply
interferes with one that a person confirmed.
"""

from tfruns.errors import RefusedByMode
from tfruns.tools.consent import FORBIDDEN_IN_PLAN_MODE, Impact
from tfruns.tools.policy import Mode


def forbid_triggering_apply(mode: Mode, impact: Impact, title: str) -> None:
    """Refuse what leads to an apply, or interferes with one, in a mode below `apply`.

    Raises:
        RefusedByMode: that is so; nothing was sent.
    """
    forbidden = [kind for kind in sorted(impact.kinds) if kind in FORBIDDEN_IN_PLAN_MODE]
    if forbidden and not mode.includes(Mode.APPLY):
        raise RefusedByMode(
            f'"{title}" is not possible in this server\'s mode: it {" and ".join(forbidden)}.', facts=impact.facts
        )

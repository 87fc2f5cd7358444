"""Which plans' logs have been read to their end, so that an apply can wait for who is watching.

The Terraform CLI shows neither the plan nor an error of a run that has failed by the time it has read the log of the
plan (internal/cloud, `renderPlanLogs`), and looks only once or twice a second. HCP Terraform takes seconds between plan
and apply; here an apply that fails at once would fail without a word.
"""

import threading
import time
from collections import deque

_KEPT = 1000
_READS_WITHIN_S = 3.0
_LOOKS_WITHIN_S = 0.5  # after the log the CLI reads the run, and the plan


class Reading:
    """The logs that have lately been read to their end."""

    def __init__(self) -> None:
        self._read: deque[tuple[str, float]] = deque(maxlen=_KEPT)
        self._changed = threading.Condition()

    def has_ended(self, phase_id: str) -> None:
        """Somebody has read the log of this phase to its end."""
        with self._changed:
            self._read.append((phase_id, time.monotonic()))
            self._changed.notify_all()

    def wait(self, phase_id: str) -> None:
        """Wait until somebody has read the log of this phase and had time to look at the run, but never for long."""
        with self._changed:
            self._changed.wait_for(lambda: self._since(phase_id) is not None, _READS_WITHIN_S)
            since = self._since(phase_id)
            if since is not None:
                left = since + _LOOKS_WITHIN_S - time.monotonic()
                self._changed.wait_for(lambda: False, max(0.0, left))

    def _since(self, phase_id: str) -> float | None:
        return next((at for id_, at in self._read if id_ == phase_id), None)

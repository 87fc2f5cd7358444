"""The program's own log: on standard error, because standard output belongs to what was asked for."""

import logging
import sys

from tfruns.masking.redaction import shown_text


class RedactingFormatter(logging.Formatter):
    """A formatter whose lines hold no tokens or signed addresses, whoever wrote them."""

    def format(self, record: logging.LogRecord) -> str:
        return shown_text(super().format(record))


def log_to_standard_error(level: int = logging.WARNING) -> None:
    """Send what is at least of this level to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)

"""The program's log on standard error; standard output is reserved for results."""

import logging
import sys

from tfruns.masking.redaction import safe_text


class RedactingFormatter(logging.Formatter):
    """A formatter that removes tokens and signed URLs from every line."""

    def format(self, record: logging.LogRecord) -> str:
        return safe_text(super().format(record))


def log_to_standard_error(level: int = logging.WARNING) -> None:
    """Write log records of at least this level to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)

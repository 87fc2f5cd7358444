"""The HTTP library's log lines, without signed addresses and tokens.

It writes the address of every request at the level INFO, and headers at DEBUG; a redirect to a log or a plan has a
signed address in both. Every address that is not one of the API is taken for a signed one.
"""

import logging
import re

from tfruns.masking.redaction import redact

_LOGGERS = (
    "httpx2",
    "httpcore2.connection",
    "httpcore2.http11",
    "httpcore2.http2",
    "httpcore2.proxy",
    "httpcore2.socks",
)


_NOT_OF_THE_API = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^/\s\"'\\]+)/(?!api/|\[)[^\s\"'\\]+")


class _Redaction(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _NOT_OF_THE_API.sub(r"\1/[signed-address-removed]", redact(record.getMessage()))
        record.args = ()
        return True


_REDACTION = _Redaction()


def redact_http_logs() -> None:
    """Redact what the HTTP library logs from now on. To say it twice is to say it once."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_REDACTION)

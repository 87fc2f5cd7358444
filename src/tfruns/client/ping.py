"""A ping of the API: whether it is reachable, which application it is; no token is needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tfruns.client.error_mapping import parse_date
from tfruns.client.references import api_path
from tfruns.client.transport import Transport


@dataclass(frozen=True, slots=True)
class PingResult:
    """The result of a ping.

    Attributes:
        status: HTTP status, normally 204.
        application: such as `HCP Terraform`.
        local_version: the version of tfruns, if its local backend responded.
        version: API version, such as `2.6`.
        rate_limit: requests per second.
        skew_s: seconds by which the server's clock is ahead of ours, accurate to about a second.
        took_s: seconds from request to response.
    """

    status: int
    application: str | None
    local_version: str | None
    version: str | None
    rate_limit: int | None
    skew_s: float | None
    took_s: float


async def ping(transport: Transport) -> PingResult:
    """Send a ping, once and without a token.

    Wire: GET /ping -> 204.

    Raises:
        TfrunsError: there was no response.
    """
    started_at, begun = transport.clock.now(), transport.clock.monotonic()
    status, headers = await transport.probe(api_path("ping"))
    took_s = transport.clock.monotonic() - begun
    date = parse_date(headers.get("date"))
    return PingResult(
        status,
        headers.get("tfp-appname"),
        headers.get("tfruns-version"),
        headers.get("tfp-api-version"),
        _integer(headers, "x-ratelimit-limit"),
        _skew_s(date, started_at, took_s) if date else None,
        took_s,
    )


def _skew_s(date: datetime, started_at: datetime, took_s: float) -> float:
    """The skew at the middle of the exchange. A Date header has whole seconds: on average 0.5 s early."""
    return (date - started_at).total_seconds() + 0.5 - took_s / 2


def _integer(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isdecimal() else None

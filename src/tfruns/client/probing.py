"""What an API says of itself before anybody has a token for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from tfruns.client.faults import parse_date
from tfruns.client.references import api_path
from tfruns.client.transport import Transport


@dataclass(frozen=True, slots=True)
class Greeting:
    """The answer to a ping.

    Attributes:
        status: 204, or whatever it was.
        application: such as `HCP Terraform`.
        version: of the API, such as `2.6`.
        rate_limit: requests a second.
        skew_s: how far the server's clock is ahead of ours, to a second or so.
        took_s: from the request to the answer.
    """

    status: int
    application: str | None
    version: str | None
    rate_limit: int | None
    skew_s: float | None
    took_s: float


async def ping(transport: Transport) -> Greeting:
    """Ask the API whether it is there, once and without a token.

    Wire: GET /ping -> 204.

    Raises:
        TfrunsError: there is no answer.
    """
    started_at, begun = transport.clock.now(), transport.clock.monotonic()
    status, headers = await transport.probe(api_path("ping"))
    took_s = transport.clock.monotonic() - begun
    date = parse_date(headers.get("date"))
    return Greeting(
        status,
        headers.get("tfp-appname"),
        headers.get("tfp-api-version"),
        _integer(headers, "x-ratelimit-limit"),
        _skew_s(date, started_at, took_s) if date else None,
        took_s,
    )


def _skew_s(date: datetime, started_at: datetime, took_s: float) -> float:
    """The difference to the middle of the exchange; a Date header has no fractions, and is half a second early."""
    return (date - started_at).total_seconds() + 0.5 - took_s / 2


def _integer(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isdecimal() else None

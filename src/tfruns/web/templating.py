"""HTML from templates. Every value is escaped, because names, messages, plans and logs are data that others wrote."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from tfruns.lifecycle import ending_of, group_of, is_final
from tfruns.masking.text import sanitize
from tfruns.vocabulary import RunEnding
from tfruns.wording import counted


@cache
def environment() -> Environment:
    """The templates."""
    found = Environment(
        loader=PackageLoader("tfruns.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "exact": exact_time,
        "tone": status_tone,
        "counted": counted,
        "label": status_label,
        "query": query_prefix,
    }
    return found


def _visible(value: Any) -> Any:
    """A value without invisible and control characters, which could disguise a text."""
    return sanitize(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def render(template: str, **values: Any) -> str:
    """The HTML of a template."""
    return environment().get_template(template).render(values)


def exact_time(value: datetime) -> str:
    """A time in UTC, as the `datetime` attribute of a `time` element."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def status_label(status: str) -> str:
    """A status in words."""
    return status.replace("_", " ").capitalize()


def status_tone(status: str) -> str:
    """The tone in which a status is shown, as a CSS class."""
    if not is_final(status):
        return "waiting" if group_of(status) == "discardable" else "active"
    return {RunEnding.FAILED: "failed", RunEnding.ABORTED: "aborted"}.get(ending_of(status), "done")  # type: ignore[arg-type]


def query_prefix(values: Mapping[str, str]) -> str:
    """The given values as the beginning of a query, to which another parameter can be added."""
    given = {name: value for name, value in values.items() if value}
    return f"{urlencode(given)}&" if given else ""
